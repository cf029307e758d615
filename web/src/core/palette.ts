// Which source has which colour: those of the largest shares, as far as there are colours; the others are grey.

import { sourceColour } from "./colours";
import type { Source } from "./scene";

export class Palette {
  private readonly numbers: Int8Array;
  private fixed: ReadonlyMap<string, number> | null = null;

  /** @param sources with the colours that they have in the whole picture */
  constructor(private readonly sources: readonly Source[]) {
    this.numbers = Int8Array.from(sources, ({ colour }) => colour);
  }

  of(source: number): string {
    return sourceColour(this.numbers[source] ?? -1);
  }

  /** Whether a source is one of those that share one grey. */
  isOther(source: number): boolean {
    return (this.numbers[source] ?? -1) < 0;
  }

  /**
   * Give colours to the sources of a selection that have none in the whole picture: those of sources that are not among
   * its largest. All others keep theirs. True if a colour changed.
   *
   * @param shares of all sources in the selection; null without one
   */
  choose(shares: ArrayLike<number> | null): boolean {
    const numbers = this.fixed
      ? Int8Array.from(this.sources, ({ name }) => this.fixed!.get(name) ?? -1)
      : this.chosen(shares);
    const changed = numbers.some((colour, source) => colour !== this.numbers[source]);
    this.numbers.set(numbers);
    return changed;
  }

  /** Give colours by name, whatever is selected: those that a source has in other views, too. True if one changed. */
  fix(colours: ReadonlyMap<string, number>): boolean {
    this.fixed = colours;
    return this.choose(null);
  }

  private chosen(shares: ArrayLike<number> | null): Int8Array<ArrayBuffer> {
    const numbers = Int8Array.from(this.sources, ({ colour }) => colour);
    const colours = numbers.reduce((most, colour) => Math.max(most, colour + 1), 0);
    const largest = shares ? this.largest(shares, colours) : [];
    const free = [...numbers.keys()]
      .filter((source) => numbers[source] >= 0 && this.sources[source].here && !largest.includes(source))
      .sort((one, other) => numbers[one] - numbers[other]);
    for (const source of largest) {
      if (numbers[source] >= 0) continue;
      const from = free.pop();
      if (from === undefined) break;
      [numbers[source], numbers[from]] = [numbers[from], -1];
    }
    return numbers;
  }

  private largest(shares: ArrayLike<number>, wanted: number): number[] {
    return Array.from(shares, (_, source) => source)
      .filter((source) => source < this.sources.length && shares[source] > 0)
      .sort((one, other) => shares[other] - shares[one] || one - other)
      .slice(0, wanted);
  }
}
