// What the pointer is on: both patches, the source, how near the match was.

import { h, percent } from "../../core/dom";
import { named } from "../../core/naming";
import { queryPatch, sourcePatch, winnerPatch } from "../../core/patches";
import { NO_SOURCE } from "../../core/protocol";
import type { Mixed, Scene } from "../../core/scene";
import { mostEntropy } from "./quantities";

const [SIDE, SMALL] = [56, 52];

export class HoverCard {
  readonly el = h("div", { class: "kt-hovercard", hidden: true, "aria-hidden": "true" });
  private shown: [Scene, number] | null = null;

  show(scene: Scene, place: number, event: MouseEvent): void {
    if (place < 0) return this.hide();
    if (this.shown?.[0] !== scene || this.shown[1] !== place) this.fill(scene, place);
    this.shown = [scene, place];
    this.el.hidden = false;
    const host = this.el.offsetParent?.getBoundingClientRect() ?? {
      left: 0,
      top: 0,
      right: innerWidth,
      width: innerWidth,
    };
    // Left of the pointer where there is no room to the right of it.
    const right = event.clientX - host.left + 18;
    const flip = right + this.el.offsetWidth > host.width;
    this.el.style.left = `${Math.max(0, flip ? right - this.el.offsetWidth - 36 : right)}px`;
    this.el.style.top = `${event.clientY - host.top + 18}px`;
  }

  hide(): void {
    this.el.hidden = true;
  }

  private fill(scene: Scene, place: number): void {
    const source = scene.about.sources[scene.winnerSource(place)];
    const margin = scene.margin[place];
    const facts = [
      `similarity ${scene.winnerSimilarity(place).toFixed(3)}`,
      Number.isNaN(margin) ? "" : `margin ${margin.toFixed(3)}`,
      scene.coherent[place] ? "continues a neighbour" : "",
    ];
    if (scene.mixed && scene.about.cells) return this.fillMixed(scene, scene.mixed, place);
    this.el.replaceChildren(
      h("div", { class: "kt-pair" }, queryPatch(scene, place, SIDE), "→", winnerPatch(scene, place, SIDE)),
      named(scene, scene.winnerSource(place)),
      h("div", { class: "kt-faint" }, facts.filter(Boolean).join(" · ")),
      h("div", { class: "kt-faint" }, source ? `${percent(source.share)} of the picture` : ""),
    );
  }

  /** Of a place whose colour is mixed: what gave most of it, how much each, and what is not known. */
  private fillMixed(scene: Scene, { weight, entry, source }: Mixed, place: number): void {
    const slots = Array.from({ length: scene.k }, (_, n) => place * scene.k + n).filter(
      (slot) => source[slot] !== NO_SOURCE,
    );
    const known = slots.reduce((sum, slot) => sum + weight[slot], 0);
    const entropy = scene.column<Float32Array>("entropy")?.[place];
    const facts = [
      `left over ${percent(Math.max(0, 1 - known))}: other cells, not recorded`,
      entropy === undefined ? "" : `entropy ${entropy.toFixed(2)} of at most ${mostEntropy(scene).toFixed(2)} nats`,
    ];
    const parts = slots.map((slot) =>
      h(
        "span",
        { class: "kt-part" },
        sourcePatch(scene, source[slot], scene.cellBox(entry[slot]), SMALL),
        h("b", {}, percent(weight[slot])),
      ),
    );
    this.el.replaceChildren(
      h("div", { class: "kt-pair" }, queryPatch(scene, place, SIDE), "mixes many cells, most of these:"),
      h("div", { class: "kt-parts" }, ...parts),
      named(scene, scene.winnerSource(place)),
      ...facts.filter(Boolean).map((fact) => h("div", { class: "kt-faint" }, fact)),
    );
  }
}
