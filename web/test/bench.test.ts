import { describe, expect, it } from "vitest";
import { cellAt, partsOf, percent, said, shades, stepped, type Origins } from "../src/bench/origins";

// Two cells a side, two sources of four places each; kt knows nothing of its last cell.
const origins: Origins = {
  cells: 2,
  sources: ["a river", "a hat"],
  systems: {
    kt: {
      rows: [0, 1, 0, 2],
      parts: [[5, 6000, 2, 1500], [0, 10000], []],
      elsewhere: [0, 0, 0, 0],
      own: [0, 0, 0, 0],
    },
  },
};

describe("what a page holds of where outputs come from", () => {
  it("gives the places of a cell with their parts, and none of an unknown system or cell", () => {
    expect(partsOf(origins, "kt", 2)).toEqual([
      [5, 6000],
      [2, 1500],
    ]);
    expect(partsOf(origins, "kt", 3)).toEqual([]);
    expect(partsOf(origins, "munit", 0)).toEqual([]);
  });

  it("says in words where most of a cell comes from", () => {
    expect(said(origins, "kt", 0)).toBe("60 % from a hat, 2 across, 1 down, the largest of 2 places");
    expect(said({ ...origins, sources: ["a river"] }, "kt", 1)).toBe("100 % from 1 across, 1 down");
    expect(said(origins, "kt", 3)).toBe("of no known place");
    expect([percent(150), percent(0.04)]).toEqual(["1.5 %", "less than 0.1 %"]);
  });

  it("says what came from sources that are not shown, and what is the input's own", () => {
    const kt = { ...origins.systems.kt!, elsewhere: [2500, 0, 0, 10000], own: [0, 8000, 0, 0] };
    const more = { ...origins, systems: { kt, munit: { ...kt, elsewhere: [], own: [0, 0, 0, 10000] } } };
    expect(said(more, "kt", 0)).toBe(
      "60 % from a hat, 2 across, 1 down, the largest of 2 places; 25 % from other sources",
    );
    expect(said(more, "kt", 1)).toBe("80 % is the input's own; of the rest 100 % from a river, 1 across, 1 down");
    expect(said(more, "kt", 3)).toBe("100 % from other sources");
    expect(said(more, "munit", 3)).toBe("100 % is the input's own");
  });

  it("darkens the places of each source by how little came from there", () => {
    expect(shades(origins, "kt", 0, 0, 200)).toEqual([200, 200, 150, 200]);
    expect(shades(origins, "kt", 1, 0, 200)).toEqual([200, 0, 200, 200]);
    expect(shades(origins, "kt", 0, 3, 200)).toEqual([200, 200, 200, 200]);
  });

  it("finds the cell under a pointer, also at the edges and beyond", () => {
    expect([cellAt(2, 0.49, 0), cellAt(2, 0.5, 0.99), cellAt(2, 1, 1), cellAt(2, -0.1, 1.2)]).toEqual([0, 3, 3, 2]);
  });

  it("steps from cell to cell by arrow keys, stays at edges, and leaves other keys alone", () => {
    expect(stepped(3, 4, "ArrowLeft")).toBe(3);
    expect(stepped(3, 4, "ArrowDown")).toBe(7);
    expect(stepped(3, 0, "ArrowUp")).toBe(0);
    expect(stepped(3, 2, "ArrowRight")).toBe(2);
    expect(stepped(3, 4, "Tab")).toBeNull();
  });
});
