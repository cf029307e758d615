import { describe, expect, it } from "vitest";
import { fits, toCsv } from "../src/panels/table";
import { gridScene } from "./made";

type Columns = Parameters<typeof toCsv>[0];
const scene = (names: string[]) =>
  gridScene({ rows: 1, columns: names.length, side: 8, source: names.map((_, n) => n), names });
const columns: Columns = [
  { name: "query", title: "Query", value: (s, n) => s.query[n] },
  { name: "source", title: "Source", value: (s, n) => s.about.sources[s.winnerSource(n)].name },
  { name: "similarity", title: "Similarity", value: (s, n) => s.winnerSimilarity(n), digits: 3 },
];

/** CSV read as spreadsheets and pandas read it. */
function parsed(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\n"]*))(,|\n|$)/g)) {
    rows.at(-1)!.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end === "\n") rows.push([]);
    if (end === "") break;
  }
  return rows;
}

describe("a table as CSV", () => {
  it("has names of columns first, then a row for each place, in their order", () => {
    const rows = parsed(toCsv(columns, scene(["a", "b", "c"]), [2, 0]));
    expect(rows.map((row) => row.slice(0, 2))).toEqual([
      ["query", "source"],
      ["2", "c"],
      ["0", "a"],
    ]);
  });

  it("keeps numbers whole, whatever the screen shows of them", () => {
    const [, [, , similarity]] = parsed(toCsv(columns, scene(["a"]), [0]));
    expect(Math.fround(Number(similarity))).toBe(Math.fround(0.9));
  });

  it.each(["a,b", 'the "best"', "two\nlines", "carriage\rreturn", "", "Ünïcode 名"])(
    "reads back the name %j",
    (name) => {
      expect(parsed(toCsv(columns, scene([name]), [0]))[1][1]).toBe(name);
    },
  );

  it.each(["=1+1", "+1", "-1", "@now"])("gives spreadsheets no formula to run: %s", (name) => {
    expect(parsed(toCsv(columns, scene([name]), [0]))[1][1]).toBe(`'${name}`);
  });

  it("leaves a cell empty where a number is not known", () => {
    const margin: Columns = [{ name: "margin", title: "Margin", value: (s, n) => s.margin[n] }];
    expect(toCsv(margin, scene(["a", "b"]), [0, 1])).toBe("margin\n\n");
  });
});

describe("finding in the table", () => {
  const known = scene(["a/high waves.jpg", "b/pines.jpg"]);
  const found = (asked: string) => [0, 1].filter((place) => fits(columns, known, place, asked));

  it.each([
    ["", [0, 1]],
    ["WAVES", [0]],
    ["high .jpg", [0]],
    ["jpg", [0, 1]],
    ["1", [1]],
    ["similarity>0.5", [0, 1]],
    ["similarity<0.5", []],
    ["similarity>=0.5 pines", [1]],
    ["query=0", [0]],
    ["query<=0", [0]],
    ["oaks", []],
    ["colour<3", []],
  ])("takes %j", (asked, places) => {
    expect(found(asked)).toEqual(places);
  });
});
