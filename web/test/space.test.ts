import { describe, expect, it } from "vitest";
import type { Place, SpaceAbout } from "../src/core/scene";
import { Frame, type Point, Space, still, uncrowded, USED } from "../src/panels/space/model";
import { explained, told } from "../src/panels/space/words";
import { known, near, pageOf } from "./known";
import { gridScene, packed } from "./made";
import { Scene } from "../src/core/scene";

const { about: fixture, codes, places, points } = known.space;
const COUNT = places.length / 2;
const ABOUT = {
  ...fixture,
  kind: "style",
  origin: "it was drawn (seed 3)",
  stored: COUNT,
  parts: [],
  gain: 5,
} as unknown as SpaceAbout;

/** The fixture's codes, numbered from 10 on in reverse: rows are no entries. */
function spaceOf(change: Partial<SpaceAbout> = {}): Space {
  const plain = gridScene({ rows: 1, columns: 1, side: 8, source: [0] });
  const credits = Array.from({ length: COUNT }, (_, row) => ({ title: `Pot ${row}`, source: `a/b/${row}` }));
  const columns = Object.fromEntries(
    ["query", "box", "source_box", "margin", "coherent", "entry", "source", "similarity"].map((name) => [
      name,
      { column: plain.column<Float32Array>(name)! },
    ]),
  );
  const scene = new Scene(
    packed(plain.about as unknown as Record<string, unknown>, {
      ...columns,
      "space/entry": { column: Int32Array.from({ length: COUNT }, (_, row) => 10 + COUNT - row) },
      "space/code": { column: Float32Array.from(codes) },
      "space/place": { column: Float32Array.from(places) },
      "space/about": { column: new TextEncoder().encode(JSON.stringify(credits)) },
    }),
  );
  return new Space({ ...ABOUT, ...change }, scene);
}

const pointOf = (space: Space, { entry, moved }: { entry: number; moved: number[] }): Point => ({
  entry: entry < 0 ? -1 : space.entry[entry],
  moved: moved as unknown as Place,
});

describe("a point", () => {
  const space = spaceOf();

  it("is the code that Python makes of it, at the same place", () => {
    for (const one of points) {
      expect(near(space.codeOf(pointOf(space, one)), one.code, 1e-5)).toBe(true);
      expect(near(space.placeOf(pointOf(space, one)), one.place, 1e-5)).toBe(true);
    }
  });

  it("has the neighbours that Python finds, in all numbers of the code", () => {
    for (const one of points) {
      const found = space.nearest(pointOf(space, one), COUNT);
      expect(found.map(({ row }) => row)).toEqual(one.nearest);
      expect(
        near(
          found.map(({ apart }) => apart),
          one.apart,
          1e-5,
        ),
      ).toBe(true);
    }
    expect(space.nearest(USED, 3).length).toBe(3);
  });

  it("keeps its code off the map wherever it is brought, and is still where it began", () => {
    const entry = space.entry[4];
    const there = space.broughtTo({ entry, moved: [5, 5] }, [0.5, -1]);
    expect(near(space.placeOf(there), [0.5, -1], 1e-9)).toBe(true);
    expect(there.entry).toBe(entry);
    const back = space.broughtTo(there, space.at(4));
    expect(still(back)).toBe(true);
    expect(still(there)).toBe(false);
    expect(space.broughtTo(USED, space.placeOf(USED))).toEqual(USED);
  });
});

describe("what is listed", () => {
  it("begins with what the used code is made of, the largest part first", () => {
    const plain = spaceOf();
    const rows = plain.nearest(USED, COUNT).map(({ row }) => row);
    const [far, farther] = rows.slice(-2);
    const space = spaceOf({
      parts: [
        [plain.entry[far], 0.25],
        [plain.entry[farther], 0.75],
      ],
    });
    const listed = space.listed(USED, 4).map(({ row }) => row);
    expect(listed).toEqual([farther, far, ...rows.slice(0, 2)]);
    const moved: Point = { entry: -1, moved: [0.1, 0] };
    expect(space.listed(moved, 4)).toEqual(space.nearest(moved, 4));
  });

  it("is what is nearest, of a drawn code", () => {
    const space = spaceOf();
    expect(space.listed(USED, 4)).toEqual(space.nearest(USED, 4));
  });
});

describe("the frame", () => {
  const shown: Place[] = [
    [0, 0],
    [10, 2],
  ];

  it("has one scale, up is up, and goes back", () => {
    const frame = new Frame(shown, 220, 200, 10);
    expect(frame.toScreen([0, 0])).toEqual([10, 120]);
    expect(frame.toScreen([10, 2])).toEqual([210, 80]);
    expect(near(frame.toPlace(...frame.toScreen([3, 1.5])), [3, 1.5], 1e-9)).toBe(true);
  });

  it("keeps what is dragged beyond it at its border", () => {
    const frame = new Frame(shown, 220, 200, 10);
    expect(frame.toPlace(-50, 999)).toEqual(frame.toPlace(0, 200));
  });

  it("shows a single place in its middle", () => {
    expect(new Frame([[3, 4]], 100, 80, 10).toScreen([3, 4])).toEqual([50, 40]);
  });
});

it("pictures stand where there is room for them, the first before the others", () => {
  const points: Place[] = [
    [0, 0],
    [30, 5],
    [60, 0],
    [60, 45],
  ];
  expect(uncrowded(points, [1, 0, 2, 3], 40)).toEqual([1, 3]);
  expect(uncrowded(points, [0, 1, 2, 3], 40)).toEqual([0, 2, 3]);
});

describe("in words", () => {
  it("how much of the variance is on the map", () => {
    const said = explained(spaceOf({ explained: [0.48, 0.25] }));
    expect(said).toBe(
      "The map shows 73 % of the variance of 9 stored style codes of 4 numbers: 48 % from left to right, 25 % from bottom to top.",
    );
    expect(explained(spaceOf({ explained: [0, 0] }))).toContain("do not differ");
    expect(explained(spaceOf({ stored: 12_000 }))).toContain("Of them the 9 nearest to the used one are on it.");
  });

  it("that a drawn code has no source", () => {
    expect(told(spaceOf(), USED)).toBe(
      "The style that was used: it was drawn (seed 3). Nothing stored has a part in it: the nearest are like it, not its cause.",
    );
    expect(told(spaceOf({ parts: [[11, 1]], origin: "it is that of a pot" }), USED)).toBe(
      "The style that was used: it is that of a pot.",
    );
  });

  it("how far a point was moved, and whose the rest of its code is", () => {
    const space = spaceOf();
    const used = told(space, { entry: -1, moved: [3, -4] });
    expect(used).toContain("5.00 from the used code (on the map 3.00 right, 4.00 down)");
    expect(used).toContain("What the map does not show is as in the used code.");
    const other = { entry: space.entry[1], moved: [-1, 0] } as const;
    expect(told(space, other)).toContain("is as in the code of Pot 1.");
    expect(told(space, { ...other, moved: [0, 0] })).toBe(
      `All of the code of Pot 1, ${space.fromUsed({ ...other, moved: [0, 0] }).toFixed(2)} from the used one.`,
    );
  });
});

describe("a page", () => {
  const scene = gridScene({ rows: 1, columns: 1, side: 8, source: [0] });

  it("has the small pictures that it kept, and no picture of another code", async () => {
    const page = pageOf(scene, packed({}, { "tile/3": { column: Uint8Array.of(1, 2) } }));
    const answer = await page.ask("entries", { entries: [3, 4] });
    expect([3, 4].map((entry) => answer.has(`tile/${entry}`))).toEqual([true, false]);
    await expect(page.ask("decode", { entry: -1, moved: [0, 0] })).rejects.toThrow();
    expect(page.live).toBe(false);
  });
});
