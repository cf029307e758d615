// What the pointer is on: both patches, the source, how near the match was.

import { chip, h, percent, words } from "../../core/dom";
import { queryPatch, winnerPatch } from "../../core/patches";
import type { Scene } from "../../core/scene";

const SIDE = 56;

export class HoverCard {
  readonly el = h("div", { class: "kt-hovercard", hidden: true, "aria-hidden": "true" });
  private shown: [Scene, number] | null = null;

  show(scene: Scene, place: number, event: PointerEvent): void {
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
    this.el.replaceChildren(
      h("div", { class: "kt-pair" }, queryPatch(scene, place, SIDE), "→", winnerPatch(scene, place, SIDE)),
      h("div", { class: "kt-name" }, chip(source?.colour ?? -1), words(source?.title ?? "unknown")),
      h("div", { class: "kt-faint" }, facts.filter(Boolean).join(" · ")),
      h("div", { class: "kt-faint" }, source ? `${percent(source.share)} of the picture` : ""),
    );
  }
}
