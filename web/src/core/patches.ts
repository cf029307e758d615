// Small pictures cut from larger ones: patches of the photo, and of sources.

import { h } from "./dom";
import type { Box, Scene } from "./scene";

/** A box of a picture, `side` px on the screen; pixels stay visible. */
export function patchCanvas(side: number, label: string): HTMLCanvasElement {
  const ratio = globalThis.devicePixelRatio || 1;
  const canvas = h("canvas", { class: "kt-patch", role: "img", "aria-label": label });
  [canvas.width, canvas.height] = [side * ratio, side * ratio];
  canvas.style.width = canvas.style.height = `${side}px`;
  return canvas;
}

export function drawPatch(canvas: HTMLCanvasElement, picture: CanvasImageSource | null, box: Box): void {
  const context = canvas.getContext("2d")!;
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = box.width > canvas.width;
  if (picture) context.drawImage(picture, box.x, box.y, box.width, box.height, 0, 0, canvas.width, canvas.height);
}

/** A box of the image in px of its picture, which may be smaller than the image. */
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

/** The patch of the photo that a retrieval asked about. */
export function queryPatch(scene: Scene, place: number, side: number): HTMLCanvasElement {
  const canvas = patchCanvas(side, "Patch of the photo");
  const picture = scene.picture("input") ?? scene.picture("output");
  if (picture) drawPatch(canvas, picture, inPicture(scene, picture, scene.boxOf(place)));
  return canvas;
}

/** The patch of the source that won a retrieval. */
export function winnerPatch(scene: Scene, place: number, side: number): HTMLCanvasElement {
  return sourcePatch(scene, scene.winnerSource(place), scene.sourceBoxOf(place), side);
}

export function sourcePatch(scene: Scene, source: number, box: Box | null, side: number): HTMLCanvasElement {
  const canvas = patchCanvas(side, `Patch of ${scene.about.sources[source]?.title ?? "a source"}`);
  const picture = scene.pictureOf(source);
  if (picture) drawPatch(canvas, picture, inSource(scene, source, picture, box));
  return canvas;
}
