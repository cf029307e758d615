import { describe, expect, it } from "vitest";
import { Kept } from "../src/core/stored";
import { counterpart } from "../src/core/sites";
import { world } from "./known";
import { packed } from "./made";

const site = (name: string, direction: string | null) => ({ name, direction, retrievals: 4 });

describe("the counterpart of a site in another direction", () => {
  const sites = [
    site("1 there", "A → B"),
    site("1 back", "B → A"),
    site("2 there", "A → B"),
    site("2 back", "B → A"),
    site("3 there", "A → B"),
    site("vote", null),
  ];

  it.each([
    ["1 there", "B → A", "1 back"],
    ["2 back", "A → B", "2 there"],
    ["2 back", "B → A", "2 back"],
    ["3 there", "B → A", "3 there"], // there is none
  ])("of %s to %s is %s", (from, direction, to) => expect(counterpart(sites, from, direction)).toBe(to));
});

describe("what a page keeps of another site", () => {
  const column = (...values: number[]) => ({ column: Int32Array.of(...values) });
  const first = packed({}, { one: column(1), two: column(2), three: column(3) });
  const kept = new Kept(world(), packed({ shared: ["one"] }, { two: column(20) }), first);

  it("is its own, or what it has in common with the first, and nothing else", () => {
    expect(["one", "two", "three"].map((name) => kept.has(name))).toEqual([true, true, false]);
    expect([...kept.column("one")]).toEqual([1]);
    expect([...kept.column("two")]).toEqual([20]);
    expect(() => kept.need("one", "three")).toThrow();
  });
});
