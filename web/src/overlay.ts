// Maps over the translation: every pixel in the colour of the retrieval nearest to it.

import { cividis, OTHER, rgb, sourceColour } from "./colours";
import { h } from "./dom";
import { rounded, type Scene } from "./scene";
import type { Overlay } from "./store";

export const OVERLAYS: Record<Overlay, { label: string; low: string; high: string; tells: string }> = {
  none: { label: "No overlay", low: "", high: "", tells: "" },
  source: { label: "Source", low: "", high: "", tells: "Which source won nearest to each pixel" },
  share: {
    label: "Share",
    low: "0",
    high: "100 %",
    tells: "Share (overlap) of the winner's source in the whole picture",
  },
  similarity: { label: "Similarity", low: "0", high: "1", tells: "Bandpass cosine of the winner" },
  margin: { label: "Margin", low: "0", high: "0.1", tells: "Best similarity minus second best: dark is a close call" },
  regret: { label: "Regret", low: "0", high: "0.1", tells: "What the tree's shortcut cost" },
  piece: {
    label: "Taken in one piece",
    low: "",
    high: "",
    tells: "Neighbours that the search itself found side by side in one source",
  },
};
const DARKNESS = 160;
/** Margins and regrets at the bright end of their scale. */
const FULL = 0.1;

/** The overlays that a scene has something to show in. */
export function overlaysOf(scene: Scene): Overlay[] {
  return (Object.keys(OVERLAYS) as Overlay[]).filter(
    (name) => (name !== "regret" || scene.regret) && (name !== "margin" || scene.k > 1),
  );
}

/** Place of the retrieval nearest to each cell of the grid that the boxes span. */
export class Cells {
  readonly width: number;
  readonly height: number;
  readonly place: Int32Array;
  /** Side of a cell in px of the image. */
  readonly side: number;

  constructor(scene: Scene) {
    this.side = cellSide(scene);
    this.width = Math.ceil(scene.width / this.side);
    this.height = Math.ceil(scene.height / this.side);
    this.place = new Int32Array(this.width * this.height).fill(-1);
    // First all of every box, then its middle, which no neighbour has a better claim to.
    for (const part of [1, 0.5]) {
      for (let place = 0; place < scene.count; place++) this.fill(scene, place, part);
    }
  }

  /** The retrieval nearest to a pixel of the image, -1 for none. */
  at(x: number, y: number): number {
    const [column, row] = [Math.floor(x / this.side), Math.floor(y / this.side)];
    const inside = column >= 0 && row >= 0 && column < this.width && row < this.height;
    return inside ? this.place[row * this.width + column] : -1;
  }

  private fill(scene: Scene, place: number, part: number): void {
    const box = scene.boxOf(place);
    const edge = (start: number, length: number, sign: number) =>
      rounded((start + (length * (1 + sign * part)) / 2) / this.side);
    const [left, right] = [edge(box.x, box.width, -1), Math.min(this.width, edge(box.x, box.width, 1))];
    const [top, bottom] = [edge(box.y, box.height, -1), Math.min(this.height, edge(box.y, box.height, 1))];
    for (let y = Math.max(0, top); y < bottom; y++)
      this.place.fill(place, y * this.width + left, y * this.width + right);
  }
}

/** The largest side, in whole px, of which all boxes' quarters are multiples; 1 if there is none. */
function cellSide(scene: Scene): number {
  let side = 0;
  for (let at = 0; at < scene.box.length; at += 4) {
    const right = scene.box[at] + scene.box[at + 2];
    if (right < scene.width) side = greatestDivisor(side, scene.box[at + 2] / 4);
    side = greatestDivisor(side, scene.box[at]);
    if (side <= 1) return 1;
  }
  return side || 1;
}

function greatestDivisor(one: number, other: number): number {
  if (!Number.isInteger(one) || !Number.isInteger(other)) return 1;
  return other === 0 ? one : greatestDivisor(other, one % other);
}

/** A map as a small picture: one pixel per cell, transparent where there is nothing to say. */
export function paintOverlay(scene: Scene, cells: Cells, overlay: Overlay): ImageData | null {
  if (overlay === "none") return null;
  const colours = colourOf(scene, overlay);
  const image = new ImageData(cells.width, cells.height);
  cells.place.forEach((place, cell) => {
    const colour = place < 0 ? null : colours(place);
    if (colour) image.data.set([...colour, 255], 4 * cell);
  });
  return image;
}

/** Darkness over everything but the cells that some retrievals paint. */
export function paintSpotlight(scene: Scene, cells: Cells, picked: Int32Array): ImageData {
  const image = new ImageData(cells.width, cells.height);
  for (let cell = 3; cell < image.data.length; cell += 4) image.data[cell] = DARKNESS;
  for (const place of picked) {
    const box = scene.boxOf(place);
    const [left, top] = [Math.round(box.x / cells.side), Math.round(box.y / cells.side)];
    const right = Math.min(cells.width, Math.ceil((box.x + box.width) / cells.side));
    const bottom = Math.min(cells.height, Math.ceil((box.y + box.height) / cells.side));
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) image.data[4 * (y * cells.width + x) + 3] = 0;
    }
  }
  return image;
}

/** A map as something that can be drawn. */
export function asCanvas(image: ImageData): HTMLCanvasElement {
  const canvas = h("canvas", { width: image.width, height: image.height });
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  return canvas;
}

function colourOf(scene: Scene, overlay: Overlay): (place: number) => [number, number, number] | null {
  const ramp = Array.from({ length: 256 }, (_, level) => cividis(level / 255));
  const shade = (value: number) => ramp[Math.round(255 * Math.min(1, Math.max(0, value)))];
  const palette = scene.about.sources.map((source) => rgb(sourceColour(source.colour)));
  const bySource = (place: number) => palette[scene.winnerSource(place)] ?? rgb(OTHER);
  switch (overlay) {
    case "share":
      return (place) => shade(scene.about.sources[scene.winnerSource(place)].share);
    case "similarity":
      return (place) => shade(scene.winnerSimilarity(place));
    case "margin":
      return (place) => (Number.isNaN(scene.margin[place]) ? null : shade(scene.margin[place] / FULL));
    case "regret":
      return (place) => (scene.regret ? shade(scene.regret[place] / FULL) : null);
    case "piece":
      return (place) => (scene.piece[place] ? bySource(place) : null);
    default:
      return bySource;
  }
}
