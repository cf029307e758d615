// Queries that are regions of a label map (ktviz/widgets/label_map.py): which pixel asks for which, and their outlines.

import { unzipped } from "./packed";
import type { Box } from "./scene";

/** A number for each pixel of the canvas: 0 where nobody asks, else the region's, counted from 1. */
export type LabelMap = Uint8Array | Uint16Array | Uint32Array;

export class Regions {
  /** Retrievals about each region, by its number. */
  readonly places: number[][];
  private readonly paths = new Map<number, Path2D>();
  private whole: Path2D | null = null;

  /** @param region number of each retrieval's region */
  constructor(
    readonly map: LabelMap,
    private readonly width: number,
    private readonly height: number,
    readonly region: Int32Array,
  ) {
    this.places = Array.from({ length: region.reduce((most, number) => Math.max(most, number), 0) + 1 }, () => []);
    region.forEach((number, place) => this.places[number].push(place));
  }

  static async read(zipped: Uint8Array, width: number, height: number, region: Int32Array): Promise<Regions> {
    const raw = await unzipped(zipped);
    const bytes = raw.byteLength / (width * height);
    return new Regions(
      new (bytes > 2 ? Uint32Array : bytes > 1 ? Uint16Array : Uint8Array)(raw),
      width,
      height,
      region,
    );
  }

  /** Around all parts of a retrieval's region, and around their holes; in px of the canvas. */
  outline(place: number, box: Box): Path2D {
    const number = this.region[place];
    let path = this.paths.get(number);
    if (!path) this.paths.set(number, (path = this.trace(box, (one) => one === number)));
    return path;
  }

  /** Where regions meet, all over the canvas. */
  get borders(): Path2D {
    return (this.whole ??= this.trace({ x: 0, y: 0, width: this.width, height: this.height }, (one) => one));
  }

  /** The edges within a box between pixels for which something differs; along a row or a column each is one line. */
  private trace(box: Box, of: (number: number) => number | boolean): Path2D {
    const path = new Path2D();
    const [left, top, right, bottom] = [box.x, box.y, box.x + box.width, box.y + box.height];
    const at = (x: number, y: number) =>
      x < 0 || y < 0 || x >= this.width || y >= this.height ? of(0) : of(this.map[y * this.width + x]);
    const along = (
      from: number,
      to: number,
      differs: (at: number) => boolean,
      line: (a: number, b: number) => void,
    ) => {
      for (let start = from; start < to; start++) {
        if (!differs(start)) continue;
        const first = start;
        while (start < to && differs(start)) start++;
        line(first, start);
      }
    };
    const line = (x0: number, y0: number, x1: number, y1: number) => {
      path.moveTo(x0, y0);
      path.lineTo(x1, y1);
    };
    for (let y = top; y <= bottom; y++)
      along(
        left,
        right,
        (x) => at(x, y - 1) !== at(x, y),
        (a, b) => line(a, y, b, y),
      );
    for (let x = left; x <= right; x++)
      along(
        top,
        bottom,
        (y) => at(x - 1, y) !== at(x, y),
        (a, b) => line(x, a, x, b),
      );
    return path;
  }

  /** A pixel of a retrieval's region as near as may be to the middle of its box: [x, y] of its middle. */
  inside(place: number, box: Box): [number, number] {
    const middle = [box.x + box.width / 2, box.y + box.height / 2];
    let best: [number, number] = [middle[0], middle[1]];
    let nearest = Number.POSITIVE_INFINITY;
    for (let y = box.y; y < box.y + box.height; y++)
      for (let x = box.x; x < box.x + box.width; x++) {
        if (this.map[y * this.width + x] !== this.region[place]) continue;
        const away = Math.hypot(x + 0.5 - middle[0], y + 0.5 - middle[1]);
        if (away < nearest) [best, nearest] = [[x + 0.5, y + 0.5], away];
      }
    return best;
  }

  /** How many pixels of a box each region has, by its number. */
  counts(box: Box): Uint32Array {
    const found = new Uint32Array(this.places.length);
    for (let y = box.y; y < box.y + box.height; y++)
      for (let x = box.x; x < box.x + box.width; x++) found[this.map[y * this.width + x]]++;
    return found;
  }
}
