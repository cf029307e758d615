// The translation view: canvas and output with overlays, hover, regions, zoom; and what a counterfactual changed.

import { select } from "d3-selection";
import { type ZoomBehavior, type ZoomTransform, zoom, zoomIdentity } from "d3-zoom";
import { asCanvas, h, setChildren } from "../core/dom";
import { grey, scaleBar } from "../core/scale";
import { Heirs } from "../core/comparison";
import type { SourcesView } from "./sources";
import { arrange, type Sides } from "./translation/arrange";
import { Curves } from "./translation/curves";
import { HoverCard } from "./translation/hovercard";
import { legendOf } from "./translation/legend";
import { paintLit, paintOverlay, paintSpotlight } from "./translation/overlay";
import { Pane, type Shown } from "./translation/pane";
import { moveFocus } from "./translation/keyboard";
import { toolbar } from "./translation/toolbar";
import type { Drawn, Panel } from "../core/panel";
import { boxFrom, type Canvas, type Scene } from "../core/scene";
import type { Session } from "../core/session";
import { anyOf, type Changed } from "../core/store";

/** The picture in which the queries lie, and the one that the retrievals paint. */
export const translation: Panel = {
  name: "translation",
  needs: "sources", // the curves end there
  draw: (session) => new TranslationView(session),
};

const MOST_ZOOM = 60;
const CLICK_PX = 4;
/** Measures of hovering that are kept at most. */
const MOST_MEASURES = 1000;
/** So many retrievals are outlined; more are shown by darkening the rest. */
const FEW = 8;
/** Px between pictures, above each, and between them and the sources beside them: there the curves run. */
const [GAP, CAPTION, GUTTER] = [8, 32, 104];
/** Px that the sources take at least, where they stand beside the pictures. */
const SOURCES = 336;
/** Parts of the window's height that all pictures take together: beside the sources, and above them. */
const [TALL, TALLER] = [0.85, 1.6];
/** And in px, where a window is very low or high. */
const [LOWEST, HIGHEST] = [480, 1040];
/** Px beside the pictures along which a finger scrolls the page. */
const RAIL = 36;
type Drag = { pane: Pane; from: [number, number]; to: [number, number]; moved: boolean; wiping: boolean };

export class TranslationView implements Drawn {
  readonly el = h("section", { class: "kt-translation", "aria-label": "Translation" });
  readonly panes: Record<"canvas" | "output" | "beside" | "difference", Pane>;
  private readonly grid = h("div", { class: "kt-panes" });
  private readonly legend = h("div", { class: "kt-legend" });
  /** For what the next click is meant. */
  private readonly asked = h("div", { class: "kt-picking", role: "status", hidden: true });
  private readonly card = new HoverCard();
  private readonly zooming: ZoomBehavior<HTMLCanvasElement, unknown>;
  private readonly heirs: HTMLElement;
  /** The part that all panes show, in parts of their sizes: they may differ. */
  private view = { k: 1, x: 0, y: 0 };
  private overlay: HTMLCanvasElement | null = null;
  private spotlight: HTMLCanvasElement | null = null;
  private drag: Drag | null = null;
  private split = 0.5;
  private moving = false;
  private hovers = 0;

  constructor(private readonly session: Session) {
    this.heirs = new Heirs(session).el;
    const { canvas, output } = session.before.about;
    const make = (picture: Canvas) => new Pane(session.before, picture);
    this.panes = { canvas: make(canvas), output: make(output), beside: make(output), difference: make(output) };
    this.zooming = zoom<HTMLCanvasElement, unknown>()
      .duration(0)
      .scaleExtent([1, MOST_ZOOM])
      .constrain(({ x, y, k }, [, [width, height]]) =>
        zoomIdentity.translate(held(x, width, k), held(y, height, k)).scale(k),
      )
      .filter((event: MouseEvent) => this.mayZoom(event));
    const panes = Object.values(this.panes);
    const zoomed = (canvas: HTMLCanvasElement, transform: ZoomTransform) =>
      this.zoomed(panes.find((pane) => pane.canvas === canvas)!, transform);
    this.zooming.on("zoom", function (event) {
      zoomed(this, event.transform);
    });
    for (const pane of panes) this.listen(pane);
    this.panes.output.caption.after(this.toolbar());
    this.el.append(this.asked, this.grid, this.legend, this.card.el);
    session.store.listen((changed) => this.update(changed));
  }

  /** Take the room there is. */
  resize(): void {
    const row = this.el.parentElement;
    if (!row?.clientWidth) return;
    const beside = !row.classList.contains("kt-alone") && row.closest(".kt-wide") !== null;
    const panes = this.visible();
    const { columns, width } = arrange(
      panes.map(({ sides }) => sides),
      room(row.clientWidth, beside),
      { gap: GAP, caption: CAPTION },
    );
    this.grid.style.gridTemplateColumns = `repeat(${columns}, ${width}px)`;
    this.heirs.classList.toggle("kt-across", panes.length % columns === 0); // no room is left in the last row
    row.style.setProperty("--kt-pictures", `${columns * width + (columns - 1) * GAP}px`);
    const changed = panes.map((pane) => pane.widen(width)).includes(true);
    row.style.setProperty("--kt-tall", `${this.grid.offsetHeight}px`);
    if (changed) this.turn();
  }

  /** Draw curves to the sources. */
  join(others: ReadonlyMap<string, Drawn>, row: HTMLElement): void {
    const curves = new Curves(this.session, this, others.get("sources") as SourcesView);
    row.append(curves.el);
  }

  private toolbar(): HTMLElement {
    const output = () => select(this.panes.output.canvas);
    return toolbar(this.session, {
      move: () => this.setMoving(!this.moving),
      zoom: (factor) => this.zooming.scaleBy(output(), factor),
      fit: () => this.zooming.transform(output(), this.identity()),
      row: () => this.el.parentElement!,
    });
  }

  private identity(): ZoomTransform {
    const { transform } = this.panes.output;
    return transform.scale(1 / transform.k).translate(-transform.x, -transform.y);
  }

  private setMoving(moving: boolean): void {
    this.moving = moving;
    this.el.querySelector(".kt-move")!.setAttribute("aria-pressed", String(moving));
    this.grid.classList.toggle("kt-moving", moving);
  }

  private mayZoom(event: MouseEvent): boolean {
    // A page that is scrolled past must not zoom: the wheel zooms in a picture that has the focus, or with Ctrl.
    if (event.type === "wheel")
      return event.ctrlKey || event.metaKey || document.activeElement === event.target || this.rooted(event);
    if (event.type === "dblclick") return false;
    return (
      this.moving ||
      event.shiftKey ||
      event.button === 1 ||
      (event.type.startsWith("touch") && (event as unknown as TouchEvent).touches.length > 1)
    );
  }

  /** In a shadow root `document.activeElement` is the host. */
  private rooted(event: MouseEvent): boolean {
    const root = (event.target as Node).getRootNode() as Document | ShadowRoot;
    return root.activeElement === event.target;
  }

  private zoomed(pane: Pane, { x, y, k }: ZoomTransform): void {
    const [width, height] = pane.size;
    this.view = { k, x: x / width, y: y / height };
    this.turn();
    this.session.moved();
  }

  /** Turn all panes to the part that is shown. */
  private turn(): void {
    const { k, x, y } = this.view;
    for (const pane of Object.values(this.panes)) {
      const [width, height] = pane.size;
      pane.transform = zoomIdentity.translate(x * width, y * height).scale(k);
      // Each canvas must know it, or the next gesture there would start from an old one.
      (pane.canvas as HTMLCanvasElement & { __zoom: ZoomTransform }).__zoom = pane.transform;
    }
    this.draw();
  }

  private listen(pane: Pane): void {
    select(pane.canvas).call(this.zooming);
    const at = (event: PointerEvent): [number, number] => {
      const box = pane.canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    pane.canvas.addEventListener("pointermove", (event) => this.moved(pane, at(event), event));
    pane.canvas.addEventListener("pointerleave", () => this.session.store.set({ hover: -1, hoverSource: -1 }));
    pane.canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || this.moving || event.shiftKey) return;
      const from = at(event);
      const wiping = this.session.state.wipe && Math.abs(from[0] - this.split * pane.size[0]) < 14;
      this.drag = { pane, from, to: from, moved: false, wiping };
      pane.canvas.setPointerCapture(event.pointerId);
    });
    pane.canvas.addEventListener("pointerup", (event) => this.released(event));
    pane.canvas.addEventListener("pointercancel", () => {
      this.drag = null;
      this.draw();
    });
    pane.canvas.addEventListener("keydown", (event) => this.pressed(event));
  }

  private moved(pane: Pane, at: [number, number], event: PointerEvent): void {
    const start = performance.now();
    if (this.drag) {
      this.dragged(at);
      return;
    }
    const scene = this.under(pane, at);
    const place = this.session.cells.at(...pane.toImage(...at));
    if (place !== this.session.state.hover) {
      this.session.store.set({ hover: place, hoverSource: place < 0 ? -1 : scene.winnerSource(place) });
      this.draw(); // at once, not with the next frame: the highlight must not lag
    }
    this.card.show(scene, place, event);
    if (++this.hovers % MOST_MEASURES === 0) performance.clearMeasures("ktviz-hover");
    performance.measure("ktviz-hover", { start, end: performance.now() });
  }

  /** The scene of the picture under the pointer: left of the wipe is that of the other trace. */
  private under(pane: Pane, at: [number, number]): Scene {
    const { state, scene, other } = this.session;
    const aside = state.wipe && pane === this.panes.output && at[0] < this.split * pane.size[0];
    return (aside && !this.beside && other) || scene;
  }

  private dragged(at: [number, number]): void {
    const drag = this.drag!;
    drag.to = at;
    drag.moved ||= Math.hypot(at[0] - drag.from[0], at[1] - drag.from[1]) > CLICK_PX;
    if (drag.wiping) this.split = Math.min(1, Math.max(0, at[0] / drag.pane.size[0]));
    this.card.hide();
    this.draw();
  }

  private released(event: PointerEvent): void {
    const drag = this.drag;
    this.drag = null;
    if (!drag || drag.wiping) return;
    const [from, to] = [drag.pane.toImage(...drag.from), drag.pane.toImage(...drag.to)];
    if (drag.moved) return this.session.selectBox(...from, ...to);
    const place = this.session.cells.at(...to);
    this.session.selectPlace(place);
    // A finger cannot hover: a tap tells what is under it.
    if (event.pointerType !== "mouse") this.card.show(this.under(drag.pane, drag.to), place, event);
  }

  private pressed(event: KeyboardEvent): void {
    const { session } = this;
    const canvas = select(this.panes.output.canvas);
    if (event.key === "Escape") session.clear();
    else if (event.key === "+" || event.key === "=") this.zooming.scaleBy(canvas, 2);
    else if (event.key === "-") this.zooming.scaleBy(canvas, 0.5);
    else if (event.key === "0") this.zooming.transform(canvas, this.identity());
    else if ((event.key === "ArrowLeft" || event.key === "ArrowRight") && event.altKey && session.state.wipe) {
      this.split = Math.min(1, Math.max(0, this.split + (event.key === "ArrowRight" ? 0.05 : -0.05)));
      this.draw();
    } else if (!moveFocus(session, event)) return;
    event.preventDefault();
    event.stopPropagation(); // notebooks have keys of their own
  }

  /** What is shown beside input and output. */
  private get beside(): { name: string; title: string } | undefined {
    const { scene, state } = this.session;
    return scene.about.beside.find(({ name }) => name === state.beside);
  }

  private visible(): Pane[] {
    const { wipe, after, inputs } = this.session.state;
    const { canvas, output, beside, difference } = this.panes;
    if (wipe) return [output];
    return [...(inputs ? [canvas] : []), ...(this.beside ? [beside] : []), output, ...(after ? [difference] : [])];
  }

  private update(changed: Changed): void {
    const { state, scene, cells } = this.session;
    if (anyOf(changed, "wipe", "showing", "beside", "inputs")) {
      setChildren(this.grid, [...this.visible().map((pane) => pane.el), ...(state.after ? [this.heirs] : [])]);
      this.caption();
      this.resize();
    }
    if (anyOf(changed, "overlay", "whole", "colours")) {
      const image = paintOverlay(scene, cells, state.overlay, state.whole);
      this.overlay = image && asCanvas(image);
      this.legend.replaceChildren(...legendOf(this.session));
    }
    if (changed.has("picked") || changed.has("selected") || changed.has("lit")) {
      const some = state.selected.kind === "source" || (state.selected.kind === "queries" && state.picked.length > FEW);
      const found = some ? paintSpotlight(scene, cells, state.picked) : null;
      const image = state.lit ? paintLit(cells, state.lit) : found;
      this.spotlight = image && asCanvas(image);
    }
    if (changed.has("hover") && state.hover < 0) this.card.hide();
    if (changed.has("picking")) {
      this.asked.textContent = state.picking;
      this.asked.hidden = !state.picking;
      if (state.picking) this.el.scrollIntoView({ block: "nearest" });
      this.session.moved();
    }
    const [often, seldom] = [
      ["focus", "hover", "hoverSource", "lit"] as const,
      ["overlay", "whole", "wipe", "beside"] as const,
    ];
    if (anyOf(changed, ...often, ...seldom, "picked", "selected", "colours")) this.draw();
  }

  private caption(): void {
    const { state, scene, other } = this.session;
    const { canvas, output } = scene.about;
    const alike = canvas.width === output.width && canvas.height === output.height;
    const size = ({ width, height, shrunk }: Canvas) =>
      (alike ? "" : `, ${width} × ${height} px`) + (shrunk ? " (shown smaller)" : "");
    const called = (one: Scene | null) =>
      !one ? canvas.title : output.title + (state.after ? (one === state.after ? " after" : " before") : "");
    const names = {
      canvas: canvas.title,
      output: state.wipe ? `${this.beside?.title ?? called(other)} | ${called(scene)}` : called(scene),
      beside: this.beside?.title ?? "",
      difference: "Difference",
    };
    const more = { canvas: size(canvas), output: size(output), beside: "", difference: "" };
    const most = (255 / (state.after?.about.comparison?.gain ?? 1)).toFixed(0);
    const scale = h("span", { class: "kt-key" }, " 0", scaleBar("0", most, grey), `≥ ${most} levels`);
    for (const name of Object.keys(names) as (keyof typeof names)[]) {
      this.panes[name].caption.replaceChildren(names[name] + more[name], ...(name === "difference" ? [scale] : []));
      this.panes[name].canvas.setAttribute(
        "aria-label",
        `${names[name]}. Arrow keys move, Enter selects, plus and minus zoom.`,
      );
    }
  }

  private draw(): void {
    const { state, scene, other } = this.session;
    const shown = this.shown();
    const { canvas, output } = scene;
    const beside = this.beside && scene.picture(`canvas/${this.beside.name}`);
    const aside = state.wipe ? { other: beside ?? (other ? other.output : canvas), split: this.split } : {};
    this.panes.canvas.draw({ ...shown, picture: canvas, overlay: null, borders: scene.regions?.borders ?? null });
    this.panes.output.draw({ ...shown, picture: output, ...aside });
    if (beside) this.panes.beside.draw({ ...shown, picture: beside, overlay: null });
    if (!state.after) return;
    this.panes.difference.draw({
      ...shown,
      picture: state.after.picture("difference"),
      overlay: null,
      spotlight: null,
    });
  }

  private shown(): Shown {
    const { state, scene } = this.session;
    const { selected, hover, focus } = state;
    const outline = (place: number, colour: string) => ({
      box: scene.boxOf(place),
      path: scene.outlineOf(place),
      colour,
      width: 2,
    });
    const outlines = [];
    // Ends of curves mark boxes, but cannot go around regions.
    if (state.picked.length <= FEW && (selected.kind === "queries" || scene.regions))
      for (const place of state.picked) outlines.push(outline(place, scene.winnerColour(place)));
    if (focus >= 0) outlines.push(outline(focus, scene.winnerColour(focus)));
    if (hover >= 0) outlines.push(outline(hover, "#fff"));
    const region = selected.kind === "region" ? boxFrom(selected.box) : null;
    return {
      picture: null,
      overlay: this.overlay,
      outlines,
      region: this.dragBox() ?? region,
      spotlight: this.spotlight,
    };
  }

  private dragBox() {
    const drag = this.drag;
    if (!drag?.moved || drag.wiping) return null;
    const [from, to] = [drag.pane.toImage(...drag.from), drag.pane.toImage(...drag.to)];
    const [x, y] = [Math.min(from[0], to[0]), Math.min(from[1], to[1])];
    return { x, y, width: Math.abs(from[0] - to[0]), height: Math.abs(from[1] - to[1]) };
  }
}

/** The room of all pictures together, in px of the screen. */
function room(width: number, beside: boolean): Sides {
  const rail = matchMedia("(pointer: coarse)").matches ? RAIL : 0;
  const free = beside ? width - GUTTER - SOURCES : width - rail;
  return {
    width: free,
    height: beside ? Math.min(HIGHEST, Math.max(LOWEST, TALL * innerHeight)) : TALLER * innerHeight,
  };
}

/** How far a picture lies to the left of its pane, or above it, magnified `k` times: never so that there is a gap. */
function held(at: number, size: number, k: number): number {
  return Math.min(0, Math.max(size * (1 - k), at));
}
