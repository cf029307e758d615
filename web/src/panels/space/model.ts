// A space of codes: stored ones on a map of two axes, and points of it, each of which is a code.

import type { Place, Scene, SpaceAbout } from "../../core/scene";

/** A code: that of an entry, or for -1 the used one, moved along the map. */
export interface Point {
  readonly entry: number;
  readonly moved: Place;
}

export interface Credit {
  source: string;
  title: string;
  creator: string;
  licence: string;
}

export interface Near {
  /** Among what is on the map. */
  row: number;
  apart: number;
}

export const USED: Point = { entry: -1, moved: [0, 0] };

/** Whether a point is a code as it was used, or stored. */
export function still({ moved: [right, up] }: Point): boolean {
  return right === 0 && up === 0;
}

/** The stored codes that are on the map: the same for all scenes of a view. */
export class Space {
  /** Number of each entry. */
  readonly entry: Int32Array;
  readonly credits: Credit[];
  private readonly code: Float32Array;
  private readonly place: Float32Array;
  private readonly rows: Map<number, number>;

  constructor(
    readonly about: SpaceAbout,
    shared: Scene,
  ) {
    this.entry = shared.column<Int32Array>("space/entry")!;
    this.code = shared.column<Float32Array>("space/code")!;
    this.place = shared.column<Float32Array>("space/place")!;
    this.credits = JSON.parse(new TextDecoder().decode(shared.column<Uint8Array>("space/about")!));
    this.rows = new Map([...this.entry].map((entry, row) => [entry, row]));
  }

  get count(): number {
    return this.entry.length;
  }

  /** Row of an entry on the map, -1 for none. */
  rowOf(entry: number): number {
    return this.rows.get(entry) ?? -1;
  }

  /** Where a row lies. */
  at(row: number): Place {
    return [this.place[2 * row], this.place[2 * row + 1]];
  }

  placeOf({ entry, moved }: Point): Place {
    const [x, y] = entry < 0 ? this.about.place : this.at(this.rowOf(entry));
    return [x + moved[0], y + moved[1]];
  }

  codeOf({ entry, moved }: Point): number[] {
    const { used, axes } = this.about;
    const first = this.rowOf(entry) * used.length;
    const base = entry < 0 ? used : this.code.subarray(first, first + used.length);
    return Array.from(base, (value, n) => value + moved[0] * axes[0][n] + moved[1] * axes[1][n]);
  }

  /** The same code, brought to another place of the map. */
  broughtTo(point: Point, [x, y]: Place): Point {
    const [from, up] = this.placeOf({ ...point, moved: [0, 0] });
    return { entry: point.entry, moved: [x - from, y - up] };
  }

  /** Distance of a point from the used code, in all numbers of the code. */
  fromUsed(point: Point): number {
    return distance(this.codeOf(point), this.about.used, 0);
  }

  /** The stored codes nearest to a point, in all numbers of the code; of equally near ones the first. */
  nearest(point: Point, most: number): Near[] {
    const wanted = this.codeOf(point);
    const found = Array.from(this.entry, (_, row) => ({
      row,
      apart: distance(wanted, this.code, row * wanted.length),
    }));
    return found.sort((one, other) => one.apart - other.apart || one.row - other.row).slice(0, most);
  }

  /** What is listed beside a point: of the used code first what it is made of, largest part first. */
  listed(point: Point, most: number): Near[] {
    if (point.entry >= 0 || !still(point) || !this.about.parts.length) return this.nearest(point, most);
    const part = new Map(this.about.parts);
    const of = ({ row }: Near) => part.get(this.entry[row]) ?? 0;
    return this.nearest(point, this.count)
      .sort((one, other) => of(other) - of(one))
      .slice(0, most);
  }
}

function distance(code: ArrayLike<number>, others: ArrayLike<number>, first: number): number {
  let sum = 0;
  for (let n = 0; n < code.length; n++) sum += (code[n] - others[first + n]) ** 2;
  return Math.sqrt(sum);
}

/** Of some squares on the screen, in an order, those that lie over none before them. */
export function uncrowded(points: Place[], order: Iterable<number>, side: number): number[] {
  const found: number[] = [];
  for (const one of order) {
    const [x, y] = points[one];
    const free = found.every((n) => Math.max(Math.abs(points[n][0] - x), Math.abs(points[n][1] - y)) >= side);
    if (free) found.push(one);
  }
  return found;
}

/** From places of the map to px of the screen and back: one scale in both directions, upwards is up. */
export class Frame {
  private readonly scale: number;
  private readonly middle: Place;

  constructor(
    places: Place[],
    readonly width: number,
    readonly height: number,
    inset: number,
  ) {
    const [xs, ys] = [0, 1].map((axis) => places.map((place) => place[axis]));
    const [low, high] = [least(xs, ys), least(negative(xs), negative(ys)).map((value) => -value)];
    this.middle = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2];
    const [across, up] = [high[0] - low[0], high[1] - low[1]];
    const scale = Math.min((width - 2 * inset) / across, (height - 2 * inset) / up);
    this.scale = Number.isFinite(scale) ? scale : 1;
  }

  toScreen([x, y]: Place): Place {
    return [this.width / 2 + (x - this.middle[0]) * this.scale, this.height / 2 - (y - this.middle[1]) * this.scale];
  }

  /** Within the frame. */
  toPlace(x: number, y: number): Place {
    const [inX, inY] = [Math.min(this.width, Math.max(0, x)), Math.min(this.height, Math.max(0, y))];
    return [
      this.middle[0] + (inX - this.width / 2) / this.scale,
      this.middle[1] - (inY - this.height / 2) / this.scale,
    ];
  }
}

function least(xs: number[], ys: number[]): [number, number] {
  const smaller = (one: number, other: number) => Math.min(one, other);
  return [xs.reduce(smaller), ys.reduce(smaller)];
}

function negative(values: number[]): number[] {
  return values.map((value) => -value);
}
