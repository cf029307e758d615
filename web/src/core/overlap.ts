// Overlap: how much of a region each retrieval covers (ktviz/trace/overlap.py), for when no Python is there.

import { NO_SOURCE } from "./protocol";
import type { Regions } from "./regions";
import { type Box, rounded, type Scene } from "./scene";

/** Left, top, right, bottom of a box in whole px, clipped to the image. */
function corners(boxes: Float32Array, place: number, width: number, height: number): [number, number, number, number] {
  const at = 4 * place;
  const clip = (value: number, most: number) => Math.min(most, Math.max(0, rounded(value)));
  return [
    clip(boxes[at], width),
    clip(boxes[at + 1], height),
    clip(boxes[at] + boxes[at + 2], width),
    clip(boxes[at + 1] + boxes[at + 3], height),
  ];
}

/** How many boxes cover each pixel of a region, by a table of differences: (region height, region width). */
function coverage(scene: Scene, region: Box): Float64Array {
  const across = region.width + 1;
  const table = new Float64Array(across * (region.height + 1));
  for (let place = 0; place < scene.count; place++) {
    const [l, t, r, b] = within(corners(scene.box, place, scene.width, scene.height), region);
    if (l >= r || t >= b) continue;
    table[t * across + l] += 1;
    table[t * across + r] -= 1;
    table[b * across + l] -= 1;
    table[b * across + r] += 1;
  }
  accumulate(table, across);
  return table;
}

function accumulate(table: Float64Array, across: number): void {
  const rows = table.length / across;
  for (let y = 0; y < rows; y++) {
    for (let x = 1; x < across; x++) table[y * across + x] += table[y * across + x - 1];
  }
  for (let at = across; at < table.length; at++) table[at] += table[at - across];
}

function within([l, t, r, b]: [number, number, number, number], region: Box): [number, number, number, number] {
  const clip = (value: number, most: number) => Math.min(most, Math.max(0, value));
  return [
    clip(l - region.x, region.width),
    clip(t - region.y, region.height),
    clip(r - region.x, region.width),
    clip(b - region.y, region.height),
  ];
}

/** Places of the retrievals that cover a part of a region, and the part of it that each covers. */
export function overlap(scene: Scene, region: Box): { picked: Int32Array; part: Float32Array } {
  return scene.regions ? labelOverlap(scene.regions, region) : boxOverlap(scene, region);
}

/** Pixels of a label region are shared alike by the retrievals that are about it. */
function labelOverlap(regions: Regions, region: Box) {
  const { region: numbers, places } = regions;
  const found = regions.counts(region);
  const picked = numbers.map((_, place) => place).filter((place) => found[numbers[place]] > 0);
  const part = (place: number) =>
    found[numbers[place]] / places[numbers[place]].length / (region.width * region.height);
  return { picked, part: Float32Array.from(picked, part) };
}

function boxOverlap(scene: Scene, region: Box): { picked: Int32Array; part: Float32Array } {
  const cover = coverage(scene, region);
  const across = region.width + 1;
  const sums = new Float64Array(across * (region.height + 1));
  for (let y = 0; y < region.height; y++) {
    for (let x = 0; x < region.width; x++) {
      sums[(y + 1) * across + x + 1] = 1 / Math.max(1, cover[y * across + x]);
    }
  }
  accumulate(sums, across);
  const picked: number[] = [];
  const part: number[] = [];
  for (let place = 0; place < scene.count; place++) {
    const [l, t, r, b] = within(corners(scene.box, place, scene.width, scene.height), region);
    if (l >= r || t >= b) continue;
    const sum = sums[b * across + r] - sums[t * across + r] - sums[b * across + l] + sums[t * across + l];
    picked.push(place);
    part.push(sum / (region.width * region.height));
  }
  return { picked: Int32Array.from(picked), part: Float32Array.from(part) };
}

/** Share of every source in what some retrievals cover, given the part that each covers. */
export function shares(scene: Scene, picked: Int32Array, part: ArrayLike<number>): Float32Array {
  const found = new Float32Array(scene.about.sources.length);
  picked.forEach((place, n) => {
    if (!scene.mixed) {
      found[scene.winnerSource(place)] += part[n];
      return;
    }
    const { source, weight } = scene.mixed;
    for (let slot = place * scene.k; slot < (place + 1) * scene.k; slot++) {
      if (source[slot] !== NO_SOURCE) found[source[slot]] += part[n] * weight[slot];
    }
  });
  return found;
}
