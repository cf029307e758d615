// Which retrievals each entry feeds, as far as candidates were recorded: the rows of a scene, turned around.

import type { Scene } from "./scene";

export class Feeding {
  private readonly start: Uint32Array;
  private readonly slots: Uint32Array;

  /** @param entries how many there are */
  constructor(
    private readonly scene: Scene,
    entries: number,
  ) {
    const { entry } = scene.fed;
    this.start = new Uint32Array(entries + 1);
    for (const one of entry) if (one >= 0) this.start[one + 1]++;
    for (let one = 0; one < entries; one++) this.start[one + 1] += this.start[one];
    const next = this.start.slice();
    this.slots = new Uint32Array(this.start[entries]);
    entry.forEach((one, slot) => {
      if (one >= 0) this.slots[next[one]++] = slot;
    });
  }

  /** The part of each retrieval, by place, that an entry gives. */
  of(entry: number): Map<number, number> {
    const { k, weight } = this.scene.fed;
    const found = new Map<number, number>();
    for (const slot of this.slots.subarray(this.start[entry], this.start[entry + 1])) {
      const place = Math.floor(slot / k);
      found.set(place, (found.get(place) ?? 0) + (weight ? weight[slot] : 1));
    }
    return found;
  }
}

/** The sum of the parts. */
export function total(parts: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const part of parts.values()) sum += part;
  return sum;
}
