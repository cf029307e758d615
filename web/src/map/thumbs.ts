// Pictures of points that are near: asked for together, a few at a time, and kept.

import { type Ask, decoded } from "./ask";

const AT_ONCE = 60;
const MOST = 3000;

interface Thumb {
  sheet: ImageBitmap;
  row: number;
}

export class Thumbs {
  side = 32;
  private readonly known = new Map<number, Thumb | null>();
  private busy = false;

  constructor(
    private readonly ask: Ask,
    private readonly onCome: () => void,
  ) {}

  get(number: number): Thumb | null {
    return this.known.get(number) ?? null;
  }

  /** Ask for those that are not here; what is asked for meanwhile comes the next time. */
  want(numbers: readonly number[]): void {
    const missing = numbers.filter((one) => !this.known.has(one)).slice(0, AT_ONCE);
    if (missing.length && !this.busy) void this.fetch(missing);
  }

  private async fetch(numbers: number[]): Promise<void> {
    this.busy = true;
    for (const one of numbers) this.known.set(one, null);
    try {
      const packed = await this.ask.ask("pictures", { numbers });
      const sheet = await decoded(packed, "sheet");
      this.side = packed.values.side as number;
      numbers.forEach((one, row) => this.known.set(one, { sheet, row }));
      for (const old of this.known.keys()) {
        if (this.known.size <= MOST) break;
        this.known.delete(old);
      }
    } catch {
      for (const one of numbers) this.known.delete(one);
    } finally {
      this.busy = false;
      this.onCome();
    }
  }
}
