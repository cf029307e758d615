// One picture with what lies over it. All panes of a view share one zoom.

import { zoomIdentity, type ZoomTransform } from "d3-zoom";
import { fitCanvas, h } from "../../core/dom";
import type { Box, Scene } from "../../core/scene";

const OVERLAY_ALPHA = 0.78;
const TALLEST = 720;

export interface Outline {
  box: Box;
  colour: string;
  width: number;
}

/** What a pane shows at the moment. */
export interface Shown {
  picture: ImageBitmap | null;
  /** Drawn left of `split` instead of `picture`, in wipe mode. */
  other?: ImageBitmap | null;
  split?: number;
  overlay: HTMLCanvasElement | null;
  outlines: Outline[];
  region: Box | null;
  /** Darkens everything but what is selected. */
  spotlight: HTMLCanvasElement | null;
}

export class Pane {
  readonly canvas = h("canvas", { class: "kt-picture", tabindex: 0, role: "application" });
  readonly caption = h("figcaption");
  readonly el = h("figure", { class: "kt-pane" }, h("div", { class: "kt-frame" }, this.canvas), this.caption);
  transform: ZoomTransform = zoomIdentity;
  private width = 0;
  private height = 0;

  constructor(private readonly scene: Scene) {}

  /** Take the room there is; true if it changed. */
  measure(): boolean {
    const room = this.canvas.parentElement!.clientWidth;
    const scale = Math.min(room / this.scene.width, TALLEST / this.scene.height);
    const [width, height] = [Math.round(this.scene.width * scale), Math.round(this.scene.height * scale)];
    const changed = width !== this.width || height !== this.height;
    [this.width, this.height] = [width, height];
    if (changed) [this.canvas.style.width, this.canvas.style.height] = [`${width}px`, `${height}px`];
    return changed && width > 0;
  }

  get size(): [number, number] {
    return [this.width, this.height];
  }

  /** Px of the screen per px of the image, before zooming. */
  get scale(): number {
    return this.width / this.scene.width;
  }

  /** A point of the image under a point of the canvas. */
  toImage(x: number, y: number): [number, number] {
    const [left, top] = this.transform.invert([x, y]);
    return [left / this.scale, top / this.scale];
  }

  /** A box of the image in px of the canvas. */
  toCanvas(box: Box): Box {
    const k = this.transform.k * this.scale;
    const [x, y] = this.transform.apply([box.x * this.scale, box.y * this.scale]);
    return { x, y, width: box.width * k, height: box.height * k };
  }

  draw(shown: Shown): void {
    if (!this.width) return;
    const context = fitCanvas(this.canvas, this.width, this.height);
    context.clearRect(0, 0, this.width, this.height);
    const whole = this.toCanvas({ x: 0, y: 0, width: this.scene.width, height: this.scene.height });
    // Past 1:1 pixels are shown as they are; below, smoothing keeps fine strokes from flickering.
    context.imageSmoothingEnabled = this.transform.k * this.scale * (globalThis.devicePixelRatio || 1) < 1;
    context.imageSmoothingQuality = "high";
    if (shown.picture) place(context, shown.picture, whole);
    else this.note(context, "Not kept with the trace");
    context.imageSmoothingEnabled = false;
    if (shown.overlay) {
      context.globalAlpha = OVERLAY_ALPHA;
      place(context, shown.overlay, whole);
      context.globalAlpha = 1;
    }
    if (shown.other && shown.split !== undefined) this.wipe(context, shown.other, shown.split, whole);
    if (shown.spotlight) place(context, shown.spotlight, whole);
    for (const { box, colour, width } of shown.outlines) this.outline(context, this.toCanvas(box), colour, width);
    if (shown.region) this.outline(context, this.toCanvas(shown.region), "#fff", 2, [5, 4]);
  }

  private wipe(context: CanvasRenderingContext2D, other: ImageBitmap, split: number, whole: Box): void {
    const at = split * this.width;
    context.save();
    context.beginPath();
    context.rect(0, 0, at, this.height);
    context.clip();
    context.imageSmoothingEnabled = this.transform.k * this.scale < 1;
    place(context, other, whole);
    context.restore();
    context.fillStyle = "#fff";
    context.fillRect(at - 1, 0, 2, this.height);
    context.beginPath();
    context.arc(at, this.height / 2, 9, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = "#333";
    context.fillText("◂ ▸", at - 8, this.height / 2 + 3);
  }

  private outline(
    context: CanvasRenderingContext2D,
    box: Box,
    colour: string,
    width: number,
    dash: number[] = [],
  ): void {
    // A dark line around the coloured one keeps it visible on every picture.
    for (const [style, line] of [
      ["rgba(0, 0, 0, 0.75)", width + 2],
      [colour, width],
    ] as const) {
      context.setLineDash(style === colour ? dash : []);
      context.strokeStyle = style;
      context.lineWidth = line;
      context.strokeRect(box.x, box.y, box.width, box.height);
    }
    context.setLineDash([]);
  }

  private note(context: CanvasRenderingContext2D, text: string): void {
    context.fillStyle = "#888";
    context.font = "14px system-ui, sans-serif";
    context.fillText(text, 16, 28);
  }
}

function place(context: CanvasRenderingContext2D, picture: CanvasImageSource, box: Box): void {
  context.drawImage(picture, box.x, box.y, box.width, box.height);
}
