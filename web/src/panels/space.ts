// A space of codes: what is stored on a map, the code that was used and its neighbours; drag it, and the picture follows.

import { OTHER } from "../core/colours";
import { button, count, fitCanvas, h, percent, words } from "../core/dom";
import type { Drawn, Panel, StoredAnswers } from "../core/panel";
import { strokeTwice } from "../core/patches";
import { decodePicture, type Place } from "../core/scene";
import type { Session } from "../core/session";
import type { Changed } from "../core/store";
import { type Kept, Made } from "../core/stored";
import { Frame, type Near, type Point, Space, still, uncrowded, USED } from "./space/model";
import { explained, told } from "./space/words";

/** Stored codes on a map, and pictures of any other. */
export const space: Panel = {
  name: "space",
  draw: (session) => new SpaceView(session),
  stored: storedTiles,
};

function storedTiles(kept: Kept): StoredAnswers {
  return {
    entries: ({ entries }) => {
      const names = entries.map((entry) => `tile/${entry}`).filter((name) => kept.has(name));
      return new Made({}, Object.fromEntries(names.map((name) => [name, kept.column(name)])));
    },
  };
}

const MOST = 8;
const [SIDE, TILE, DOT, NEAR_PX] = [38, 64, 4, 14];
const [INSET, TALLEST, TALLEST_SHOT] = [34, 560, 360];
/** Steps of an arrow key, in parts of the map's width; with Shift so many of them. */
const [STEP, FAR] = [1 / 48, 5];
const STEPS: Record<string, Place> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const HINT =
  "Drag the point, or click a stored code to take all of it. Arrow keys move it, with Shift farther; Enter takes the nearest, Home goes back.";
const MISSING =
  "The picture of another code is asked of the model, which needs a running Python. Map, neighbours and distances answer here.";

export class SpaceView implements Drawn {
  readonly el = h("section", { class: "kt-space", "aria-label": "Code space" });
  private readonly heading = h("h3");
  private readonly back = button("Back to the used code", () => this.go(USED), { class: "kt-back" });
  private readonly canvas = h("canvas", { class: "kt-map", tabindex: 0, role: "application" });
  private readonly axes = [h("span", { class: "kt-axis" }), h("span", { class: "kt-axis" })];
  private readonly frame = h("div", { class: "kt-mapframe" }, this.canvas, ...this.axes);
  private readonly said = h("p");
  private readonly legend = h("div", { class: "kt-legend" });
  private readonly note = h("p", { class: "kt-note", role: "status" });
  private readonly missing = h("p", { class: "kt-faint" }, MISSING);
  private readonly shots: Shot[];
  private readonly title = h("h4");
  private readonly list = h("ol", { class: "kt-neighbours" });
  private readonly card = h("div", { class: "kt-hovercard", hidden: true, "aria-hidden": "true" });
  private readonly body: HTMLElement;
  private space: Space | null = null;
  private colours: string[] = [];
  private map: Frame | null = null;
  /** Rows whose pictures are on the map, in the order in which they are drawn. */
  private pictured: number[] = [];
  private point: Point = USED;
  private near: Near[] = [];
  private hover = -1;
  private dragging = false;
  /** The point of which there is a picture, and whether another one is on its way. */
  private seen: Point = USED;
  private asking = false;

  constructor(private readonly session: Session) {
    this.shots = [0, 1, 2].map(() => new Shot(session.before.about.output));
    const figures = h("div", { class: "kt-shots" }, ...this.shots.map(({ el }) => el));
    const beside = h("div", {}, figures, this.missing, this.note, this.title, this.list);
    const below = h("div", { class: "kt-faint" }, this.legend, this.said, h("p", {}, HINT));
    this.body = h("div", { class: "kt-spacebody" }, this.frame, beside, below);
    this.el.append(h("header", {}, this.heading, this.back), this.body, this.card);
    this.listen();
    session.store.listen((changed) => this.update(changed));
  }

  resize(): void {
    this.lay();
  }

  private update(changed: Changed): void {
    if (changed.has("showing")) this.begin();
    if (changed.has("frozen")) void this.follow();
    if (changed.has("colours") && this.space) this.colour();
    if (changed.has("hoverSource") || changed.has("colours")) this.draw();
  }

  /** Another trace: another code was used. */
  private begin(): void {
    const { scene, before } = this.session;
    const { space: about, frozen } = scene.about;
    this.body.hidden = this.back.hidden = !about;
    this.space = about ? new Space(about, before) : null;
    if (!about) {
      this.heading.textContent = frozen
        ? "The codes are asked of the model, which is not there. Give the view model=."
        : "There is no map of codes: this system has none, or none is stored.";
      return;
    }
    this.heading.textContent = `Map of ${about.kind} codes`;
    this.canvas.setAttribute("aria-label", `Map of ${count(this.space!.count)} stored ${about.kind} codes. ${HINT}`);
    this.said.textContent = explained(this.space!);
    this.legend.replaceChildren(
      ...["the point", `used: ${about.origin}`].map((text, n) =>
        h("span", { class: "kt-key" }, h("i", { class: ["kt-dot", "kt-square"][n] }), text),
      ),
      h("span", {}, `lines: the nearest, in all ${about.used.length} numbers`),
      h("span", { hidden: !about.parts.length }, "thick frames: with a part in the used one"),
    );
    this.axes.forEach((el, n) => (el.textContent = `${["→", "↑"][n]} ${percent(about.explained[n])}`));
    this.colour();
    this.shots[0].show(scene.output, "Output, as recorded");
    this.point = this.seen = USED;
    this.go(USED);
    this.lay();
  }

  /** Stored codes have the colours of their sources. */
  private colour(): void {
    const { palette, about } = this.session.scene;
    const colours = new Map(about.sources.map(({ name }, source) => [name, palette.of(source)]));
    this.colours = this.space!.credits.map(({ source }) => colours.get(source) ?? OTHER);
  }

  // What the map shows

  private lay(): void {
    const { space: known } = this;
    const room = this.frame.clientWidth;
    if (!known || !room) return;
    const places = Array.from(known.entry, (_, row) => known.at(row));
    this.map = new Frame([...places, known.about.place], room, Math.min(room, TALLEST), INSET);
    const points = places.map((place) => this.map!.toScreen(place));
    const shown = [...known.entry.keys()].filter((row) => this.tile(row));
    const parts = known.about.parts.map(([entry]) => known.rowOf(entry)).filter((row) => row >= 0);
    this.pictured = uncrowded(points, new Set([...parts.filter((row) => this.tile(row)), ...shown]), SIDE);
    for (const shot of this.shots) shot.draw();
    this.draw();
  }

  private tile(row: number): ImageBitmap | null {
    return this.session.before.picture(`tile/${this.space!.entry[row]}`);
  }

  private draw(): void {
    const { space: known, map } = this;
    if (!known || !map) return;
    this.canvas.style.height = `${map.height}px`;
    const context = fitCanvas(this.canvas, map.width, map.height);
    const style = getComputedStyle(this.el);
    const [line, accent, paper] = ["--kt-line", "--kt-accent", "--kt-paper"].map((name) =>
      style.getPropertyValue(name),
    );
    context.clearRect(0, 0, map.width, map.height);
    const zero = map.toScreen([0, 0]);
    context.strokeStyle = line;
    context.lineWidth = 1;
    context.strokeRect(-1, Math.round(zero[1]) + 0.5, map.width + 2, map.height);
    context.strokeRect(Math.round(zero[0]) + 0.5, -1, map.width, map.height + 2);
    const [x, y] = map.toScreen(known.placeOf(this.point));
    context.strokeStyle = accent;
    context.beginPath();
    for (const { row } of this.near) {
      context.moveTo(x, y);
      context.lineTo(...map.toScreen(known.at(row)));
    }
    context.stroke();
    this.drawEntries(context);
    this.drawUsed(context, accent, paper);
    context.beginPath();
    context.arc(x, y, 9, 0, 2 * Math.PI);
    context.fillStyle = accent;
    context.fill();
    strokeTwice(context, "#fff", 2, () => context.stroke());
  }

  private drawEntries(context: CanvasRenderingContext2D): void {
    const [known, map] = [this.space!, this.map!];
    const parts = new Map(known.about.parts);
    const { sources } = this.session.scene.about;
    const pointed = sources[this.session.state.hoverSource]?.name;
    const pictured = new Set(this.pictured);
    for (let row = 0; row < known.count; row++) {
      if (pictured.has(row)) continue;
      const [x, y] = map.toScreen(known.at(row));
      context.beginPath();
      context.arc(x, y, DOT, 0, 2 * Math.PI);
      context.fillStyle = this.colours[row];
      context.fill();
    }
    context.imageSmoothingQuality = "high";
    const lit = (row: number) => row === this.hover || known.credits[row].source === pointed;
    const order = [...this.pictured].reverse();
    for (const row of [...order.filter((one) => !lit(one)), ...order.filter(lit)]) {
      const side = lit(row) ? 1.5 * SIDE : SIDE;
      const [x, y] = map.toScreen(known.at(row));
      const box = [x - side / 2, y - side / 2, side, side] as const;
      context.drawImage(this.tile(row)!, ...box);
      context.lineWidth = parts.has(known.entry[row]) ? 4 : 2;
      context.strokeStyle = this.colours[row];
      context.strokeRect(...box);
    }
  }

  private drawUsed(context: CanvasRenderingContext2D, accent: string, paper: string): void {
    const [x, y] = this.map!.toScreen(this.space!.about.place);
    context.fillStyle = paper;
    context.fillRect(x - 7, y - 7, 14, 14);
    strokeTwice(context, accent, 3, () => context.strokeRect(x - 7, y - 7, 14, 14));
  }

  // Mouse and keys

  private listen(): void {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.map) return;
      const row = this.rowAt(event);
      const [x, y] = this.map.toScreen(this.space!.placeOf(this.point));
      const onPoint = Math.hypot(event.offsetX - x, event.offsetY - y) < NEAR_PX;
      canvas.setPointerCapture(event.pointerId);
      this.dragging = onPoint || row < 0;
      if (onPoint) return;
      if (row >= 0) this.take(row);
      else this.drag(event);
    });
    canvas.addEventListener("pointermove", (event) => (this.dragging ? this.drag(event) : this.aim(event)));
    for (const name of ["pointerup", "pointercancel"])
      canvas.addEventListener(name, () => {
        this.dragging = false;
      });
    canvas.addEventListener("pointerleave", () => this.aim(null));
    canvas.addEventListener("keydown", (event) => {
      if (this.key(event)) event.preventDefault();
    });
  }

  private key({ key, shiftKey }: KeyboardEvent): boolean {
    const { map, space: known } = this;
    if (!map || !known) return false;
    if (key === "Home") this.go(USED);
    else if (key === "Enter") this.take(this.near[0].row);
    else {
      const step = STEPS[key];
      if (!step) return false;
      const far = map.width * STEP * (shiftKey ? FAR : 1);
      const [x, y] = map.toScreen(known.placeOf(this.point));
      this.bring(x + far * step[0], y + far * step[1]);
    }
    return true;
  }

  private drag(event: PointerEvent): void {
    this.aim(null);
    this.bring(event.offsetX, event.offsetY);
  }

  private bring(x: number, y: number): void {
    this.go(this.space!.broughtTo(this.point, this.map!.toPlace(x, y)));
  }

  /** All of a stored code, not only its place. */
  private take(row: number): void {
    this.go({ entry: this.space!.entry[row], moved: [0, 0] });
  }

  private rowAt({ offsetX, offsetY }: MouseEvent): number {
    const [known, map] = [this.space!, this.map!];
    const within = (row: number, side: number) => {
      const [x, y] = map.toScreen(known.at(row));
      return Math.max(Math.abs(x - offsetX), Math.abs(y - offsetY)) <= side;
    };
    const found = this.pictured.find((row) => within(row, SIDE / 2));
    return found ?? [...known.entry.keys()].find((row) => within(row, 2 * DOT)) ?? -1;
  }

  /** Point at what is under the pointer. */
  private aim(event: PointerEvent | null): void {
    const row = event && this.map ? this.rowAt(event) : -1;
    this.light(row);
    this.card.hidden = row < 0;
    if (row < 0) return;
    const { title, creator, licence } = this.space!.credits[row];
    const near = this.space!.nearest(this.point, this.space!.count).find((one) => one.row === row)!;
    this.card.replaceChildren(
      this.picture(row),
      h("div", { class: "kt-name" }, words(title)),
      ...[creator, licence].map((text) => h("div", { class: "kt-faint" }, words(text))),
      h("div", { class: "kt-faint" }, `${near.apart.toFixed(2)} from the point`),
    );
    const { left, top, width } = this.el.getBoundingClientRect();
    const [x, y] = [event!.clientX - left + NEAR_PX, event!.clientY - top + NEAR_PX];
    const over = Math.max(0, x + this.card.offsetWidth - width);
    [this.card.style.left, this.card.style.top] = [`${x - over}px`, `${y}px`];
    void this.learn([row]);
  }

  /** Light an entry here, and its source wherever it is shown. */
  private light(row: number): void {
    if (row === this.hover) return;
    this.hover = row;
    const name = this.space?.credits[row]?.source;
    const hoverSource = this.session.scene.about.sources.findIndex((source) => source.name === name);
    if (this.session.state.hoverSource !== hoverSource) this.session.store.set({ hoverSource });
    this.draw();
  }

  // What follows the point

  private go(point: Point): void {
    const known = this.space!;
    this.point = point;
    this.near = known.listed(point, MOST);
    this.back.disabled = point.entry < 0 && still(point);
    this.note.textContent = told(known, point);
    const made = point.entry < 0 && still(point) && known.about.parts.length > 0;
    this.title.textContent = made ? "Made of these, and next to them" : "Nearest stored codes: likeness, not the cause";
    this.fill();
    this.draw();
    this.session.soon("entries", () => this.learn(this.near.map(({ row }) => row)));
    void this.follow();
  }

  /** The list anew; what had the focus keeps it, or the code that was taken has it. */
  private fill(): void {
    const buttons = () => [...this.list.querySelectorAll("button")];
    const { activeElement } = this.el.getRootNode() as Document | ShadowRoot;
    const focused = buttons().findIndex((one) => one === activeElement);
    this.list.replaceChildren(...this.near.map((near) => h("li", {}, this.neighbour(near))));
    const taken = buttons().find((one) => one.ariaPressed === "true");
    if (focused >= 0) (taken ?? buttons()[focused]).focus();
  }

  private neighbour({ row, apart }: Near): HTMLElement {
    const known = this.space!;
    const { title, creator, licence } = known.credits[row];
    const part = new Map(known.about.parts).get(known.entry[row]);
    const taken = this.point.entry === known.entry[row] && still(this.point);
    const el = h(
      "button",
      {
        type: "button",
        class: "kt-cell",
        "aria-pressed": String(taken),
        title: "Take all of its code",
        onclick: () => this.take(row),
      },
      this.picture(row),
      h(
        "span",
        {},
        h("b", {}, words(title)),
        h("span", {}, `${apart.toFixed(2)} apart`),
        part !== undefined && h("span", {}, `${percent(part)} of the used one`),
        ...[creator, licence].map((text) => h("span", { class: "kt-faint" }, words(text))),
      ),
    );
    for (const name of ["pointerenter", "focus"]) el.addEventListener(name, () => this.light(row));
    for (const name of ["pointerleave", "blur"]) el.addEventListener(name, () => this.light(-1));
    return el;
  }

  private picture(row: number): HTMLCanvasElement {
    const tile = h("canvas", { class: "kt-tile", width: 96, height: 96, "aria-hidden": "true" });
    const picture = this.tile(row);
    tile.style.width = tile.style.height = `${TILE}px`;
    if (picture) tile.getContext("2d")!.drawImage(picture, 0, 0, 96, 96);
    return tile;
  }

  private async learn(rows: number[]): Promise<void> {
    const entries = rows.filter((row) => !this.tile(row)).map((row) => this.space!.entry[row]);
    if (!entries.length) return;
    const answer = await this.session.ask("entries", { entries }, entries.join());
    const names = entries.map((entry) => `tile/${entry}`).filter((name) => answer?.has(name));
    for (const name of names) await this.session.before.keep(name, answer!.column<Uint8Array>(name));
    if (names.length) this.fill();
  }

  private get live(): boolean {
    const { host, before, state } = this.session;
    return host.live && before.about.can.space && !state.frozen;
  }

  /** Ask for the picture of the point; while it is on its way, only the last of the points that come is asked for next. */
  private async follow(): Promise<void> {
    const atUsed = this.point.entry < 0 && still(this.point);
    this.missing.hidden = this.live;
    for (const shot of this.shots.slice(1)) shot.el.hidden = !this.live;
    if (atUsed) {
      this.seen = this.point;
      const { output } = this.session.scene;
      this.shots[1].show(output, "At the used code: the same");
      this.shots[2].show(null, "Difference: none");
    }
    if (this.asking || !this.live) return;
    this.asking = true;
    while (this.live && this.seen !== this.point) {
      const { point } = this;
      const answer = await this.session.ask("decode", { entry: point.entry, moved: [...point.moved] });
      if (!answer) break;
      const [made, difference] = await Promise.all(
        ["picture", "difference"].map((name) => decodePicture(answer.column<Uint8Array>(name))),
      );
      if (this.seen === this.point) break; // back at the used code
      this.seen = point;
      this.shots[1].show(made, "At the point", true);
      const levels = (answer.values.levels as number).toFixed(1);
      this.shots[2].show(difference, `Difference ×${this.space!.about.gain}: mean ${levels} of 255`, true);
    }
    this.asking = false;
  }
}

/** A picture with what it is. */
class Shot {
  private readonly canvas = h("canvas", { role: "img" });
  private readonly caption = h("figcaption");
  readonly el = h("figure", {}, h("div", { class: "kt-frame" }, this.canvas), this.caption);
  private picture: ImageBitmap | null = null;
  private own = false;

  /** @param size of what it shows; black where there is no picture */
  constructor(private readonly size: { width: number; height: number }) {}

  /** @param own whether nobody else shows the picture, so that it goes with it */
  show(picture: ImageBitmap | null, caption: string, own = false): void {
    if (this.own) this.picture?.close();
    [this.picture, this.own] = [picture, own];
    this.caption.textContent = caption;
    this.canvas.setAttribute("aria-label", caption);
    this.draw();
  }

  draw(): void {
    const room = this.el.clientWidth;
    if (!room) return;
    const { width, height } = this.picture ?? this.size;
    const scale = Math.min(room / width, TALLEST_SHOT / height);
    const size = [width, height].map((side) => Math.round(side * scale)) as [number, number];
    [this.canvas.style.width, this.canvas.style.height] = size.map((side) => `${side}px`);
    const context = fitCanvas(this.canvas, ...size);
    context.fillRect(0, 0, ...size);
    context.imageSmoothingEnabled = scale * (globalThis.devicePixelRatio || 1) < 1;
    if (this.picture) context.drawImage(this.picture, 0, 0, ...size);
  }
}
