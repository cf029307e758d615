// Tiles of the plane as they come from Python: bins, which are painted once, or single points.

import { asCanvas } from "../core/dom";
import { rgb } from "../core/colours";
import type { Packed } from "../core/packed";
import type { Ask } from "./ask";
import { colourOf } from "./scene";

const BINS = 128;
const FINE = 65_535;
/** Tiles that are kept. */
const MOST = 400;

export interface Tile {
  /** Many points: how many lie where, in colours. */
  bins: HTMLCanvasElement | null;
  /** Few: places within the tile from 0 to 1, numbers, groups. */
  x: Float32Array;
  y: Float32Array;
  number: Int32Array;
  group: Uint8Array;
}

export class Tiles {
  private readonly known = new Map<string, Tile | null>();
  private group: number | null = null;

  constructor(
    private readonly ask: Ask,
    private readonly onTile: () => void,
  ) {}

  /** Show one group alone, or all. */
  only(group: number | null): void {
    this.group = group;
    this.onTile();
  }

  get chosen(): number | null {
    return this.group;
  }

  /** A tile if it is here; otherwise it is asked for. */
  get(level: number, x: number, y: number): Tile | null {
    const key = `${this.group ?? "all"}/${level}/${x}/${y}`;
    const found = this.known.get(key);
    if (found === undefined) void this.fetch(key, level, x, y);
    else if (found) {
      this.known.delete(key); // the latest are kept
      this.known.set(key, found);
    }
    return found ?? null;
  }

  private async fetch(key: string, level: number, x: number, y: number): Promise<void> {
    this.known.set(key, null);
    try {
      const tile = tileOf(await this.ask.ask("tile", { tile: [level, x, y], group: this.group }));
      this.known.set(key, tile);
      for (const old of this.known.keys()) {
        if (this.known.size <= MOST) break;
        this.known.delete(old);
      }
      this.onTile();
    } catch {
      this.known.delete(key); // asked for again when it is needed
    }
  }
}

export function tileOf(packed: Packed): Tile {
  const group = packed.column<Uint8Array>("group");
  if (packed.has("count")) {
    const bins = asCanvas(painted(packed.column<Uint16Array>("count"), group));
    return { bins, x: new Float32Array(), y: new Float32Array(), number: new Int32Array(), group };
  }
  const place = packed.column<Uint16Array>("place");
  const axis = (side: number) => Float32Array.from(group, (_, n) => place[2 * n + side] / FINE);
  return { bins: null, x: axis(0), y: axis(1), number: packed.column<Int32Array>("number"), group };
}

/** Colours of groups, the stronger the more points lie in a bin. */
export function painted(count: Uint16Array, group: Uint8Array): ImageData {
  const image = new ImageData(BINS, BINS);
  const most = Math.log1p(count.reduce((max, one) => Math.max(max, one), 1));
  count.forEach((one, bin) => {
    if (one) image.data.set([...rgb(colourOf(group[bin])), 255 * (0.3 + (0.7 * Math.log1p(one)) / most)], 4 * bin);
  });
  return image;
}
