import { describe, expect, it } from "vitest";
import { cividis, OTHER, rgb, SOURCE_COLOURS, sourceColour } from "../src/core/colours";
import { haarBand } from "../src/panels/bands/haar";
import { known } from "./known";

describe("Haar bands of pixels", () => {
  const side = Math.sqrt(known.haar.pixels.length / 3);
  const pixels = new Uint8ClampedArray(4 * side * side).fill(255);
  known.haar.pixels.forEach((value, n) => (pixels[4 * Math.floor(n / 3) + (n % 3)] = value));

  it.each([0, 1, 2, 3])("are Python's: band %i", (band) => {
    const found = haarBand(pixels, side, side, band);
    const colours = Array.from(found).filter((_, n) => n % 4 < 3);
    expect(colours).toEqual(known.haar.bands[band]);
    expect(Array.from(found).filter((_, n) => n % 4 === 3)).toEqual(new Array((side * side) / 4).fill(255));
  });
});

describe("colours", () => {
  it("of quantities are cividis, at most four levels off", () => {
    known.cividis.forEach((expected, level) => {
      const found = cividis(level / 255);
      for (const n of [0, 1, 2]) expect(Math.abs(found[n] - expected[n])).toBeLessThanOrEqual(4);
    });
  });

  it("of quantities beyond the scale are those of its ends", () => {
    expect(cividis(-1)).toEqual(cividis(0));
    expect(cividis(7)).toEqual(cividis(1));
  });

  it("of sources are told apart, and grey for the others", () => {
    expect(new Set(SOURCE_COLOURS.map((colour) => rgb(colour).join()))).toHaveProperty("size", SOURCE_COLOURS.length);
    expect(sourceColour(-1)).toBe(OTHER);
    expect(rgb("#0a80ff")).toEqual([10, 128, 255]);
  });
});
