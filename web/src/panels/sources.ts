// The sources: who painted how much, with picture, creator and licence; untick one to see the picture without it.

import { sourceColour } from "../core/colours";
import { button, chip, counted, fitCanvas, h, percent, words } from "../core/dom";
import { inSource } from "../core/patches";
import { bySource } from "../core/picks";
import { Heirs } from "../core/comparison";
import type { Drawn, Panel, StoredAnswers } from "../core/panel";
import { type Kept, Made } from "../core/stored";
import type { Box } from "../core/scene";
import type { Session } from "../core/session";
import type { Changed } from "../core/store";

/** Who painted how much. */
export const sources: Panel = {
  name: "sources",
  draw: (session, parts) => new SourcesView(session, !parts.includes("translation")),
  stored: storedPictures,
};

function storedPictures(kept: Kept): StoredAnswers {
  return {
    pictures: (body) => {
      const names = body.sources.map((source) => `picture/${source}`).filter((name) => kept.has(name));
      return new Made({}, Object.fromEntries(names.map((name) => [name, kept.column(name)])));
    },
  };
}

const AT_FIRST = 8;
const MORE = 24;
const MOST_PLACES = 600;
const SETTLE_MS = 350;
const SHARE = "Share: overlap, before any decoder";

interface Card {
  el: HTMLElement;
  picture: HTMLCanvasElement;
  /** Of the recorded trace, and of the counterfactual. */
  bars: HTMLElement[];
  mark: HTMLElement;
  share: HTMLElement;
  use: HTMLInputElement;
}

export class SourcesView implements Drawn {
  readonly el = h("section", { class: "kt-sources", "aria-label": "Sources" });
  private readonly list = h("ol", { class: "kt-cards" });
  private readonly more = button("", () => this.showMore(), { class: "kt-more" });
  private readonly heading = h("h3");
  private readonly note = h("p", { class: "kt-faint kt-note", role: "status" });
  private readonly cards = new Map<number, Card>();
  private visible = AT_FIRST;
  private picked = new Map<number, number[]>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly session: Session,
    /** Whether who took over from whom is told here. */
    withHeirs: boolean,
  ) {
    this.el.append(h("header", {}, this.heading), this.list, this.more, this.note);
    if (withHeirs) this.el.append(new Heirs(session).el);
    this.list.addEventListener("scroll", () => session.moved(), { passive: true });
    session.store.listen((changed) => this.update(changed));
  }

  /** Where a box of a source is on the screen; null while its card is not in sight. */
  anchor(source: number, box: Box | null): DOMRect | null {
    const card = this.cards.get(source);
    const picture = this.session.scene.pictureOf(source);
    if (!card?.el.isConnected || !picture) return null;
    const canvas = card.picture.getBoundingClientRect();
    const list = this.list.getBoundingClientRect();
    const part = inSource(this.session.scene, source, picture, box);
    const k = canvas.width / picture.width;
    const middle = canvas.top + (part.y + part.height / 2) * k;
    if (!canvas.width || middle < list.top || middle > list.bottom) return null;
    return new DOMRect(canvas.left + part.x * k, canvas.top + part.y * k, part.width * k, part.height * k);
  }

  /**
   * Sources of this site in the order they are shown: by their share in the selection, else in the picture, both of the recorded
   * trace, so that no card moves from before to after.
   */
  private order(): number[] {
    const { before, state } = this.session;
    const whole = this.session.sources.map((_, source) => before.about.sources[source]?.share ?? 0);
    const inSelection = state.after ? this.session.sharesIn(before) : state.shares;
    // What was clicked stays where it is.
    const shares = state.selected.kind === "source" ? whole : (inSelection ?? whole);
    const here = [...whole.keys()].filter((source) => this.session.sources[source].here);
    return here.sort((one, other) => (shares[other] ?? 0) - (shares[one] ?? 0) || one - other);
  }

  private showMore(): void {
    this.visible += MORE;
    this.arrange();
  }

  private update(changed: Changed): void {
    if (changed.has("picked")) this.picked = bySource(this.session.scene, this.session.state.picked);
    if (changed.has("shares") || changed.has("picked")) this.arrange();
    if (changed.has("without"))
      for (const [source, card] of this.cards) card.use.checked = !this.session.state.without.has(source);
    const drawn: (keyof typeof this.session.state)[] = [
      "picked",
      "selected",
      "hover",
      "hoverSource",
      "pictures",
      "focus",
    ];
    if (drawn.some((name) => changed.has(name))) for (const source of this.cards.keys()) this.draw(source);
    if (changed.has("making") || changed.has("frozen")) this.tell();
  }

  private arrange(): void {
    const order = this.order();
    const { before, state } = this.session;
    const shown = order.slice(0, this.visible);
    for (const source of shown) if (!this.cards.has(source)) this.cards.set(source, this.card(source));
    this.list.replaceChildren(...shown.map((source) => this.cards.get(source)!.el));
    const rest = order.length - shown.length;
    this.more.hidden = rest <= 0;
    this.more.textContent = `Show ${Math.min(MORE, rest)} of ${rest} more`;
    const { unlisted } = before.about;
    const all = unlisted ? `, of ${counted(order.length + unlisted, "source")} searched` : "";
    this.heading.textContent = state.selected.kind === "none" ? `Sources${all}` : "Sources of the selection";
    const shares = [before, state.after].flatMap((scene) => (scene ? [this.session.sharesIn(scene)] : []));
    for (const source of shown) this.measure(source, shares);
    void this.session.loadPictures(shown.slice(0, AT_FIRST));
    this.session.moved();
  }

  private card(source: number): Card {
    const about = this.session.sources[source];
    const picture = h("canvas", { class: "kt-thumb", role: "img", "aria-label": about.title });
    const use = h("input", {
      type: "checkbox",
      checked: true,
      "aria-label": `Use ${about.title}`,
      title: "Untick to see the picture without this source",
      disabled: !this.session.host.canTranslate,
      onchange: () => this.toggle(source, use.checked),
    });
    const [mark, share] = [h("i"), h("span", { class: "kt-share", title: SHARE })];
    const bars = [h("b"), h("b")];
    for (const bar of bars) bar.style.background = sourceColour(about.colour);
    const open = h(
      "button",
      {
        type: "button",
        class: "kt-open",
        "aria-pressed": "false",
        title: "Show everywhere it went",
        onclick: () => this.session.selectSource(source),
      },
      picture,
      h(
        "span",
        { class: "kt-name", title: about.title },
        chip(about.colour),
        h("span", { class: "kt-title" }, words(about.title)),
      ),
      h("span", { class: "kt-faint", title: about.creator }, words(about.creator)),
      h("span", { class: "kt-faint", title: about.licence }, words(about.licence)),
      h("span", { class: "kt-bar" }, bars[0], mark),
      h("span", { class: "kt-bar" }, bars[1]),
    );
    const enter = (over: boolean) => this.session.store.set({ hoverSource: over ? source : -1 });
    open.addEventListener("pointerenter", () => enter(true));
    open.addEventListener("pointerleave", () => enter(false));
    const el = h("li", { class: "kt-card" }, open, h("label", { class: "kt-use" }, use, share));
    return { el, picture, bars, mark, share, use };
  }

  /** Bars and numbers: of the trace, or of the recorded one and the counterfactual. */
  private measure(source: number, shares: ArrayLike<number>[]): void {
    const { scene, state } = this.session;
    const { selected, after } = state;
    const { el, bars, mark, share } = this.cards.get(source)!;
    const whole = scene.about.sources[source]?.share ?? 0;
    bars.forEach((bar, n) => {
      bar.parentElement!.hidden = n >= shares.length;
      bar.parentElement!.classList.toggle("kt-aside", shares.length > 1 && (n === 1) !== (scene === after));
      if (n < shares.length) bar.style.width = `${100 * Math.min(1, Math.max(0, shares[n][source] ?? 0))}%`;
    });
    mark.style.left = `${100 * whole}%`;
    mark.hidden = selected.kind === "none" || after !== null;
    mark.title = `${percent(whole)} of the whole picture`;
    share.textContent = shares.map((one) => percent(one[source] ?? 0)).join(" → ");
    el.classList.toggle("kt-removed", scene.about.comparison?.removed.includes(source) ?? false);
    const chosen = selected.kind === "source" && selected.source === source;
    el.classList.toggle("kt-chosen", chosen);
    el.querySelector(".kt-open")!.setAttribute("aria-pressed", String(chosen));
    el.classList.toggle("kt-unused", !this.session.sharesIn(scene)[source]);
  }

  private draw(source: number): void {
    const { scene, state } = this.session;
    const { el, picture: canvas } = this.cards.get(source)!;
    if (!el.isConnected) return;
    const picture = scene.pictureOf(source);
    canvas.hidden = !picture;
    if (!picture) return;
    const width = canvas.clientWidth;
    if (!width) return;
    const k = width / picture.width;
    canvas.style.height = `${Math.round(picture.height * k)}px`;
    const context = fitCanvas(canvas, width, picture.height * k);
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, width, picture.height * k);
    const mine = this.picked.get(source) ?? [];
    context.lineWidth = mine.length > 40 ? 0.5 : 1;
    for (const place of mine.slice(0, MOST_PLACES)) this.outline(context, source, place, k, "rgba(255,255,255,0.75)");
    for (const place of [state.focus, state.hover]) {
      if (place < 0 || scene.winnerSource(place) !== source) continue;
      context.lineWidth = 2;
      this.outline(context, source, place, k, "#fff");
    }
    el.classList.toggle("kt-hovered", state.hoverSource === source);
  }

  private outline(context: CanvasRenderingContext2D, source: number, place: number, k: number, colour: string): void {
    const { scene } = this.session;
    const picture = scene.pictureOf(source)!;
    const { x, y, width, height } = inSource(scene, source, picture, scene.sourceBoxOf(place));
    const box = [x * k, y * k, width * k, height * k] as const;
    context.save();
    context.strokeStyle = "rgba(0,0,0,0.8)";
    context.lineWidth += 1.5;
    context.strokeRect(...box);
    context.restore();
    context.strokeStyle = colour;
    context.strokeRect(...box);
  }

  /** Draw the pictures again after the room changed. */
  resize(): void {
    for (const source of this.cards.keys()) this.draw(source);
  }

  private toggle(source: number, used: boolean): void {
    const without = new Set(this.session.state.without);
    if (used) without.delete(source);
    else without.add(source);
    this.session.store.set({ without });
    clearTimeout(this.timer); // several clicks in a row make one translation
    this.timer = setTimeout(() => void this.session.translate(without, this.session.state.weights), SETTLE_MS);
  }

  private tell(): void {
    const { making, frozen } = this.session.state;
    const can = this.session.host.canTranslate && !frozen;
    for (const card of this.cards.values()) card.use.disabled = !can;
    const { about } = this.session.before;
    const idle = can
      ? "Untick a source to see the picture without it."
      : about.live && !about.can.exclude
        ? "This system cannot leave sources out."
        : "Leaving sources out needs a running Python with the model.";
    this.note.textContent = making || idle;
  }
}
