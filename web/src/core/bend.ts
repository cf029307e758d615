// Curves between two points that leave and arrive level, or upright.

type Point = readonly [number, number];

/** The control points and the end of a Bézier curve, as canvases and paths take them. */
export function bend([x0, y0]: Point, [x1, y1]: Point, level = true): [number, number, number, number, number, number] {
  const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
  return level ? [x, y0, x, y1, x1, y1] : [x0, y, x1, y, x1, y1];
}
