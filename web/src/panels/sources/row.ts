// A source as a row: its picture with what the selection took of it, title, creator and licence, bars, share.

import { leftOutBy } from "../../core/change";
import { button, fitCanvas, h, percent, words } from "../../core/dom";
import { creditOf, fileOf, named } from "../../core/naming";
import { inSource } from "../../core/patches";
import type { Box } from "../../core/scene";
import type { Session } from "../../core/session";
import { joined, PartDrawing, wholePx } from "./part";

const MOST_PLACES = 600;
const SHARE = "Share: overlap, before any decoder";

/** What a person asks of a source. */
interface Asked {
  /** To be used, or left out. */
  use(used: boolean): void;
  /** Without some boxes, in its px. */
  leaveOut(boxes: readonly Box[]): void;
}

export class SourceRow {
  readonly el: HTMLElement;
  readonly use: HTMLInputElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly frame: HTMLElement;
  private readonly open: HTMLElement;
  private name: HTMLElement;
  /** Of the recorded trace, and of the counterfactual. */
  private readonly bars = [h("b"), h("b")];
  /** The share of the whole picture. */
  private readonly mark = h("i");
  private readonly share = h("span", { class: "kt-share", title: SHARE });
  private readonly leave = button("", () => this.leaveOut(), { class: "kt-leave", hidden: true });
  private readonly part: PartDrawing;
  /** Retrievals of the selection that the source won. */
  private places: readonly number[] = [];

  constructor(
    private readonly session: Session,
    private readonly source: number,
    private readonly on: Asked,
  ) {
    const about = session.sources[source];
    this.canvas = h("canvas", { class: "kt-thumb", role: "img", "aria-label": about.title });
    this.frame = h("span", { class: "kt-thumbframe" }, this.canvas);
    this.name = h("span");
    this.use = h("input", {
      type: "checkbox",
      checked: true,
      "aria-label": `Use ${about.title}`,
      title: "Untick to see the picture without this source",
      disabled: !session.host.canTranslate,
      onchange: () => on.use(this.use.checked),
    });
    const label = h(
      "span",
      { class: "kt-label" },
      this.name,
      h("span", { class: "kt-faint kt-credit", title: creditOf(about) }, words(creditOf(about))),
      h("span", { class: "kt-bar" }, this.bars[0], this.mark),
      h("span", { class: "kt-bar" }, this.bars[1]),
    );
    this.open = h(
      "button",
      {
        type: "button",
        class: "kt-open",
        "aria-pressed": "false",
        title: `Show everywhere it went: ${fileOf(about)}`,
        onclick: () => {
          if (!this.part.ended()) session.selectSource(source);
        },
      },
      this.frame,
      label,
    );
    const enter = (over: boolean) => session.store.set({ hoverSource: over ? source : -1 });
    this.open.addEventListener("pointerenter", () => enter(true));
    this.open.addEventListener("pointerleave", () => enter(false));
    this.part = new PartDrawing(
      this.canvas,
      () => session.host.canTranslate,
      () => this.drawn(),
    );
    const use = h("span", { class: "kt-use" }, this.share, h("span", {}, this.leave, h("label", {}, this.use)));
    this.el = h("li", { class: "kt-card" }, this.open, use);
    this.colour();
  }

  /** Take the colour that the source has now. */
  colour(): void {
    const { scene, state } = this.session;
    const shown = state.after ?? scene; // it knows all sources
    const name = named(shown, this.source);
    this.name.replaceWith(name);
    this.name = name;
    for (const bar of this.bars) bar.style.background = shown.palette.of(this.source);
  }

  /**
   * Set bars and numbers.
   *
   * @param shares of all sources in what is selected: in the trace, or in the recorded one and the counterfactual
   */
  measure(shares: readonly ArrayLike<number>[]): void {
    const { scene, state } = this.session;
    const { selected, after } = state;
    const whole = scene.about.sources[this.source]?.share ?? 0;
    this.bars.forEach((bar, n) => {
      bar.parentElement!.hidden = n >= shares.length;
      bar.parentElement!.classList.toggle("kt-aside", shares.length > 1 && (n === 1) !== (scene === after));
      if (n < shares.length) bar.style.width = `${100 * Math.min(1, Math.max(0, shares[n][this.source] ?? 0))}%`;
    });
    this.mark.style.left = `${100 * whole}%`;
    this.mark.hidden = selected.kind === "none" || after !== null;
    this.mark.title = `${percent(whole)} of the whole picture`;
    this.share.textContent = shares.map((one) => percent(one[this.source] ?? 0)).join(" → ");
    const chosen = selected.kind === "source" && selected.source === this.source;
    this.open.setAttribute("aria-pressed", String(chosen));
    this.el.classList.toggle("kt-chosen", chosen);
    this.el.classList.toggle("kt-removed", scene.about.comparison?.removed.includes(this.source) ?? false);
    this.el.classList.toggle("kt-unused", !this.session.sharesIn(scene)[this.source]);
  }

  /** Say what can be left out: the source, and if some retrievals of the selection took patches of it, these. */
  allow(can: boolean, places: number): void {
    const { change, selected } = this.session.state;
    const about = this.session.sources[this.source];
    const together = leftOutBy(change, about);
    this.use.checked = !together && !change.without.includes(this.source);
    this.use.disabled = !can || together;
    this.use.title = together ? "Left out with others" : "Untick to see the picture without this source";
    const some = places > 0 && (selected.kind === "region" || selected.kind === "queries");
    const what = this.part.box ? "Leave this part out" : "Leave out what the selection took";
    this.leave.hidden = !can || !(this.part.box || some);
    this.leave.textContent = this.part.box ? "Leave out" : "✂\uFE0E";
    this.leave.title = what;
    this.leave.setAttribute("aria-label", `${what}: ${about.title}`);
  }

  /** A part was drawn on the picture, or taken back. */
  private drawn(): void {
    this.draw(this.room, this.places);
    this.allow(this.session.host.canTranslate && !this.session.state.frozen, this.places.length);
    this.session.moved();
  }

  private leaveOut(): void {
    const { scene } = this.session;
    const drawn = this.part.box;
    const { width, height } = this.session.sources[this.source];
    if (drawn) {
      const [across, down] = [
        width ?? scene.pictureOf(this.source)!.width,
        height ?? scene.pictureOf(this.source)!.height,
      ];
      this.part.clear();
      return this.on.leaveOut([wholePx(drawn, across, down)]);
    }
    const boxes = this.places.flatMap((place) => scene.sourceBoxOf(place) ?? []);
    this.on.leaveOut(joined(boxes));
  }

  /** Px of the screen that a picture may take; in every row the same. */
  get room(): [number, number] {
    return [this.frame.clientWidth, this.frame.clientHeight];
  }

  /** Draw the picture, in so much room, and on it the places that some retrievals took. */
  draw([width, height]: readonly [number, number], places: readonly number[]): void {
    const { scene, state } = this.session;
    this.places = places;
    this.el.classList.toggle("kt-hovered", state.hoverSource === this.source);
    const picture = scene.pictureOf(this.source);
    if (this.canvas.hidden === Boolean(picture)) this.canvas.hidden = !picture;
    if (!picture || !width || !this.el.isConnected) return;
    const k = Math.min(width / picture.width, height / picture.height);
    const [across, down] = [picture.width * k, picture.height * k];
    [this.canvas.style.width, this.canvas.style.height] = [`${across}px`, `${down}px`];
    const context = fitCanvas(this.canvas, across, down);
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, across, down);
    context.lineWidth = places.length > 40 ? 0.5 : 1;
    for (const place of places.slice(0, MOST_PLACES)) this.outline(context, place, k, "rgba(255,255,255,0.75)");
    for (const place of [state.focus, state.hover]) {
      if (place < 0 || scene.winnerSource(place) !== this.source) continue;
      context.lineWidth = 2;
      this.outline(context, place, k, "#fff");
    }
    this.part.paint(context, across, down);
  }

  private outline(context: CanvasRenderingContext2D, place: number, k: number, colour: string): void {
    const { scene } = this.session;
    const picture = scene.pictureOf(this.source)!;
    const { x, y, width, height } = inSource(scene, this.source, picture, scene.sourceBoxOf(place));
    const box = [x * k, y * k, width * k, height * k] as const;
    context.save();
    context.strokeStyle = "rgba(0,0,0,0.8)";
    context.lineWidth += 1.5;
    context.strokeRect(...box);
    context.restore();
    context.strokeStyle = colour;
    context.strokeRect(...box);
  }

  /** Where a box of the source is on the screen; the left edge of the row where there is no picture. */
  placeOf(box: Box | null): DOMRect {
    const { scene } = this.session;
    const picture = scene.pictureOf(this.source);
    const canvas = this.canvas.getBoundingClientRect();
    if (!picture || !canvas.width) {
      const row = this.el.getBoundingClientRect();
      return new DOMRect(row.left, row.top + row.height / 2, 0, 0);
    }
    const part = inSource(scene, this.source, picture, box);
    const k = canvas.width / picture.width;
    return new DOMRect(canvas.left + part.x * k, canvas.top + part.y * k, part.width * k, part.height * k);
  }
}
