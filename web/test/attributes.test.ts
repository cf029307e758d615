import { describe, expect, it } from "vitest";
import { options, type Said, shareOf, switched } from "../src/panels/attributes";
import { Made } from "../src/core/stored";
import { pageOf } from "./known";
import { gridScene, packed } from "./made";

const scene = () => gridScene({ rows: 1, columns: 2, side: 8, source: [0, 0] });
const said: Said = {
  names: ["Dark", "Blond", "Hat"],
  exclusive: [[0, 1]],
  has: [true, false, false],
  wanted: [false, true, true],
  difference: [-1.5, 1.5, 1.5],
  amount: 1.5,
  labels: 0,
  references: ["given.png", "refs/b.png", "refs/c.png"],
  reference: { source: "refs/c.png", creator: "Ada", licence: "CC0" },
  taken: 2,
  chosen: true,
  ranking: [
    [2, 0.9],
    [1, 0.5],
  ],
  whose: ["all", "own"],
  columns: 2,
};

describe("a switch", () => {
  it("gives and takes one attribute", () => {
    expect([...switched(new Set([0]), 2, true, [[0, 1]])].sort()).toEqual([0, 2]);
    expect([...switched(new Set([0, 2]), 2, false, [[0, 1]])]).toEqual([0]);
  });

  it("lets one that comes take the place of the others of its group, and of no others", () => {
    expect([...switched(new Set([0, 2]), 1, true, [[0, 1]])].sort()).toEqual([1, 2]);
  });

  it("leaves what was as it was", () => {
    const before = new Set([0]);
    switched(before, 1, true, [[0, 1]]);
    expect([...before]).toEqual([0]);
  });
});

describe("references", () => {
  it("are those that fit, the most alike first, after the one that is the first of them", () => {
    expect(options(said)).toEqual([
      [-1, "the most alike of those that fit"],
      [2, "c.png · 0.900"],
      [1, "b.png · 0.500"],
    ]);
  });

  it("name the one that was given, which is of no ranking", () => {
    expect(options({ ...said, taken: 0, chosen: false })[1]).toEqual([0, "given.png, as given"]);
    expect(options({ ...said, taken: 1, chosen: false })).toHaveLength(3);
  });

  it("are none where labels are all there is", () => {
    expect(options({ ...said, references: [], ranking: [], reference: null, taken: -1, chosen: false })).toEqual([
      [-1, "none"],
    ]);
  });
});

it("shares of one part of the code stand after those of the parts before it", () => {
  const answer = new Made({ ...said }, { shares: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
  expect([0, 1].map((number) => [...shareOf(answer, number)])).toEqual([
    [1, 2, 3, 4],
    [5, 6, 7, 8],
  ]);
});

describe("a page about attributes", () => {
  const bytes = new TextEncoder().encode(JSON.stringify(said));
  const kept = packed(
    {},
    {
      "attributes/said": { column: bytes },
      "attributes/source": { column: Uint8Array.of(1) },
      "attributes/output": { column: Uint8Array.of(2) },
      "attributes/shares": { column: Float32Array.of(0, 1) },
    },
  );

  it("answers what was recorded", async () => {
    const answer = await pageOf(scene(), kept).ask("attributes", {});
    expect(answer.values).toEqual(said);
    expect(["source", "reference", "output", "shares"].map((name) => answer.has(name))).toEqual([
      true,
      false,
      true,
      true,
    ]);
    expect([...answer.column<Float32Array>("shares")]).toEqual([0, 1]);
  });

  it("answers no switch, and nothing where nothing was kept", async () => {
    const body = { on: [0], labels: 0, reference: -1, amount: 1 };
    await expect(pageOf(scene(), kept).ask("switch", body)).rejects.toThrow();
    await expect(pageOf(scene(), packed({}, {})).ask("attributes", {})).rejects.toThrow();
  });
});
