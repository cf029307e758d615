import { describe, expect, it } from "vitest";
import { stepsOf } from "../src/panels/tree/columns";
import type { Descent, Exact } from "../src/panels/tree/descent";
import { layout } from "../src/panels/tree/icicle";

const DESCENT: Descent = {
  query: 0,
  bank: "art/soft",
  path: [2, 8],
  roads: [
    { nodes: [1, 2, 3], similarity: [0.4, 0.6, 0.7], taken: 2, greedy: 3 },
    { nodes: [7, 8], similarity: [0.2, 0.9], taken: 8, greedy: 8 },
  ],
  greedy: { path: [3, 11], near: [0.7, 0.5] },
  visited: [8],
  ranked: true,
  passed: [],
};
const EXACT: Exact = {
  path: [1, 5],
  near: [0.4, 0.95],
  source: 0,
  box: [0, 0, 8, 8],
  similarity: 0.8,
  bank: "art/soft",
};
const told = (exact: Exact | null) => ({ place: 0, descent: DESCENT, exact, missing: "" });

describe("the columns of a descent", () => {
  it("have all nodes of a level, most similar first, and say who takes them", () => {
    expect(stepsOf(told(null))[0]).toEqual([
      { node: 3, near: 0.7, by: ["greedy"] },
      { node: 2, near: 0.6, by: ["winner"] },
      { node: 1, near: 0.4, by: [] },
    ]);
  });

  it("have nodes of ways that parted above, among the others", () => {
    expect(stepsOf(told(EXACT))[1]).toEqual([
      { node: 5, near: 0.95, by: ["exact"] },
      { node: 8, near: 0.9, by: ["winner"] },
      { node: 11, near: 0.5, by: ["greedy"] },
      { node: 7, near: 0.2, by: [] },
    ]);
  });

  it("leave a way out that lies in another bank", () => {
    const steps = stepsOf(told({ ...EXACT, bank: "art/hard" })).flat();
    expect(steps.filter(({ by }) => by.includes("exact"))).toEqual([]);
  });

  it("go on where one way is longer", () => {
    const longer = { ...EXACT, path: [1, 5, 20], near: [0.4, 0.95, 0.99] };
    expect(stepsOf(told(longer))[2]).toEqual([{ node: 20, near: 0.99, by: ["exact"] }]);
  });
});

describe("the whole tree as bars", () => {
  it("lie below their parents, as wide as their parts", () => {
    const bars = layout([-1, 0, 0, 2, 2], [0, 1, 1, 2, 2], [40, 10, 30, 20, 10]);
    expect(bars.map(({ from, to }) => [from, to])).toEqual([
      [0, 1],
      [0, 0.25],
      [0.25, 1],
      [0.25, 0.75],
      [0.75, 1],
    ]);
  });

  it("have no width without entries", () => {
    expect(layout([-1, 0], [0, 1], [0, 0])[1]).toEqual({ node: 1, level: 1, from: 0, to: 0 });
  });
});
