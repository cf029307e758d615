import { describe, expect, it } from "vitest";
import { inTheGutter } from "../src/panels/translation/curves";

const ROOM = 44;
type Route = Parameters<typeof inTheGutter>[0][number];

function routes(heights: [number, number][]): Route[] {
  return heights.map(([from, to], place) => ({
    place,
    start: [10, from],
    middle: [0, 0],
    end: [500, to],
    out: "" as const,
    sizes: [
      [8, 8],
      [8, 8],
    ],
  }));
}

function heightsOf(found: Route[]): number[] {
  return found.map((route) => route.middle[1]);
}

describe("pairs of patches in the gutter", () => {
  const gutter = { at: 250, from: 40, to: 480 };

  it("stand between their ends, where there is room", () => {
    const found = inTheGutter(
      routes([
        [100, 200],
        [300, 340],
      ]),
      gutter,
      true,
    );
    expect(found.map((route) => route.middle)).toEqual([
      [250, 150],
      [250, 320],
    ]);
  });

  it.each([
    { title: "all at one place", heights: Array.from({ length: 8 }, () => [200, 200] as [number, number]) },
    { title: "all at the lower end", heights: Array.from({ length: 8 }, () => [479, 479] as [number, number]) },
    { title: "all at the upper end", heights: Array.from({ length: 8 }, () => [1, 1] as [number, number]) },
    {
      title: "two crowds",
      heights: [
        [60, 70],
        [62, 70],
        [470, 475],
        [471, 475],
        [60, 60],
      ] as [number, number][],
    },
  ])("do not cover each other: $title", ({ heights }) => {
    const found = heightsOf(inTheGutter(routes(heights), gutter, true));
    for (let n = 1; n < found.length; n++) expect(found[n] - found[n - 1]).toBeGreaterThanOrEqual(ROOM - 1e-9);
    expect(Math.max(...found)).toBeLessThanOrEqual(gutter.to);
    expect(Math.min(...found)).toBeGreaterThanOrEqual(gutter.from);
  });

  it("stand in the order of their ends, so that curves cross less", () => {
    const found = inTheGutter(
      routes([
        [400, 400],
        [100, 100],
        [250, 250],
      ]),
      gutter,
      true,
    );
    expect(found.map((route) => route.place)).toEqual([1, 2, 0]);
  });

  it("stand beside each other where the sources are below", () => {
    const below = inTheGutter(
      routes([
        [10, 10],
        [10, 10],
      ]),
      { at: 300, from: 0, to: 600 },
      false,
    );
    expect(below.map((route) => route.middle[1])).toEqual([300, 300]);
    expect(below[1].middle[0] - below[0].middle[0]).toBeGreaterThanOrEqual(80);
  });
});
