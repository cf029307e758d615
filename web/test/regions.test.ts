import { describe, expect, it, vi } from "vitest";
import { Cells } from "../src/core/cells";
import { Regions } from "../src/core/regions";
import { paintOverlay, paintSpotlight } from "../src/panels/translation/overlay";
import { labelled } from "./known";

const scene = await labelled();
const cells = new Cells(scene);
const DOT = 4;
const RING = 1;
// Node has none.
vi.stubGlobal(
  "ImageData",
  class {
    readonly data: Uint8ClampedArray;
    constructor(
      readonly width: number,
      readonly height: number,
    ) {
      this.data = new Uint8ClampedArray(4 * width * height);
    }
  },
);

describe("queries that are regions", () => {
  it("have a point within, also where the middle of their box is not", () => {
    for (let place = 0; place < scene.count; place++) {
      const [x, y] = scene.middleOf(place);
      const { region, map } = scene.regions!;
      expect(map[Math.floor(y) * scene.width + Math.floor(x)], `${place}`).toBe(region[place]);
    }
    expect(scene.middleOf(DOT)).toEqual([0.5, 5.5]);
    expect(scene.middleOf(RING)).not.toEqual([2.5, 2.5]); // there is its hole
  });

  it("are lit alone when they are selected, without their holes", () => {
    const image = paintSpotlight(scene, cells, Int32Array.of(RING));
    const lit = Array.from(cells.place, (_, cell) => image.data[4 * cell + 3] === 0);
    expect(lit).toEqual(Array.from(cells.place, (place) => place === RING));
  });

  it("are filled by maps; what nobody asks for stays clear", () => {
    const image = paintOverlay(scene, cells, "similarity", false)!;
    const filled = Array.from(cells.place, (_, cell) => image.data[4 * cell + 3] === 255);
    expect(filled).toEqual(Array.from(cells.place, (place) => place >= 0));
    expect(filled).toContain(false);
  });

  it.each([1, 2, 4])("are read from %i bytes a pixel", async (bytes) => {
    const map = new { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[bytes as 1 | 2 | 4]([0, 2, 1, 2, 2, 0]);
    const zipped = new Blob([map]).stream().pipeThrough(new CompressionStream("gzip"));
    const bytesOf = new Uint8Array(await new Response(zipped).arrayBuffer());
    const regions = await Regions.read(bytesOf, 3, 2, Int32Array.of(2, 1));
    expect(Array.from(regions.map)).toEqual([0, 2, 1, 2, 2, 0]);
    expect(Array.from(regions.counts({ x: 0, y: 0, width: 2, height: 2 }))).toEqual([1, 0, 3]);
  });
});
