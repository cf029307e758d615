import { describe, expect, it } from "vitest";
import { OTHER, SOURCE_COLOURS } from "../src/core/colours";
import { Palette } from "../src/core/palette";
import type { Source } from "../src/core/scene";

const COUNT = SOURCE_COLOURS.length;
const sources = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ colour: n < COUNT ? n : -1, here: true }) as Source);
const shares = (given: Record<number, number>, count = 20) =>
  Float32Array.from({ length: count }, (_, n) => given[n] ?? 0);

describe("colours of sources", () => {
  it("are those of the whole picture while nothing is selected", () => {
    const palette = new Palette(sources(20));
    expect(palette.choose(null)).toBe(false);
    expect(palette.of(0)).toBe(SOURCE_COLOURS[0]);
    expect([palette.of(COUNT), palette.isOther(COUNT)]).toEqual([OTHER, true]);
  });

  it("of a selection: who had one keeps it, and who had none takes that of one who is not in it", () => {
    const palette = new Palette(sources(20));
    expect(palette.choose(shares({ 0: 0.1, 15: 0.6, 17: 0.3 }))).toBe(true);
    expect(palette.of(0)).toBe(SOURCE_COLOURS[0]);
    expect([palette.of(15), palette.of(17)]).toEqual([SOURCE_COLOURS[COUNT - 1], SOURCE_COLOURS[COUNT - 2]]);
    expect([palette.isOther(COUNT - 1), palette.isOther(COUNT - 2)]).toEqual([true, true]);
    expect(palette.choose(null)).toBe(true);
    expect(palette.isOther(15)).toBe(true);
  });

  it("go to the largest of a selection of many", () => {
    const palette = new Palette(sources(20));
    palette.choose(shares(Object.fromEntries(Array.from({ length: 12 }, (_, n) => [8 + n, 1 + n]))));
    const own = Array.from({ length: 20 }, (_, n) => n).filter((source) => !palette.isOther(source));
    expect(own).toEqual([12, 13, 14, 15, 16, 17, 18, 19]);
    expect(new Set(own.map((source) => palette.of(source))).size).toBe(COUNT);
  });

  it("stay where there are enough", () => {
    expect(new Palette(sources(5)).choose(shares({ 4: 1 }, 5))).toBe(false);
  });

  it("of a trace are chosen from shares of more sources than it has", () => {
    const palette = new Palette(sources(10));
    palette.choose(shares({ 9: 0.5, 19: 0.5 }));
    expect(palette.of(9)).toBe(SOURCE_COLOURS[COUNT - 1]);
  });
});
