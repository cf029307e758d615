// Small pictures cut from larger ones: patches of the canvas, and of sources.

import { fitCanvas, h } from "./dom";
import type { Box, Scene } from "./scene";

/** A box below so many px is shown with what is around it, in a square of so many px: one colour tells nothing. */
const [TINY_PX, AROUND_PX] = [8, 24];

/** A box of a picture, `side` px on the screen; pixels stay visible. */
export function patchCanvas(side: number, label: string): HTMLCanvasElement {
  const ratio = globalThis.devicePixelRatio || 1;
  const canvas = h("canvas", { class: "kt-patch", role: "img", "aria-label": label });
  [canvas.width, canvas.height] = [side * ratio, side * ratio];
  canvas.style.width = canvas.style.height = `${side}px`;
  return canvas;
}

/** A whole picture, its longer side `side` px on the screen; it stands beside its name. */
export function wholePicture(picture: ImageBitmap | null, side: number): HTMLCanvasElement {
  const canvas = h("canvas", { class: "kt-patch", "aria-hidden": "true" });
  const k = picture ? side / Math.max(picture.width, picture.height) : 0;
  const [width, height] = picture ? [picture.width * k, picture.height * k] : [side, side];
  const context = fitCanvas(canvas, width, height);
  [canvas.style.width, canvas.style.height] = [`${width}px`, `${height}px`];
  context.imageSmoothingQuality = "high";
  if (picture) context.drawImage(picture, 0, 0, width, height);
  return canvas;
}

/** What is shown of a box of a picture: itself, or a tiny one with its surroundings. */
export function withSurroundings(box: Box, width: number, height: number): Box {
  if (Math.max(box.width, box.height) >= TINY_PX) return box;
  const [across, down] = [Math.min(AROUND_PX, width), Math.min(AROUND_PX, height)];
  const start = (middle: number, side: number, length: number) =>
    Math.min(length - side, Math.max(0, Math.round(middle - side / 2)));
  return {
    x: start(box.x + box.width / 2, across, width),
    y: start(box.y + box.height / 2, down, height),
    width: across,
    height: down,
  };
}

/** Mark a box within what is shown of it, which was drawn at [x, y], magnified. */
function markBox(canvas: HTMLCanvasElement, box: Box, shown: Box, [x, y, k]: number[]): void {
  if (box === shown) return;
  const context = canvas.getContext("2d")!;
  const [left, top] = [x + (box.x - shown.x) * k, y + (box.y - shown.y) * k];
  strokeTwice(context, "#fff", 1.5, () => context.strokeRect(left, top, box.width * k, box.height * k));
}

/** Draw a box of a picture as large as it fits, in the middle: [x, y, px of the patch per px of the picture]. */
function drawPatch(canvas: HTMLCanvasElement, picture: CanvasImageSource, box: Box): [number, number, number] {
  const context = canvas.getContext("2d")!;
  const k = Math.min(canvas.width / box.width, canvas.height / box.height);
  const [width, height] = [box.width * k, box.height * k];
  const [x, y] = [(canvas.width - width) / 2, (canvas.height - height) / 2];
  context.imageSmoothingEnabled = k < 1;
  context.drawImage(picture, box.x, box.y, box.width, box.height, x, y, width, height);
  return [x, y, k];
}

/** A box of the canvas in px of a picture of it, which may have another size. */
export function inPicture(scene: Scene, picture: ImageBitmap, box: Box): Box {
  return scaled(box, picture.width / scene.width, picture.height / scene.height);
}

/** A box in px of the original source, in px of the picture at hand; the whole picture for a source as a whole. */
export function inSource(scene: Scene, source: number, picture: ImageBitmap, box: Box | null): Box {
  const { width, height } = scene.about.sources[source];
  if (!box) return { x: 0, y: 0, width: picture.width, height: picture.height };
  return scaled(box, picture.width / (width ?? picture.width), picture.height / (height ?? picture.height));
}

function scaled(box: Box, across: number, down: number): Box {
  return { x: box.x * across, y: box.y * down, width: box.width * across, height: box.height * down };
}

/** The part of the canvas that a retrieval asked about; a region with its outline. */
export function queryPatch(
  scene: Scene,
  place: number,
  side: number,
  picture = scene.canvas ?? scene.output,
): HTMLCanvasElement {
  const shownOf = picture === scene.output ? scene.about.output : scene.about.canvas;
  const canvas = patchCanvas(side, `Part of ${shownOf.title}`);
  const outline = scene.outlineOf(place);
  const box = scene.boxOf(place);
  if (!picture) return canvas;
  const shown = withSurroundings(box, scene.width, scene.height);
  const part = inPicture(scene, picture, shown);
  const [x, y, k] = drawPatch(canvas, picture, part);
  const scale = (k * part.width) / shown.width;
  if (outline)
    strokePath(
      canvas.getContext("2d")!,
      outline,
      [x - shown.x * scale, y - shown.y * scale, scale, scale],
      "#fff",
      1.5,
    );
  else markBox(canvas, box, shown, [x, y, scale]);
  return canvas;
}

/** Draw an outline that is in px of a picture, which lies at [x, y] and is magnified across and down. */
export function strokePath(
  context: CanvasRenderingContext2D,
  path: Path2D,
  [x, y, across, down]: number[],
  colour: string,
  width: number,
): void {
  const placed = new Path2D();
  placed.addPath(path, new DOMMatrix([across, 0, 0, down, x, y]));
  context.lineCap = "square";
  strokeTwice(context, colour, width, () => context.stroke(placed));
}

/** A dark line around the coloured one keeps it visible on every picture. */
export function strokeTwice(
  context: CanvasRenderingContext2D,
  colour: string,
  width: number,
  stroke: () => void,
  dash: number[] = [],
): void {
  for (const [style, line, pattern] of [
    ["rgba(0, 0, 0, 0.75)", width + 2, []],
    [colour, width, dash],
  ] as const) {
    context.setLineDash(pattern);
    context.strokeStyle = style;
    context.lineWidth = line;
    stroke();
  }
  context.setLineDash([]);
}

/** The patch of the source that won a retrieval. */
export function winnerPatch(scene: Scene, place: number, side: number): HTMLCanvasElement {
  return sourcePatch(scene, scene.winnerSource(place), scene.sourceBoxOf(place), side);
}

export function sourcePatch(scene: Scene, source: number, box: Box | null, side: number): HTMLCanvasElement {
  const canvas = patchCanvas(side, `Patch of ${scene.about.sources[source]?.title ?? "a source"}`);
  const picture = scene.pictureOf(source);
  if (!picture) return canvas;
  const { width, height } = scene.about.sources[source];
  const shown = box && width && height ? withSurroundings(box, width, height) : box;
  const part = inSource(scene, source, picture, shown);
  const [x, y, k] = drawPatch(canvas, picture, part);
  if (box && shown) markBox(canvas, box, shown, [x, y, (k * part.width) / shown.width]);
  return canvas;
}
