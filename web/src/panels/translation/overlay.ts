// Maps over the output: every pixel in the colour of the retrieval nearest to it, or of its region's.

import { cividis, OTHER, rgb } from "../../core/colours";
import type { Cells } from "../../core/cells";
import type { Scene } from "../../core/scene";
import type { Overlay } from "../../core/store";
import { scaleOf } from "./quantities";

export const OVERLAYS: Record<Overlay, { label: string; tells: string }> = {
  none: { label: "No overlay", tells: "" },
  source: { label: "Source", tells: "Which source won nearest to each pixel" },
  share: { label: "Share", tells: "Share (overlap) of the winner's source in the whole picture" },
  similarity: { label: "Similarity", tells: "Bandpass cosine of the winner" },
  margin: { label: "Margin", tells: "Best similarity minus second best: dark is a close call" },
  regret: { label: "Regret", tells: "What the tree's shortcut cost" },
  entropy: { label: "Entropy", tells: "How mixed each place is: entropy of the parts that the cells give" },
  piece: {
    label: "Taken in one piece",
    tells: "Neighbours that the search itself found side by side in one source",
  },
};
const DARKNESS = 160;
const DARKEST = 205;

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

/**
 * A map as a small picture: one pixel per cell, transparent where there is nothing to say.
 *
 * @param whole whether numbers are shown on the whole scale, and not on one that is stretched to them
 */
export function paintOverlay(scene: Scene, cells: Cells, overlay: Overlay, whole: boolean): ImageData | null {
  if (overlay === "none") return null;
  const of = colourOf(scene, overlay, whole);
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

type Rgb = [number, number, number];

function colourOf(scene: Scene, overlay: Overlay, whole: boolean): (place: number) => Rgb | null {
  const scale = scaleOf(scene, overlay, whole);
  if (scale) {
    const ramp = Array.from({ length: 256 }, (_, level) => cividis(level / 255));
    return (place) => {
      const at = scale.at(place);
      return Number.isNaN(at) ? null : ramp[Math.round(255 * Math.min(1, Math.max(0, at)))];
    };
  }
  const palette = scene.about.sources.map((_, source) => rgb(scene.palette.of(source)));
  const piece = overlay === "piece" ? scene.column("piece") : null;
  return (place) => (piece && !piece[place] ? null : (palette[scene.winnerSource(place)] ?? rgb(OTHER)));
}
