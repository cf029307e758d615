import { describe, expect, it } from "vitest";
import { arrange } from "../src/panels/translation/arrange";

const BETWEEN = { gap: 8, caption: 20 };
const LANDSCAPE = { width: 600, height: 400 };
const PORTRAIT = { width: 400, height: 600 };
const SQUARE = { width: 512, height: 512 };

describe("pictures", () => {
  it.each([
    ["landscapes", LANDSCAPE, { columns: 1, width: 534 }],
    ["portraits", PORTRAIT, { columns: 2, width: 396 }],
    ["squares", SQUARE, { columns: 2, width: 396 }],
  ])("%s stand as they are largest", (_, shape, expected) => {
    expect(arrange([shape, shape], { width: 800, height: 760 }, BETWEEN)).toEqual(expected);
  });

  it("fill the width of a phone, one under the other", () => {
    expect(arrange([LANDSCAPE, LANDSCAPE], { width: 374, height: 1350 }, BETWEEN)).toEqual({ columns: 1, width: 374 });
  });

  it("of three, two stand beside each other where that is larger", () => {
    const shapes = [SQUARE, SQUARE, SQUARE];
    expect(arrange(shapes, { width: 800, height: 900 }, BETWEEN).columns).toBe(2);
    expect(arrange(shapes, { width: 1600, height: 600 }, BETWEEN).columns).toBe(3);
  });

  it("never take more than the room, of whatever shapes they are", () => {
    for (const room of [
      { width: 300, height: 500 },
      { width: 1500, height: 500 },
    ])
      for (const shapes of [[LANDSCAPE], [LANDSCAPE, PORTRAIT], [PORTRAIT, SQUARE, LANDSCAPE, SQUARE]]) {
        const { columns, width } = arrange(shapes, room, BETWEEN);
        expect(columns * width + (columns - 1) * BETWEEN.gap).toBeLessThanOrEqual(room.width);
        let height = 0;
        for (let first = 0; first < shapes.length; first += columns) {
          const row = shapes.slice(first, first + columns);
          height += Math.max(...row.map((shape) => (width * shape.height) / shape.width)) + BETWEEN.caption;
          height += first ? BETWEEN.gap : 0;
        }
        expect(height).toBeLessThanOrEqual(room.height);
      }
  });

  it("are there where there is no room", () => {
    expect(arrange([SQUARE], { width: 10, height: 5 }, BETWEEN).width).toBe(1);
  });
});
