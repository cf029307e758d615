// The paper's curves: from selected patches to their sources, with both patches at the middle of each.

import { bend } from "../../core/bend";
import { h, svg } from "../../core/dom";
import { queryPatch, winnerPatch } from "../../core/patches";
import { MOST_PICKS, overview, picksOf } from "../../core/picks";
import type { Anchor, SourcesView } from "../sources";
import type { Session } from "../../core/session";
import type { TranslationView } from "../translation";

const SIDE = 34;
const HEAD = 40;
type Point = [number, number];

interface Route {
  place: number;
  start: Point;
  middle: Point;
  end: Point;
  /** Width and height of the patch here, and of the patch there, in px of the screen. */
  sizes: [Point, Point];
  /** Whether the row of its source lies out of sight. */
  out: Anchor["out"];
}

export class Curves {
  readonly el = h("div", { class: "kt-curves", "aria-hidden": "true" });
  private readonly lines = svg("svg");
  private scheduled = false;

  constructor(
    private readonly session: Session,
    private readonly translation: TranslationView,
    private readonly sources: SourcesView,
  ) {
    this.el.append(this.lines);
    session.onMoved(() => this.schedule());
    session.store.listen((changed) => {
      const quiet = [...changed].every((name) => ["hover", "waiting", "error"].includes(name));
      if (!quiet) this.schedule();
    });
  }

  /** With the next frame; many changes make one drawing. */
  schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.draw();
    });
  }

  private places(): number[] {
    const { scene, state } = this.session;
    if (state.selected.kind === "source" || state.lit) return [];
    const picks = state.picked.length ? picksOf(scene, state.picked) : overview(scene);
    return state.focus < 0
      ? picks
      : [state.focus, ...picks.filter((place) => place !== state.focus)].slice(0, MOST_PICKS);
  }

  private draw(): void {
    const frame = this.el.getBoundingClientRect();
    this.lines.replaceChildren();
    this.el.replaceChildren(this.lines);
    const found = frame.width ? this.places().flatMap((place) => this.route(place, frame)) : [];
    const out = (where: string) => [
      ...new Set(found.filter((one) => one.out === where).map(({ place }) => this.session.scene.winnerSource(place))),
    ];
    this.sources.pointTo({ above: out("above"), below: out("below") });
    const beside = this.sources.el.getBoundingClientRect().left > this.translation.el.getBoundingClientRect().right;
    for (const route of inTheGutter(found, this.gutter(frame, beside), beside)) this.curve(route, beside);
  }

  /** Where a retrieval's curve begins and ends; none where one of both is out of sight. */
  private route(place: number, frame: DOMRect): Route[] {
    const { scene } = this.session;
    const pane = this.translation.panes.output;
    const picture = pane.canvas.getBoundingClientRect();
    const [x, y] = scene.middleOf(place);
    const size = scene.regions ? { width: 0, height: 0 } : scene.boxOf(place); // a box cannot mark a region
    const box = pane.toScreen({ ...size, x, y });
    const from: Point = [box.x, box.y];
    const inside = from[0] > 0 && from[0] < picture.width && from[1] > 0 && from[1] < picture.height;
    const anchor = this.sources.anchor(scene.winnerSource(place), scene.sourceBoxOf(place));
    if (!inside || !anchor || !pane.canvas.isConnected) return [];
    const { rect: there, out } = anchor;
    const start: Point = [picture.left + from[0] - frame.left, picture.top + from[1] - frame.top];
    const end: Point = [there.left + there.width / 2 - frame.left, there.top + there.height / 2 - frame.top];
    return [
      {
        place,
        start,
        end,
        middle: end,
        sizes: [
          [box.width, box.height],
          [there.width, there.height],
        ],
        out,
      },
    ];
  }

  /** The empty band between translation and sources, along which the pairs of patches stand. */
  private gutter(frame: DOMRect, beside: boolean): { at: number; from: number; to: number } {
    const [here, there] = [this.translation.el.getBoundingClientRect(), this.sources.el.getBoundingClientRect()];
    if (beside) return { at: (here.right + there.left) / 2 - frame.left, from: HEAD, to: frame.height };
    return { at: (here.bottom + there.top) / 2 - frame.top, from: 0, to: frame.width };
  }

  private curve({ place, start, middle, end, sizes, out }: Route, beside: boolean): void {
    const { scene } = this.session;
    const colour = scene.winnerColour(place);
    const path = `M${start}C${bend(start, middle, beside)}C${bend(middle, end, beside)}`;
    this.lines.append(svg("path", { d: path, class: "kt-under" }), svg("path", { d: path, stroke: colour }));
    const marked = out
      ? ([[start, sizes[0]]] as const)
      : ([
          [start, sizes[0]],
          [end, sizes[1]],
        ] as const);
    for (const [[x, y], size] of marked) {
      const [width, height] = size.map((side) => Math.max(6, side));
      const box = { x: x - width / 2, y: y - height / 2, width, height };
      this.lines.append(svg("rect", { ...box, class: "kt-under" }), svg("rect", { ...box, stroke: colour }));
    }
    const pair = h("div", { class: "kt-middle" }, queryPatch(scene, place, SIDE), winnerPatch(scene, place, SIDE));
    pair.style.borderColor = colour;
    [pair.style.left, pair.style.top] = [`${middle[0]}px`, `${middle[1]}px`];
    this.el.append(pair);
  }
}

/** The same routes with their middles in the gutter, in the order of their ends, none over another. */
export function inTheGutter(
  routes: Route[],
  gutter: { at: number; from: number; to: number },
  beside: boolean,
): Route[] {
  const along = beside ? 1 : 0;
  const room = beside ? SIDE + 10 : 2 * SIDE + 12;
  const wanted = (route: Route) => (route.start[along] + route.end[along]) / 2;
  const fit = Math.max(1, Math.floor((gutter.to - gutter.from) / room));
  const sorted = routes.slice(0, fit).sort((one, other) => wanted(one) - wanted(other));
  let last = gutter.from - room / 2;
  const places = sorted.map((route) => (last = Math.max(last + room, wanted(route))));
  // What was pushed beyond the end moves back, and pushes those before it.
  let next = gutter.to + room / 2;
  for (let n = places.length - 1; n >= 0; n--) next = places[n] = Math.min(next - room, places[n]);
  return sorted.map((route, n) => ({ ...route, middle: beside ? [gutter.at, places[n]] : [places[n], gutter.at] }));
}
