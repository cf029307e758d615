// The scale of a quantity that colours show, from 0 to 1.

import { cividis } from "./colours";
import { h } from "./dom";

const WIDTH = 120;

/** From black to white. */
export function grey(value: number): number[] {
  return [255 * value, 255 * value, 255 * value];
}

/** A bar of the colours; `low` and `high` are what stands at its ends. */
export function scaleBar(low: string, high: string, colour: (value: number) => number[] = cividis): HTMLCanvasElement {
  const made = h("canvas", {
    width: WIDTH,
    height: 1,
    class: "kt-scale",
    role: "img",
    "aria-label": `Scale from ${low} to ${high}`,
  });
  const context = made.getContext("2d")!;
  for (let x = 0; x < WIDTH; x++) {
    context.fillStyle = `rgb(${colour(x / (WIDTH - 1)).join(",")})`;
    context.fillRect(x, 0, 1, 1);
  }
  return made;
}
