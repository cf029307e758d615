// What an exported page keeps (ktviz/widgets/page.py), and answers that are put together from it.

import { type Answer, Unanswered } from "./host";
import type { Column, Packed } from "./packed";
import { STEPS } from "./protocol";
import type { Scene } from "./scene";

/** Values and parts that were put together here. */
export class Made implements Answer {
  constructor(
    readonly values: Record<string, unknown>,
    private readonly parts: Record<string, Column>,
  ) {}

  has(name: string): boolean {
    return name in this.parts;
  }

  column<T extends Column>(name: string): T {
    return this.parts[name] as T;
  }
}

/** What a page keeps about one scene; what another site keeps in the same form is stored once. */
export class Kept {
  private readonly shared: ReadonlySet<string>;
  private readonly rows = new Map<string, Column>();

  constructor(
    readonly scene: Scene,
    private readonly own: Packed,
    private readonly first: Packed = own,
  ) {
    this.shared = new Set(own.values.shared as string[] | undefined);
  }

  /** For what the page had no room, in words. */
  get leftOut(): string[] {
    return (this.own.values.left_out as string[] | undefined) ?? [];
  }

  has(name: string): boolean {
    return this.holds(name) || this.holds(`each/${name}`);
  }

  column<T extends Column = Column>(name: string): T {
    if (this.holds(name) || !this.holds(`each/${name}`)) return this.where(name).column<T>(name);
    if (!this.rows.has(name)) this.rows.set(name, this.rowByRow(`each/${name}`));
    return this.rows.get(name) as T;
  }

  shape(name: string): number[] {
    return this.where(name).shape(name);
  }

  /** Throw `Unanswered` unless some parts are kept. */
  need(...names: string[]): void {
    for (const name of names) if (!this.has(name)) throw new Unanswered(name);
  }

  /** What is stored once for each value of a key (`once_each` in ktviz/widgets/packing.py). */
  private rowByRow(name: string): Column {
    const each = this.where(name).column(name);
    const place = this.where("place").column("place");
    const width = each.length / this.where(name).shape(name)[0];
    const found = new (each.constructor as new (length: number) => Column)(place.length * width);
    for (let to = 0; to < found.length; to++) found[to] = each[place[Math.floor(to / width)] * width + (to % width)];
    return found;
  }

  private holds(name: string): boolean {
    return this.where(name).has(name);
  }

  private where(name: string): Packed {
    return this.shared.has(name) ? this.first : this.own;
  }
}

/** A value that was stored as whole steps; NaN for the least. */
export function unstep(value: number): number {
  return value < -STEPS ? Number.NaN : value / STEPS;
}
