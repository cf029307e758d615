import { describe, expect, it } from "vitest";
import { Cells } from "../src/core/cells";
import { overlaysOf } from "../src/panels/translation/overlay";
import { scaleOf } from "../src/panels/translation/quantities";
import type { Box, Scene } from "../src/core/scene";
import { known, labelled, uneven, world } from "./known";
import { gridScene } from "./made";

/** Whether a pixel lies under a box that the border has cut: there, cells are too coarse for its middle. */
function underCut(scene: Scene, x: number, y: number): boolean {
  return [...scene.query.keys()].some((place) => {
    const box = scene.boxOf(place);
    const whole = scene.boxOf(0);
    return (box.width < whole.width || box.height < whole.height) && holds(box, x, y);
  });
}

function holds(box: Box, x: number, y: number): boolean {
  return x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
}

describe("the retrieval at every pixel", () => {
  it("is the nearest, as Python says", () => {
    const scene = world();
    const cells = new Cells(scene);
    let compared = 0;
    known.world.nearest.forEach((row, y) =>
      row.forEach((place, x) => {
        const found = cells.at(x, y);
        if (underCut(scene, x, y)) return expect(holds(scene.boxOf(found), x, y)).toBe(true);
        compared++;
        expect(found, `${x}, ${y}`).toBe(place);
      }),
    );
    expect(compared).toBeGreaterThan((scene.width * scene.height) / 2);
  });

  it("is the nearest also where boxes lie between pixels", () => {
    const cells = new Cells(uneven());
    expect(known.uneven.nearest.map((row, y) => row.map((_, x) => cells.at(x, y)))).toEqual(known.uneven.nearest);
  });

  it("is the one whose region it is", async () => {
    const cells = new Cells(await labelled());
    expect(known.labelled.nearest.map((row, y) => row.map((_, x) => cells.at(x, y)))).toEqual(known.labelled.nearest);
  });

  it("is none outside the picture", () => {
    const scene = world();
    const cells = new Cells(scene);
    for (const [x, y] of [
      [-1, 0],
      [0, -1],
      [scene.width, 0],
      [0, scene.height],
    ])
      expect(cells.at(x, y)).toBe(-1);
  });
});

it("a translation is mapped in cells of four pixels, not pixel by pixel", () => {
  expect(new Cells(gridScene({ rows: 5, columns: 7, side: 16, source: new Array(35).fill(0) })).side).toBe(4);
});

it("only overlays with something to show are offered", () => {
  const winnersAlone = overlaysOf(gridScene({ rows: 2, columns: 2, side: 8, source: [0, 0, 0, 0] }));
  for (const overlay of ["margin", "regret"] as const) {
    expect(overlaysOf(world())).toContain(overlay);
    expect(winnersAlone).not.toContain(overlay);
  }
});

describe("the scale of an overlay", () => {
  const similarity = Array.from({ length: 400 }, (_, n) => (n === 7 ? -0.9 : n === 8 ? 0.99 : 0.5 + n / 4000));
  const scene = gridScene({ rows: 20, columns: 20, side: 8, source: new Array(400).fill(0), similarity });

  it("is stretched to the numbers, but for a few far off", () => {
    const scale = scaleOf(scene, "similarity", false)!;
    expect([scale.low, scale.high]).toEqual(["≤ 0.50", "≥ 0.60"]);
    expect(scale.at(7)).toBeLessThan(0);
    expect(scale.at(8)).toBeGreaterThan(1);
    expect(scale.at(200)).toBeCloseTo(0.5, 1);
  });

  it("is the same for every translation if that is wanted", () => {
    const scale = scaleOf(scene, "similarity", true)!;
    expect([scale.low, scale.high]).toEqual(["≤ 0", "1.00"]);
    expect(scale.at(200)).toBeCloseTo(0.55, 2);
  });

  it("holds where all numbers are equal, and where there are none", () => {
    const equal = gridScene({ rows: 1, columns: 2, side: 8, source: [0, 0], similarity: [0.5, 0.5] });
    expect(scaleOf(equal, "similarity", false)!.at(0)).toBe(0);
    expect(scaleOf(equal, "regret", false)!.at(0)).toBeNaN();
    expect(scaleOf(equal, "source", false)).toBeNull();
  });
});
