import { describe, expect, it } from "vitest";
import { Feeding, total } from "../src/core/feeding";
import { mostFed, relative, shadeOf, told } from "../src/panels/reuse";
import { scaleOf } from "../src/panels/translation/quantities";
import { mixedScene } from "./made";

/** Two places mix three cells of four, two each; the rest is left over. */
const scene = () =>
  mixedScene({ entry: [0, 2, 2, -1], weight: [0.5, 0.25, 0.75, 0], columns: 2, rows: 2, entropy: [1.2, 0.6] });

describe("what an entry feeds", () => {
  it("is every place that names it, with its part there", () => {
    const feeding = new Feeding(scene(), 4);
    expect([...feeding.of(2)]).toEqual([
      [0, 0.25],
      [1, 0.75],
    ]);
    expect([...feeding.of(0)]).toEqual([[0, 0.5]]);
    expect(total(feeding.of(2))).toBe(1);
  });

  it("is nothing where it was not recorded, or where a row is shorter", () => {
    const feeding = new Feeding(scene(), 4);
    expect([...feeding.of(1)]).toEqual([]);
    expect([...feeding.of(3)]).toEqual([]);
  });

  it("is lit in parts of the largest", () => {
    expect([...relative(new Feeding(scene(), 4).of(2)).values()]).toEqual([0.25 / 0.75, 1]);
    expect(relative(new Map()).size).toBe(0);
  });
});

describe("the map", () => {
  it("has a scale of logarithms from a hundredth of a cell to the most", () => {
    expect(shadeOf(0, 100)).toBe(0);
    expect(shadeOf(0.01, 100)).toBe(0);
    expect(shadeOf(1, 100)).toBeCloseTo(0.5);
    expect(shadeOf(100, 100)).toBe(1);
    expect(shadeOf(0.5, 0.5)).toBeLessThan(1); // one cell is the end of the scale where none feeds as much
  });

  it("lists the cells that feed most, the first of equals first", () => {
    expect(mostFed(Float32Array.of(1, 3, 2, 3), 3)).toEqual([1, 3, 2]);
  });

  it("knows where its cells lie, cut off where the source ends", () => {
    expect(scene().cellBox(3)).toEqual({ x: 4, y: 4, width: 3, height: 2 });
    expect(scene().cellBox(-1)).toBeNull();
  });
});

describe("in words", () => {
  const parts = new Map([
    [0, 0.25],
    [1, 0.75],
  ]);

  it("tells what was recorded, and what is left over", () => {
    const said = told(parts, 1.5, true, [4, 8]);
    expect(said).toContain("x 4, y 8 feeds 1.50 cells of the output in all");
    expect(said).toContain("Recorded are 1.00 cells, in 2 places, the brightest of which takes 75 %");
    expect(said).toContain("0.50 cells are left over");
  });

  it("does not claim to know the rest where nobody can be asked", () => {
    expect(told(parts, 1, false, [4, 8])).not.toContain("left over");
    expect(told(new Map(), 0, false, [4, 8])).toContain("as far as recorded, nowhere");
  });

  it("tells of a cell that was nowhere among the recorded", () => {
    expect(told(new Map(), 0.3, true, [0, 0])).toContain("0.30 cells are left over");
  });
});

it("entropy goes up to that of cells that all give alike", () => {
  expect(scaleOf(scene(), "entropy", true)!.high).toContain(Math.log(4).toFixed(2));
});
