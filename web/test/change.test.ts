import { describe, expect, it } from "vitest";
import { described, itemsOf, leftOutBy, unchanged } from "../src/core/change";
import { grouped } from "../src/panels/groups";
import { joined, wholePx } from "../src/panels/sources/part";
import type { Source } from "../src/core/scene";

const source = (title: string, creator: string, share: number) =>
  ({ title, creator, share, bank: "art/a", here: true }) as Source;
const sources = [source("Bridge", "Monet", 0.5), source("Harbour", "Turner", 0.3), source("Pond", "Monet", 0.2)];
const recorded = [1, 1, 1, 0];
const nothing = unchanged(recorded);
const said = (more: Partial<typeof nothing>) => described(itemsOf({ ...nothing, ...more }, sources, recorded));

describe("what is otherwise", () => {
  it("is nothing at first", () => {
    expect(itemsOf(nothing, sources, recorded)).toEqual([]);
    expect(said({})).toBe("");
  });

  it.each([
    [{ without: [1] }, "without Harbour"],
    [{ without: [0, 1, 2] }, "without Bridge, Harbour and 1 more"],
    [{ by: [["creator", "Monet"] as const] }, "without everything by Monet"],
    [{ by: [["licence", "CC BY 4.0"] as const] }, "without everything under CC BY 4.0"],
    [{ by: [["licence", "unknown"] as const] }, "without everything of unknown licence"],
    [{ by: [["bank", "art/a"] as const] }, "without bank art/a"],
    [{ by: [["year", "1890"] as const] }, "without everything of 1890"],
    [{ by: [["year", "unknown"] as const] }, "without everything of unknown year"],
    [{ parts: [[0, 1, 2, 3, 4]] }, "without a part of Bridge"],
    [
      {
        parts: [
          [0, 1, 2, 3, 4],
          [0, 5, 2, 3, 4],
          [1, 1, 2, 3, 4],
        ],
      },
      "without 2 parts of Bridge, a part of Harbour",
    ],
    [{ entries: [4, 5] }, "without 2 stored objects"],
    [{ weights: [0, 1, 1, 0] }, "with band weights 0 · 1 · 1 · 0"],
    [
      { without: [1], styles: [[0, 1] as const], copies: [[3, 0] as const] },
      "without Harbour, with another look of 2 objects",
    ],
  ])("is told in a line: %j", (more, line) => {
    expect(said(more as Partial<typeof nothing>)).toBe(line);
  });

  it("can be taken back thing by thing", () => {
    const change = { ...nothing, without: [0, 1], parts: [[2, 0, 0, 4, 4]], weights: [0, 0, 1, 0] };
    const items = itemsOf(change, sources, recorded);
    expect(items.map(({ rest }) => rest)).toEqual([
      { ...change, without: [1] },
      { ...change, without: [0] },
      { ...change, parts: [] },
      { ...change, weights: recorded },
    ]);
    const none = items.reduce((rest) => itemsOf(rest, sources, recorded)[0].rest, change as typeof nothing);
    expect(none).toEqual(nothing);
  });

  it("leaves out who is known by it, and nobody else", () => {
    const change = { ...nothing, by: [["creator", "Monet"] as const] };
    expect(sources.map((one) => leftOutBy(change, one))).toEqual([true, false, true]);
  });

  it("can be all sources of one creator, the largest share first", () => {
    expect(grouped(sources, "creator")).toEqual([
      { name: "Monet", members: [0, 2] },
      { name: "Turner", members: [1] },
    ]);
    expect(grouped(sources, "creator", [0.1, 0.9, 0]).map(({ name }) => name)).toEqual(["Turner", "Monet"]);
    expect(grouped(sources, "bank").map(({ members }) => members)).toEqual([[0, 1, 2]]);
  });
});

describe("a part of a source", () => {
  it("is in whole px, at least one, and within the source", () => {
    expect(wholePx({ x: 0.25, y: 0.5, width: 0.5, height: 0.25 }, 100, 40)).toEqual({
      x: 25,
      y: 20,
      width: 50,
      height: 10,
    });
    expect(wholePx({ x: 1, y: 1, width: 0, height: 0 }, 100, 40)).toEqual({ x: 99, y: 39, width: 1, height: 1 });
    expect(wholePx({ x: 0, y: 0, width: 1, height: 1 }, 100, 40)).toEqual({ x: 0, y: 0, width: 100, height: 40 });
  });

  it("is said once where it lies within another", () => {
    const box = (x: number, y: number, side: number) => ({ x, y, width: side, height: side });
    expect(joined([box(2, 2, 4), box(0, 0, 16), box(8, 8, 16), box(0, 0, 16)])).toEqual([box(0, 0, 16), box(8, 8, 16)]);
  });
});
