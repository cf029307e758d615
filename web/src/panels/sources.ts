// The sources: who painted how much, with picture, creator and licence; untick one to see the picture without it.

import { MOST_PARTS } from "../core/change";
import { button, counted, h, setChildren } from "../core/dom";
import { bySource } from "../core/picks";
import { Heirs } from "../core/comparison";
import type { Drawn, Panel } from "../core/panel";
import type { Box } from "../core/scene";
import type { Session } from "../core/session";
import { anyOf, asList, type Changed } from "../core/store";
import { SourceRow } from "./sources/row";
import { ShareBar } from "./sources/sharebar";

/** Who painted how much. */
export const sources: Panel = {
  name: "sources",
  needs: "groups", // they stand in the place of its rows
  draw: (session, parts) => new SourcesView(session, !parts.includes("translation")),
};

/** Rows at first, and how many more at a time. */
const [AT_FIRST, MORE] = [60, 200];
/** Rows at the top whose pictures are fetched in full. */
const IN_FULL = 8;
const SETTLE_MS = 350;

/** Where a curve to a source ends: on its row, or above or below the rows that are in sight. */
export interface Anchor {
  rect: DOMRect;
  out: "" | "above" | "below";
}

export class SourcesView implements Drawn {
  readonly el = h("section", { class: "kt-sources", "aria-label": "Sources" });
  private readonly list = h("ol", { class: "kt-cards" });
  private readonly more = button("", () => this.showMore(), { class: "kt-more" });
  private readonly heading = h("h3");
  private readonly clear: HTMLElement;
  private readonly bar = new ShareBar();
  private readonly note = h("p", { class: "kt-faint kt-note", role: "status" });
  /** What says where curves lead that end out of sight. */
  private readonly stubs = { above: stub("above"), below: stub("below") };
  private readonly rows = new Map<number, SourceRow>();
  private visible = AT_FIRST;
  private picked = new Map<number, number[]>();
  private pointed: number[] = [];
  /** Of the picture in a row. */
  private room: [number, number] = [0, 0];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly session: Session,
    /** Whether who took over from whom is told here. */
    withHeirs: boolean,
  ) {
    this.clear = button("Clear", () => session.clear(), { class: "kt-clear", title: "Select nothing (Escape)" });
    const rows = h("div", { class: "kt-rows" }, this.list, ...Object.values(this.stubs));
    this.el.append(h("header", {}, this.heading, this.clear), this.bar.el, rows, this.note);
    if (withHeirs) this.el.append(new Heirs(session).el);
    this.list.addEventListener("scroll", () => session.moved(), { passive: true });
    new ResizeObserver(() => this.resize()).observe(this.list);
    session.store.listen((changed) => this.update(changed));
  }

  /** Where a box of a source is on the screen. */
  anchor(source: number, box: Box | null): Anchor | null {
    const list = this.list.getBoundingClientRect();
    if (!list.width) return null;
    const row = this.rows.get(source);
    if (!row?.el.isConnected) return { rect: new DOMRect(list.left, list.bottom, 0, 0), out: "below" };
    const rect = row.placeOf(box);
    const middle = rect.top + rect.height / 2;
    if (middle < list.top) return { rect: new DOMRect(list.left, list.top, 0, 0), out: "above" };
    if (middle > list.bottom) return { rect: new DOMRect(list.left, list.bottom, 0, 0), out: "below" };
    return { rect, out: "" };
  }

  /** Say which sources curves lead to that are out of sight. */
  pointTo(out: Record<"above" | "below", readonly number[]>): void {
    for (const where of ["above", "below"] as const) {
      const [el, found] = [this.stubs[where], out[where]];
      el.hidden = !found.length;
      const titles = found.map((source) => this.session.sources[source].title);
      el.textContent = `${where === "above" ? "↑" : "↓"} ${titles.join(", ")}`;
      el.onclick = () => this.scrollTo(found[0]);
    }
  }

  private scrollTo(source: number): void {
    while (!this.rows.get(source)?.el.isConnected && !this.more.hidden) this.showMore();
    this.rows.get(source)?.el.scrollIntoView({ block: "nearest" });
  }

  /**
   * Sources of this site in the order they are shown: by their share in the selection, else in the picture, both of the recorded
   * trace, so that no row moves from before to after.
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
    if (changed.has("colours")) for (const row of this.rows.values()) row.colour();
    if (anyOf(changed, "shares", "picked", "colours")) this.arrange();
    if (anyOf(changed, "picked", "selected", "pictures")) this.resize();
    else if (anyOf(changed, "hover", "hoverSource", "focus")) this.point();
    if (anyOf(changed, "making", "frozen", "change", "picked")) this.tell();
  }

  private arrange(): void {
    const order = this.order();
    const { before, scene, state } = this.session;
    const shown = order.slice(0, this.visible);
    const rest = order.length - shown.length;
    this.more.hidden = rest <= 0;
    this.more.textContent = `Show ${Math.min(MORE, rest)} of ${rest} more`;
    const last = h("li", { class: "kt-last" }, this.more);
    setChildren(this.list, [...shown.map((source) => this.row(source).el), ...(rest > 0 ? [last] : [])]);
    this.list.style.setProperty("--kt-count", String(shown.length));
    const { unlisted } = before.about;
    const some = state.selected.kind !== "none";
    const all = unlisted ? `, of ${counted(order.length + unlisted, "source")} searched` : "";
    this.heading.textContent = some ? "Of the selection" : `Sources${all}`;
    this.clear.hidden = !some;
    const shares = [before, state.after].flatMap((one) => (one ? [this.session.sharesIn(one)] : []));
    this.bar.draw(scene, order, this.session.sharesIn(scene));
    for (const source of shown) this.row(source).measure(shares);
    void this.session.loadPictures(shown.slice(0, IN_FULL));
    this.session.moved();
  }

  private row(source: number): SourceRow {
    let row = this.rows.get(source);
    if (row) return row;
    row = new SourceRow(this.session, source, {
      use: (used) => this.toggle(source, used),
      leaveOut: (boxes) => this.leaveOutParts(source, boxes),
    });
    this.rows.set(source, row);
    row.allow(this.can, this.picked.get(source)?.length ?? 0);
    return row;
  }

  /** Draw the pictures, also after the room changed. */
  resize(): void {
    const first = [...this.rows.values()].find(({ el }) => el.isConnected);
    this.room = first?.room ?? [0, 0]; // read once: each reading after a writing lays the page out
    for (const source of this.rows.keys()) this.draw(source);
  }

  /** Draw those again that are pointed at, or were till now. */
  private point(): void {
    const { scene, state } = this.session;
    const places = [state.focus, state.hover].filter((place) => place >= 0);
    const now = [state.hoverSource, ...places.map((place) => scene.winnerSource(place))];
    for (const source of new Set([...this.pointed, ...now])) this.draw(source);
    this.pointed = now;
  }

  private draw(source: number): void {
    this.rows.get(source)?.draw(this.room, this.picked.get(source) ?? []);
  }

  private toggle(source: number, used: boolean): void {
    const { change } = this.session.state;
    const others = change.without.filter((one) => one !== source);
    this.session.store.set({ change: { ...change, without: used ? others : [...others, source] } });
    clearTimeout(this.timer); // several clicks in a row make one translation
    this.timer = setTimeout(() => void this.session.translate({}), SETTLE_MS);
  }

  private leaveOutParts(source: number, boxes: readonly Box[]): void {
    const { parts } = this.session.state.change;
    const all = [...parts, ...boxes.map((box) => [source, ...asList(box)])];
    if (all.length <= MOST_PARTS) void this.session.translate({ parts: all });
    else this.session.fail(`Leave out ${all.length} places: at most ${MOST_PARTS} at a time. Select a smaller part.`);
  }

  /** Whether something can be left out now. */
  private get can(): boolean {
    return this.session.host.canTranslate && !this.session.state.frozen;
  }

  private tell(): void {
    const { making } = this.session.state;
    const { can } = this;
    for (const [source, row] of this.rows) row.allow(can, this.picked.get(source)?.length ?? 0);
    this.session.moved(); // rows may have become taller
    const { about } = this.session.before;
    const idle = can
      ? "Untick a source to see the picture without it; draw on its picture to leave a part of it out."
      : about.live && !about.can.exclude
        ? "This system cannot leave sources out."
        : "Leaving sources out needs a running Python with the model.";
    this.note.textContent = making || idle;
  }
}

function stub(where: string): HTMLButtonElement {
  return button("", () => undefined, {
    class: `kt-stub kt-${where}`,
    hidden: true,
    title: "Show where the curves lead",
  });
}
