// The plane: density when far, points when nearer, pictures when near. Only what is seen is drawn, once a frame.

import { select } from "d3-selection";
import { type ZoomBehavior, type ZoomTransform, zoom, zoomIdentity } from "d3-zoom";
import { button, fitCanvas, h } from "../core/dom";
import { Packed } from "../core/packed";
import { strokeTwice } from "../core/patches";
import type { Ask } from "./ask";
import { colourOf, type MapScene, type Neighbour } from "./scene";
import { Thumbs } from "./thumbs";
import { type Tile, Tiles } from "./tiles";

/** Px of the screen along a tile, at which the next level is taken. */
const TILE_PX = 300;
/** Points on the screen up to which pictures are drawn. */
const FEW = 150;
const CLICK_PX = 4;
/** How near a click must be to a point, in px. */
const NEAR_PX = 12;
const POINT_PX = 3;

/** A point on the screen. */
interface OnScreen {
  x: number;
  y: number;
  number: number;
  group: number;
}
type Marks = { place: Float32Array; times: Int32Array; number: Int32Array };

export class MapView {
  readonly canvas = h("canvas", { class: "kt-mapcanvas", tabindex: 0, role: "application" });
  readonly el: HTMLElement;
  private readonly note = h("div", { class: "kt-mapnote kt-faint", role: "status" });
  private readonly tiles: Tiles;
  private readonly thumbs: Thumbs;
  private readonly zooming: ZoomBehavior<HTMLCanvasElement, unknown>;
  private transform: ZoomTransform = zoomIdentity;
  private marks: Marks | null = null;
  private near: readonly Neighbour[] = [];
  private selected = -1;
  private chosen: [number, number] | null = null;
  private seen: OnScreen[] = [];
  private scheduled = false;
  private side = 0;

  constructor(
    private readonly scene: MapScene,
    ask: Ask,
    private readonly onChoose: (entry: number) => void,
  ) {
    this.tiles = new Tiles(ask, () => this.later());
    this.thumbs = new Thumbs(ask, () => this.later());
    this.zooming = zoom<HTMLCanvasElement, unknown>()
      .duration(0)
      .scaleExtent([1, Math.max(16, 2 * Math.sqrt(scene.count))])
      .clickDistance(CLICK_PX)
      .on("zoom", ({ transform }) => {
        this.transform = transform;
        this.later();
      });
    const by = (factor: number) => this.zooming.scaleBy(select(this.canvas), factor);
    const tools = h(
      "div",
      { class: "kt-maptools" },
      button("−", () => by(0.5), { "aria-label": "Zoom out" }),
      button("+", () => by(2), { "aria-label": "Zoom in" }),
      button("Fit", () => this.zooming.transform(select(this.canvas), zoomIdentity), {
        "aria-label": "Fit the whole map",
      }),
    );
    this.canvas.setAttribute(
      "aria-label",
      `Map of ${scene.count} ${scene.what}. Arrow keys move, plus and minus zoom, Enter selects the one in the middle.`,
    );
    this.el = h("div", { class: "kt-mapplane" }, this.canvas, tools, this.note);
    select(this.canvas).call(this.zooming).on("dblclick.zoom", null);
    this.canvas.addEventListener("click", (event) => this.clicked(event));
    this.canvas.addEventListener("keydown", (event) => this.pressed(event));
  }

  /** Follow the room there is; returns what ends it. */
  start(): () => void {
    const watcher = new ResizeObserver(() => this.resize());
    watcher.observe(this.el);
    return () => watcher.disconnect();
  }

  only(group: number | null): void {
    this.tiles.only(group);
  }

  mark(bytes: DataView | undefined): void {
    if (!bytes?.byteLength) return;
    const packed = Packed.read(bytes);
    const { length } = packed.column<Int32Array>("number");
    this.marks = length
      ? { place: packed.column("place"), times: packed.column("times"), number: packed.column("number") }
      : null;
    this.later();
  }

  select(entry: number): void {
    this.selected = entry;
    if (entry < 0) [this.chosen, this.near] = [null, []];
    this.later();
  }

  /** Show the selected entry at its place, and what is near it. */
  point({ place, near }: { place: [number, number] | null; near: readonly Neighbour[] }): void {
    this.chosen = place;
    this.near = near;
    this.later();
  }

  private resize(): void {
    const side = Math.round(Math.min(this.el.clientWidth, Math.max(320, 0.8 * innerHeight)));
    if (side === this.side || side < 1) return;
    const { x, y, k } = this.transform;
    const grown = side / (this.side || side);
    this.side = side;
    [this.canvas.style.width, this.canvas.style.height] = [`${side}px`, `${side}px`];
    const extent: [[number, number], [number, number]] = [
      [0, 0],
      [side, side],
    ];
    this.zooming.extent(extent).translateExtent(extent);
    this.zooming.transform(select(this.canvas), zoomIdentity.translate(x * grown, y * grown).scale(k));
    this.later();
  }

  private later(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      const start = performance.now();
      this.draw();
      performance.measure("ktviz-map-frame", { start, end: performance.now() });
    });
  }

  /** A place of the plane on the screen. */
  private onScreen(x: number, y: number): [number, number] {
    const { k, x: left, y: top } = this.transform;
    return [x * this.side * k + left, y * this.side * k + top];
  }

  private draw(): void {
    if (!this.side) return;
    const context = fitCanvas(this.canvas, this.side, this.side);
    context.clearRect(0, 0, this.side, this.side);
    this.seen = [];
    const level = this.level();
    for (const [x, y] of this.visible(level)) this.drawTile(context, level, x, y);
    this.drawPoints(context);
    this.drawMarks(context);
    this.drawNear(context);
    this.say();
  }

  private level(): number {
    const level = Math.floor(Math.log2((this.transform.k * this.side) / TILE_PX));
    return Math.min(this.scene.deepest, Math.max(0, level));
  }

  /** The tiles of a level that are on the screen. */
  private visible(level: number): [number, number][] {
    const { k, x, y } = this.transform;
    const count = 2 ** level;
    const range = (offset: number): [number, number] => [
      Math.max(0, Math.floor((-offset / (k * this.side)) * count)),
      Math.min(count - 1, Math.floor(((this.side - offset) / (k * this.side)) * count)),
    ];
    const [[left, right], [top, bottom]] = [range(x), range(y)];
    const found: [number, number][] = [];
    for (let row = top; row <= bottom; row++)
      for (let column = left; column <= right; column++) found.push([column, row]);
    return found;
  }

  /** A tile, or, until it comes, its part of one above. */
  private drawTile(context: CanvasRenderingContext2D, level: number, x: number, y: number): void {
    for (let up = 0; up <= level; up++) {
      const [column, row] = [x >> up, y >> up];
      const tile = this.tiles.get(level - up, column, row);
      if (!tile) continue;
      if (tile.bins) this.drawBins(context, tile.bins, level, x, y, up);
      else this.collect(tile, level - up, column, row, level, x, y);
      return;
    }
  }

  private drawBins(
    context: CanvasRenderingContext2D,
    bins: HTMLCanvasElement,
    level: number,
    x: number,
    y: number,
    up: number,
  ) {
    const [left, top] = this.onScreen(x / 2 ** level, y / 2 ** level);
    const side = (this.transform.k * this.side) / 2 ** level;
    const part = bins.width / 2 ** up;
    const inside = (at: number) => (at % 2 ** up) * part;
    context.imageSmoothingEnabled = false;
    context.drawImage(bins, inside(x), inside(y), part, part, left, top, side + 0.5, side + 0.5);
  }

  /** The points of a tile that lie in a smaller one. */
  private collect(tile: Tile, level: number, column: number, row: number, inner: number, x: number, y: number): void {
    const [wide, narrow] = [2 ** level, 2 ** inner];
    for (let n = 0; n < tile.group.length; n++) {
      const [px, py] = [(column + tile.x[n]) / wide, (row + tile.y[n]) / wide];
      if (level !== inner && (Math.floor(px * narrow) !== x || Math.floor(py * narrow) !== y)) continue;
      const [sx, sy] = this.onScreen(px, py);
      if (sx < -20 || sy < -20 || sx > this.side + 20 || sy > this.side + 20) continue;
      this.seen.push({ x: sx, y: sy, number: tile.number[n], group: tile.group[n] });
    }
  }

  private drawPoints(context: CanvasRenderingContext2D): void {
    const near = this.seen.length > 0 && this.seen.length <= FEW;
    if (near) this.thumbs.want(this.seen.map(({ number }) => number));
    const by = new Map<number, OnScreen[]>();
    for (const one of this.seen) {
      const thumb = near && this.thumbs.get(one.number);
      if (thumb) this.drawThumb(context, one, thumb);
      else by.set(one.group, [...(by.get(one.group) ?? []), one]);
    }
    for (const [group, points] of by) {
      context.fillStyle = colourOf(group);
      for (const { x, y } of points) context.fillRect(x - POINT_PX / 2, y - POINT_PX / 2, POINT_PX, POINT_PX);
    }
  }

  private drawThumb(
    context: CanvasRenderingContext2D,
    { x, y, group }: OnScreen,
    thumb: { sheet: ImageBitmap; row: number },
  ) {
    const { side } = this.thumbs;
    context.drawImage(thumb.sheet, 0, thumb.row * side, side, side, x - side / 2, y - side / 2, side, side);
    context.strokeStyle = colourOf(group);
    context.lineWidth = 2;
    context.strokeRect(x - side / 2, y - side / 2, side, side);
  }

  private drawMarks(context: CanvasRenderingContext2D): void {
    if (!this.marks) return;
    const { place, times } = this.marks;
    context.lineWidth = 1;
    context.globalAlpha = 0.55;
    context.strokeStyle = getComputedStyle(this.el).color;
    context.beginPath();
    for (let n = 0; n < times.length; n++) {
      const [x, y] = this.onScreen(place[2 * n], place[2 * n + 1]);
      if (x < 0 || y < 0 || x > this.side || y > this.side) continue;
      const radius = 1.5 * Math.sqrt(times[n]) + Math.min(3, Math.log2(this.transform.k));
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 2 * Math.PI);
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  private drawNear(context: CanvasRenderingContext2D): void {
    const ring = (place: [number, number], colour: string, radius: number) => {
      const [x, y] = this.onScreen(...place);
      strokeTwice(context, colour, 2, () => {
        context.beginPath();
        context.arc(x, y, radius, 0, 2 * Math.PI);
        context.stroke();
      });
      return [x, y];
    };
    const accent = getComputedStyle(this.el).getPropertyValue("--kt-accent");
    for (const { place } of this.near) {
      const [x, y] = ring(place, accent, 6);
      if (!this.chosen) continue;
      const [from, to] = this.onScreen(...this.chosen);
      strokeTwice(context, accent, 1, () => {
        context.beginPath();
        context.moveTo(from, to);
        context.lineTo(x, y);
        context.stroke();
      });
    }
    if (this.chosen) ring(this.chosen, "#fff", 9);
  }

  private say(): void {
    const { k } = this.transform;
    const near = this.seen.length;
    const far = near ? `${near.toLocaleString("en-US")} ${this.scene.what} here` : "Zoom in to see single ones";
    const marks = this.marks ? `; circles: what ${this.scene.traced ? "the translation took" : "is marked"}` : "";
    const text = `${k < 10 ? k.toFixed(1) : Math.round(k)}×: ${far}${marks}`;
    if (this.note.textContent !== text) this.note.textContent = text;
  }

  private clicked(event: MouseEvent): void {
    const box = this.canvas.getBoundingClientRect();
    this.choose(event.clientX - box.left, event.clientY - box.top, Math.max(NEAR_PX, this.thumbsNear() ? 16 : 0));
  }

  private thumbsNear(): boolean {
    return this.seen.length <= FEW;
  }

  /** Select the point nearest to a place of the screen; nearer, if there are only bins. */
  private choose(x: number, y: number, within: number): void {
    let [best, least] = [-1, within];
    for (const one of this.seen) {
      const distance = Math.hypot(one.x - x, one.y - y);
      if (distance <= least) [best, least] = [one.number, distance];
    }
    if (best >= 0) this.onChoose(best === this.selected ? -1 : best);
    else if (!this.seen.length) this.zooming.scaleBy(select(this.canvas), 4, [x, y]);
  }

  private pressed(event: KeyboardEvent): void {
    const step = (0.1 * this.side) / this.transform.k;
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [step, 0],
      ArrowRight: [-step, 0],
      ArrowUp: [0, step],
      ArrowDown: [0, -step],
    };
    const canvas = select(this.canvas);
    if (moves[event.key]) this.zooming.translateBy(canvas, ...moves[event.key]);
    else if (event.key === "+" || event.key === "=") this.zooming.scaleBy(canvas, 2);
    else if (event.key === "-") this.zooming.scaleBy(canvas, 0.5);
    else if (event.key === "0") this.zooming.transform(canvas, zoomIdentity);
    else if (event.key === "Enter") this.choose(this.side / 2, this.side / 2, this.side);
    else if (event.key === "Escape") this.onChoose(-1);
    else return;
    event.preventDefault();
    event.stopPropagation(); // notebooks have keys of their own
  }
}
