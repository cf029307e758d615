// Reuse: how much each cell of the source feeds in all, as a map over it, and the cells that feed most.

import { cividis } from "../core/colours";
import { asCanvas, count, fitCanvas, h, percent, words } from "../core/dom";
import { Feeding, total } from "../core/feeding";
import type { Drawn, Panel } from "../core/panel";
import { sourcePatch, strokeTwice } from "../core/patches";
import { scaleBar } from "../core/scale";
import type { Scene } from "../core/scene";
import type { Session } from "../core/session";
import type { Changed } from "../core/store";

/** How often cells of the source are used. */
export const reuse: Panel = {
  name: "reuse",
  needs: "translation", // the cells that are fed are lit there
  draw: (session) => new ReuseView(session),
};

const MOST = 12;
const SIDE = 44;
const TALLEST = 420;
const MAP_ALPHA = 0.78;
/** Below so many fed retrievals a cell counts as unused. */
export const UNUSED = 0.01;

export class ReuseView implements Drawn {
  readonly el = h("section", { class: "kt-reuse", "aria-label": "Reuse" });
  private readonly canvas = h("canvas", { class: "kt-picture", role: "img" });
  private readonly frame = h("div", { class: "kt-frame" }, this.canvas);
  private readonly legend = h("div", { class: "kt-legend" });
  private readonly list = h("ol", { class: "kt-fed" });
  private readonly told = h("p", { class: "kt-faint kt-note", role: "status" });
  private readonly heading = h("h3");
  private readonly rows = new Map<number, HTMLElement>();
  private map: HTMLCanvasElement | null = null;
  private feeding: Feeding | null = null;
  /** Cells that are lit: the one under the pointer, and the one that was clicked. */
  private hover = -1;
  private held = -1;

  constructor(private readonly session: Session) {
    const body = h("div", { class: "kt-reusebody" }, h("div", {}, this.frame, this.legend, this.told), this.list);
    this.el.append(h("header", {}, this.heading), body);
    this.canvas.addEventListener("pointermove", (event) => this.point(this.entryAt(event)));
    this.canvas.addEventListener("pointerleave", () => this.point(-1));
    this.canvas.addEventListener("click", (event) => this.hold(this.entryAt(event)));
    session.store.listen((changed) => this.update(changed));
  }

  resize(): void {
    this.draw();
  }

  private get scene(): Scene {
    return this.session.scene;
  }

  private get fed(): Float32Array | null {
    return this.scene.about.cells ? this.scene.column<Float32Array>("fed") : null;
  }

  private update(changed: Changed): void {
    if (changed.has("showing")) this.begin();
    if (changed.has("selected") && this.session.state.selected.kind === "none" && this.held >= 0) this.hold(-1);
    if (["showing", "hover", "focus", "pictures"].some((name) => changed.has(name as "hover"))) this.draw();
    if (changed.has("pictures")) this.fill();
  }

  /** Another trace: other parts. */
  private begin(): void {
    const { cells, sources, can } = this.scene.about;
    [this.hover, this.held] = [-1, -1];
    const fed = this.fed;
    this.heading.textContent = "Reuse";
    if (!cells || !fed) {
      this.told.textContent = "These candidates are not cells of one source that are mixed.";
      return;
    }
    this.heading.replaceChildren("Reuse of ", words(sources[cells.source].title));
    this.feeding = new Feeding(this.scene, fed.length);
    const most = fed.reduce((one, other) => Math.max(one, other), 0);
    this.map = asCanvas(reuseMap(fed, cells.columns, most));
    const unused = fed.reduce((sum, value) => sum + Number(value < UNUSED), 0) / fed.length;
    const [low, high] = [`≤ ${UNUSED}`, cellsIn(most)];
    this.legend.replaceChildren(
      h(
        "span",
        {},
        `Cells of the output that each cell feeds${can.reuse ? " in all" : ", as far as recorded"}, log scale`,
      ),
      h("span", { class: "kt-key" }, low, scaleBar(low, high), high),
      h("span", {}, `${percent(unused)} feed less than ${UNUSED}`),
    );
    this.fill();
    this.tell();
    void this.session.loadPictures([cells.source]);
  }

  private fill(): void {
    const { fed, scene } = this;
    if (!fed) return;
    this.rows.clear();
    const most = mostFed(fed, MOST);
    for (const entry of most) this.rows.set(entry, this.row(entry, fed[entry] / fed[most[0]]));
    this.list.replaceChildren(...[...this.rows.values()].map((row) => h("li", {}, row)));
    this.canvas.setAttribute("aria-label", `Map over ${scene.about.sources[scene.about.cells!.source].title}`);
    this.light();
  }

  private row(entry: number, part: number): HTMLElement {
    const { scene } = this;
    const box = scene.cellBox(entry)!;
    const bar = h("i");
    bar.style.width = `${100 * part}%`;
    const text = h(
      "span",
      {},
      h("b", {}, cellsIn(this.fed![entry])),
      h("span", { class: "kt-faint" }, `x ${box.x}, y ${box.y}`),
    );
    const row = h(
      "button",
      { type: "button", class: "kt-cell", "aria-pressed": "false", onclick: () => this.hold(entry) },
      sourcePatch(scene, scene.about.cells!.source, box, SIDE),
      text,
      h("span", { class: "kt-bar" }, bar),
    );
    for (const name of ["pointerenter", "focus"]) row.addEventListener(name, () => this.point(entry));
    for (const name of ["pointerleave", "blur"]) row.addEventListener(name, () => this.point(-1));
    return row;
  }

  private entryAt(event: MouseEvent): number {
    const { cells, sources } = this.scene.about;
    if (!cells || !this.fed) return -1;
    const box = this.canvas.getBoundingClientRect();
    const { width, height } = sources[cells.source];
    const x = Math.floor((((event.clientX - box.left) / box.width) * width!) / cells.across);
    const y = Math.floor((((event.clientY - box.top) / box.height) * height!) / cells.down);
    return x >= 0 && y >= 0 && x < cells.columns && y < cells.rows ? y * cells.columns + x : -1;
  }

  private point(entry: number): void {
    if (entry === this.hover) return;
    this.hover = entry;
    this.light();
  }

  private hold(entry: number): void {
    this.held = entry === this.held ? -1 : entry;
    this.light();
  }

  /** Light what the cell under the pointer feeds, or else the one that is held. */
  private light(): void {
    const entry = this.hover >= 0 ? this.hover : this.held;
    const lit = entry < 0 || !this.feeding ? null : relative(this.feeding.of(entry));
    if (lit || this.session.state.lit) this.session.store.set({ lit });
    for (const [one, row] of this.rows) {
      row.setAttribute("aria-pressed", String(one === this.held));
      row.classList.toggle("kt-hovered", one === entry);
    }
    this.draw();
    this.tell();
  }

  private tell(): void {
    const entry = this.hover >= 0 ? this.hover : this.held;
    if (!this.fed) return;
    if (entry < 0 || !this.feeding) {
      this.told.textContent =
        "Point at a cell to light what it feeds. Click to keep it lit. Orange frames: cells that the retrieval in focus mixes.";
      return;
    }
    const { x, y } = this.scene.cellBox(entry)!;
    this.told.textContent = told(this.feeding.of(entry), this.fed[entry], this.scene.about.can.reuse, [x, y]);
  }

  private draw(): void {
    const { scene, fed, map } = this;
    const { cells, sources } = scene.about;
    const room = this.frame.clientWidth;
    this.frame.hidden = this.legend.hidden = this.list.hidden = !fed;
    if (!cells || !fed || !map || !room) return;
    const about = sources[cells.source];
    const scale = Math.min(room / about.width!, TALLEST / about.height!);
    const [width, height] = [about.width! * scale, about.height! * scale].map(Math.round);
    [this.canvas.style.width, this.canvas.style.height] = [`${width}px`, `${height}px`];
    const context = fitCanvas(this.canvas, width, height);
    const picture = scene.pictureOf(cells.source);
    if (picture) context.drawImage(picture, 0, 0, width, height);
    context.globalAlpha = MAP_ALPHA;
    context.imageSmoothingEnabled = false;
    context.drawImage(map, 0, 0, cells.columns * cells.across * scale, cells.rows * cells.down * scale);
    context.globalAlpha = 1;
    const { hover, focus } = this.session.state;
    this.mark(context, hover >= 0 ? hover : focus, scale);
    const entry = this.hover >= 0 ? this.hover : this.held;
    if (entry >= 0) this.frameCell(context, entry, scale, "#fff", 2.5);
  }

  /** The cells that a retrieval mixes, the clearer the larger their part. */
  private mark(context: CanvasRenderingContext2D, place: number, scale: number): void {
    if (place < 0) return;
    const { k, entry, weight } = this.scene.fed;
    for (let slot = (place + 1) * k - 1; slot >= place * k; slot--) {
      if (entry[slot] < 0) continue;
      context.globalAlpha = 0.4 + 0.6 * (weight ? weight[slot] / Math.max(weight[place * k], 1e-9) : 1);
      this.frameCell(context, entry[slot], scale, "#E69F00", 1.5);
    }
    context.globalAlpha = 1;
  }

  private frameCell(context: CanvasRenderingContext2D, entry: number, scale: number, colour: string, width: number) {
    const { x, y, width: across, height: down } = this.scene.cellBox(entry)!;
    strokeTwice(context, colour, width, () => context.strokeRect(x * scale, y * scale, across * scale, down * scale));
  }
}

/** The entries that feed most, the first of equals by number. */
export function mostFed(fed: Float32Array, most: number): number[] {
  return [...fed.keys()].sort((one, other) => fed[other] - fed[one] || one - other).slice(0, most);
}

/** Part of the scale, from 0 to 1, of what a cell feeds: in steps of the logarithm, from `UNUSED` to the most. */
export function shadeOf(fed: number, most: number): number {
  const span = Math.log(Math.max(most, 1) / UNUSED);
  return Math.min(1, Math.max(0, Math.log(Math.max(fed, UNUSED) / UNUSED) / span));
}

function reuseMap(fed: Float32Array, columns: number, most: number): ImageData {
  const image = new ImageData(columns, fed.length / columns);
  fed.forEach((value, cell) => {
    image.data.set(cividis(shadeOf(value, most)), 4 * cell);
    image.data[4 * cell + 3] = 255;
  });
  return image;
}

/** Parts of the largest of them: mixtures of many cells would all be dark. */
export function relative(parts: ReadonlyMap<number, number>): Map<number, number> {
  const most = Math.max(...parts.values(), 1e-9);
  return new Map([...parts].map(([place, part]) => [place, part / most]));
}

/** What a cell feeds, and how much of it the recorded candidates tell. */
export function told(
  parts: ReadonlyMap<number, number>,
  fed: number,
  whole: boolean,
  [x, y]: [number, number],
): string {
  const recorded = total(parts);
  const where = `${count(parts.size)} ${parts.size === 1 ? "place" : "places"}`;
  const lit = `in ${where}, the brightest of which takes ${percent(Math.max(0, ...parts.values()))} from it`;
  const first = `The cell at x ${x}, y ${y} feeds ${cellsIn(fed)} of the output`;
  if (!whole) return `${first}, as far as recorded, ${parts.size ? lit : "nowhere"}.`;
  const rest = `${cellsIn(Math.max(0, fed - recorded))} are left over, nobody recorded where.`;
  return `${first} in all. ${parts.size ? `Recorded are ${cellsIn(recorded)}, ${lit}; ` : ""}${rest}`;
}

function cellsIn(fed: number): string {
  return `${fed.toFixed(fed < 10 ? 2 : 1)} cells`;
}
