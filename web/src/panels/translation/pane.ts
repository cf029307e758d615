// One picture with what lies over it. All panes of a view share one zoom.

import { zoomIdentity, type ZoomTransform } from "d3-zoom";
import { fitCanvas, h } from "../../core/dom";
import { strokePath, strokeTwice } from "../../core/patches";
import type { Box, Canvas, Scene } from "../../core/scene";
import type { Sides } from "./arrange";

const OVERLAY_ALPHA = 0.78;

export interface Outline {
  box: Box;
  /** Around a query that is a region, in px of the scene's canvas. */
  path: Path2D | null;
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
  /** Where the regions that ask meet. */
  borders?: Path2D | null;
  outlines: Outline[];
  region: Box | null;
  /** Darkens everything but what is selected. */
  spotlight: HTMLCanvasElement | null;
}

export class Pane {
  readonly canvas = h("canvas", { class: "kt-picture", tabindex: 0, role: "application" });
  readonly caption = h("figcaption");
  readonly frame = h("div", { class: "kt-frame" }, this.canvas);
  readonly el = h("figure", { class: "kt-pane" }, this.caption, this.frame);
  transform: ZoomTransform = zoomIdentity;
  private width = 0;
  private height = 0;

  /** @param picture what it shows, whose size may be another than that of the scene's canvas */
  constructor(
    private readonly scene: Scene,
    private readonly picture: Canvas,
  ) {}

  /** Its sides in px of the picture. */
  get sides(): Sides {
    return this.picture;
  }

  /** Be so wide, in px of the screen; true if it was not. */
  widen(width: number): boolean {
    const height = Math.max(1, Math.round((width * this.picture.height) / this.picture.width));
    const changed = width !== this.width || height !== this.height;
    [this.width, this.height] = [width, height];
    if (changed) [this.canvas.style.width, this.canvas.style.height] = [`${width}px`, `${height}px`];
    return changed;
  }

  get size(): [number, number] {
    return [this.width, this.height];
  }

  /** Where the scene's canvas lies on the screen, if it fills this picture: x, y, px of the screen per px of it. */
  private get placed(): [number, number, number, number] {
    const { x, y, k } = this.transform;
    return [x, y, (k * this.width) / this.scene.width, (k * this.height) / this.scene.height];
  }

  /** Px of the screen per px of the picture. */
  private get magnified(): number {
    return (this.transform.k * this.width) / this.picture.width;
  }

  /** A point of the scene's canvas under a point of the screen. */
  toImage(x: number, y: number): [number, number] {
    const [left, top, across, down] = this.placed;
    return [(x - left) / across, (y - top) / down];
  }

  /** A box of the scene's canvas in px of the screen. */
  toScreen(box: Box): Box {
    const [left, top, across, down] = this.placed;
    return {
      x: left + box.x * across,
      y: top + box.y * down,
      width: box.width * across,
      height: box.height * down,
    };
  }

  draw(shown: Shown): void {
    if (!this.width) return;
    const context = fitCanvas(this.canvas, this.width, this.height);
    context.clearRect(0, 0, this.width, this.height);
    const whole = this.toScreen({ x: 0, y: 0, width: this.scene.width, height: this.scene.height });
    // Past 1:1 pixels are shown as they are; below, smoothing keeps fine strokes from flickering.
    context.imageSmoothingEnabled = this.magnified * (globalThis.devicePixelRatio || 1) < 1;
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
    if (shown.borders) strokePath(context, shown.borders, this.placed, "rgba(255, 255, 255, 0.8)", 0.75);
    for (const { box, path, colour, width } of shown.outlines) {
      if (path) strokePath(context, path, this.placed, colour, width);
      else outline(context, this.toScreen(box), colour, width);
    }
    if (shown.region) outline(context, this.toScreen(shown.region), "#fff", 2, [5, 4]);
  }

  private wipe(context: CanvasRenderingContext2D, other: ImageBitmap, split: number, whole: Box): void {
    const at = split * this.width;
    context.save();
    context.beginPath();
    context.rect(0, 0, at, this.height);
    context.clip();
    context.imageSmoothingEnabled = this.magnified < 1;
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

  private note(context: CanvasRenderingContext2D, text: string): void {
    context.fillStyle = "#888";
    context.font = "14px system-ui, sans-serif";
    context.fillText(text, 16, 28);
  }
}

function place(context: CanvasRenderingContext2D, picture: CanvasImageSource, box: Box): void {
  context.drawImage(picture, box.x, box.y, box.width, box.height);
}

function outline(
  context: CanvasRenderingContext2D,
  box: Box,
  colour: string,
  width: number,
  dash: number[] = [],
): void {
  strokeTwice(context, colour, width, () => context.strokeRect(box.x, box.y, box.width, box.height), dash);
}
