import { expect, test } from "vitest";
import { withSurroundings } from "../src/core/patches";

test("a patch of some size is shown alone", () => {
  const box = { x: 3, y: 4, width: 16, height: 16 };
  expect(withSurroundings(box, 200, 100)).toBe(box);
});

test.each([
  ["in the middle", 100, 50, { x: 89, y: 39, width: 24, height: 24 }],
  ["in a corner", 0, 99, { x: 0, y: 76, width: 24, height: 24 }],
])("a pixel %s is shown with what is around it", (_, x, y, shown) => {
  expect(withSurroundings({ x, y, width: 1, height: 1 }, 200, 100)).toEqual(shown);
});

test("a small picture is its own surroundings", () => {
  expect(withSurroundings({ x: 2, y: 3, width: 1, height: 1 }, 10, 12)).toEqual({ x: 0, y: 0, width: 10, height: 12 });
});
