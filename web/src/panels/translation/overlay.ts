// Maps over the output: every pixel in the colour of the retrieval nearest to it, or of its region's.

import { cividis, OTHER, rgb, sourceColour } from "../../core/colours";
import { h } from "../../core/dom";
import type { Cells } from "../../core/cells";
import type { Scene } from "../../core/scene";
import type { Overlay } from "../../core/store";

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
  entropy: {
    label: "Entropy",
    low: "0: one cell gives all",
    high: "nats: all give alike",
    tells: "How mixed each place is: entropy of the parts that the cells give",
  },
  piece: {
    label: "Taken in one piece",
    low: "",
    high: "",
    tells: "Neighbours that the search itself found side by side in one source",
  },
};
const DARKNESS = 160;
const DARKEST = 205;
/** Margins and regrets at the bright end of their scale. */
const FULL = 0.1;

/** The ends of an overlay's scale, in words. */
export function scaleOf(scene: Scene, overlay: Overlay): { low: string; high: string } {
  const { low, high } = OVERLAYS[overlay];
  return { low, high: overlay === "entropy" ? `${mostEntropy(scene).toFixed(2)} ${high}` : high };
}

/** Of a retrieval that takes alike from all entries, in nats. */
export function mostEntropy(scene: Scene): number {
  const { cells } = scene.about;
  return cells ? Math.log(cells.rows * cells.columns) : 1;
}

/** The overlays that a scene has something to show in. */
export function overlaysOf(scene: Scene): Overlay[] {
  return (Object.keys(OVERLAYS) as Overlay[]).filter(
    (name) =>
      (name !== "regret" || scene.column("regret")) &&
      (name !== "entropy" || scene.column("entropy")) &&
      (name !== "margin" || scene.k > 1) &&
      (name !== "piece" || scene.column("piece")?.some((piece) => piece > 0)),
  );
}

/** A map as a small picture: one pixel per cell, transparent where there is nothing to say. */
export function paintOverlay(scene: Scene, cells: Cells, overlay: Overlay): ImageData | null {
  if (overlay === "none") return null;
  const of = colourOf(scene, overlay);
  const colours = Array.from({ length: scene.count }, (_, place) => of(place));
  const image = new ImageData(cells.width, cells.height);
  cells.place.forEach((place, cell) => {
    const colour = colours[place];
    if (colour) image.data.set(colour, 4 * cell);
    if (colour) image.data[4 * cell + 3] = 255;
  });
  return image;
}

/** Darkness over everything, the less the brighter a retrieval is. */
export function paintLit(cells: Cells, lit: ReadonlyMap<number, number>): ImageData {
  const image = new ImageData(cells.width, cells.height);
  cells.place.forEach((place, cell) => {
    image.data[4 * cell + 3] = Math.round(DARKEST * (1 - Math.min(1, lit.get(place) ?? 0)));
  });
  return image;
}

/** Darkness over everything but the cells that some retrievals paint. */
export function paintSpotlight(scene: Scene, cells: Cells, picked: Int32Array): ImageData {
  const image = new ImageData(cells.width, cells.height);
  for (let cell = 3; cell < image.data.length; cell += 4) image.data[cell] = DARKNESS;
  if (scene.regions) {
    const [{ region, map }, lit] = [scene.regions, new Set<number>()];
    for (const place of picked) lit.add(region[place]);
    map.forEach((number, cell) => lit.has(number) && (image.data[4 * cell + 3] = 0));
    return image;
  }
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
  const [regret, piece, entropy] = ["regret", "piece", "entropy"].map((name) => scene.column(name));
  const most = mostEntropy(scene);
  const bySource = (place: number) => palette[scene.winnerSource(place)] ?? rgb(OTHER);
  switch (overlay) {
    case "share":
      return (place) => shade(scene.about.sources[scene.winnerSource(place)].share);
    case "similarity":
      return (place) => shade(scene.winnerSimilarity(place));
    case "margin":
      return (place) => (Number.isNaN(scene.margin[place]) ? null : shade(scene.margin[place] / FULL));
    case "regret":
      return (place) => (regret ? shade(regret[place] / FULL) : null);
    case "entropy":
      return (place) => (entropy ? shade(entropy[place] / most) : null);
    case "piece":
      return (place) => (piece?.[place] ? bySource(place) : null);
    default:
      return bySource;
  }
}
