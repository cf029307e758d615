// What overlays show: for each retrieval a number, and the scale from dark to bright.

import type { Scene } from "../../core/scene";
import type { Overlay } from "../../core/store";

/** A number for each retrieval. */
interface Quantity {
  /** By place; NaN where there is none. */
  of(scene: Scene): (place: number) => number;
  /** The ends of the scale for whatever translation, and what they mean. */
  whole(scene: Scene): [number, number];
  ends?: [string, string];
  /** A number in words. */
  said(value: number): string;
}

const decimals = (value: number) => (value ? value.toFixed(Math.abs(value) < 0.1 ? 3 : 2) : "0");
const column = (scene: Scene, name: string) => {
  const values = scene.column<Float32Array>(name);
  return (place: number) => values?.[place] ?? Number.NaN;
};

const QUANTITIES: Partial<Record<Overlay, Quantity>> = {
  share: {
    of: (scene) => (place) => scene.about.sources[scene.winnerSource(place)]?.share ?? Number.NaN,
    whole: () => [0, 1],
    said: (value) => `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %`,
  },
  similarity: { of: (scene) => (place) => scene.winnerSimilarity(place), whole: () => [0, 1], said: decimals },
  margin: { of: (scene) => (place) => scene.margin[place], whole: () => [0, 0.1], said: decimals },
  regret: { of: (scene) => column(scene, "regret"), whole: () => [0, 0.1], said: decimals },
  entropy: {
    of: (scene) => column(scene, "entropy"),
    whole: (scene) => [0, mostEntropy(scene)],
    ends: ["one cell gives all", "all give alike"],
    said: (value) => `${decimals(value)} nats`,
  },
};

/** From dark to bright. */
export interface Scale {
  /** From 0 to 1 where it lies on the scale, beyond where it does not; NaN where there is no number. */
  at(place: number): number;
  low: string;
  high: string;
}

/** So many retrievals at either end lie beyond a stretched scale, in parts: a few far off would make all others alike. */
const BEYOND = 0.01;

/** The scale of an overlay: of these retrievals' numbers, or the whole one; null for overlays that show no number. */
export function scaleOf(scene: Scene, overlay: Overlay, whole: boolean): Scale | null {
  const quantity = QUANTITIES[overlay];
  if (!quantity) return null;
  const of = quantity.of(scene);
  const numbers = Float64Array.from(scene.query, (_, place) => of(place)).filter((value) => !Number.isNaN(value));
  numbers.sort();
  if (!numbers.length) return { at: of, low: "", high: "" };
  const [least, most] = [numbers[0], numbers[numbers.length - 1]];
  const cut = Math.floor(BEYOND * numbers.length);
  const [low, high] = whole ? quantity.whole(scene) : [numbers[cut], numbers[numbers.length - 1 - cut]];
  const [first, last] = quantity.ends ?? ["", ""];
  const said = (value: number, beyond: string, meant: string) =>
    `${beyond}${quantity.said(value)}${whole && meant ? `: ${meant}` : ""}`;
  return {
    at: (place) => (of(place) - low) / (high - low || 1),
    low: said(low, least < low ? "≤ " : "", first),
    high: said(high, most > high ? "≥ " : "", last),
  };
}

/** Of a retrieval that takes alike from all entries, in nats. */
export function mostEntropy(scene: Scene): number {
  const { cells } = scene.about;
  return cells ? Math.log(cells.rows * cells.columns) : 1;
}
