import { describe, expect, it } from "vitest";
import { overlap, shares } from "../src/core/overlap";
import type { Scene } from "../src/core/scene";
import { known, labelled, near, uneven, world } from "./known";

const TOLERANCE = 2e-6;

function dense(scene: Scene, picked: Int32Array, part: Float32Array): Float64Array {
  const found = new Float64Array(scene.count);
  picked.forEach((place, n) => (found[place] = part[n]));
  return found;
}

describe.each([
  { title: "a translation", scene: world(), regions: known.world.regions },
  { title: "soft retrieval with boxes between pixels", scene: uneven(), regions: known.uneven.regions },
  { title: "regions of a label map", scene: await labelled(), regions: known.labelled.regions },
])("in $title", ({ scene, regions }) => {
  it.each(regions)("every retrieval covers as much of $box as Python says", ({ box, weight }) => {
    const [x, y, width, height] = box;
    const found = overlap(scene, { x, y, width, height });
    expect(near(dense(scene, found.picked, found.part), weight, TOLERANCE)).toBe(true);
  });

  it.each(regions)("every source gives as much to $box as Python says", ({ box, shares: expected }) => {
    const [x, y, width, height] = box;
    const found = overlap(scene, { x, y, width, height });
    expect(near(shares(scene, found.picked, found.part), expected, TOLERANCE)).toBe(true);
  });
});
