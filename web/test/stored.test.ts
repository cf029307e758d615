import { afterEach, describe, expect, it, vi } from "vitest";
import { type Answer, Unanswered } from "../src/core/host";
import type { Kind } from "../src/core/protocol";
import { Packed } from "../src/core/packed";
import type { PageHost } from "../src/page/host";
import { type Descent, type Exact, inWords } from "../src/panels/tree/descent";
import { bytesOf, known, near, pageOf, store, world } from "./known";
import { packed } from "./made";

const scene = world();
const page = (kept: Packed = store()) => pageOf(scene, kept);
/** Cosines are stored as steps of a ten thousandth. */
const STEP = 1e-4;

interface Known {
  kind: string;
  body: unknown;
  values: { descents?: Descent[]; exact?: Exact[] };
  parts: Record<string, (number | null)[]>;
  files: string[];
}
const answers = known.answers as unknown as Known[];
const of = (kind: string) => answers.filter((answer) => answer.kind === kind);
const ask = (host: PageHost, { kind, body }: Known): Promise<Answer> => host.ask(kind as Kind, body as never);

describe("a page answers as Python does", () => {
  it.each(of("candidates"))("about candidates of $body.queries", async (expected) => {
    const found = await ask(page(), expected);
    for (const [name, values] of Object.entries(expected.parts))
      expect(near(found.column(name), values, STEP), name).toBe(true);
  });

  it.each(of("children"))(
    "about nodes $body.nodes of bank $body.bank and those below, in any order",
    async (expected) => {
      const found = await ask(page(), expected);
      const rows = (column: (name: string) => ArrayLike<number | null>) =>
        Array.from(column("node"), (node, n) =>
          Object.keys(expected.parts).map((name) => (name === "node" ? node : column(name)[n])),
        ).sort((one, other) => one[0]! - other[0]!);
      const [mine, theirs] = [rows((name) => found.column(name)), rows((name) => expected.parts[name])];
      expect(mine).toHaveLength(theirs.length);
      mine.forEach((row, n) => expect(near(row as number[], theirs[n], 1e-5)).toBe(true));
    },
  );

  it.each(of("thumbs"))("with exemplars of nodes $body.nodes of bank $body.bank", async (expected) => {
    const found = await ask(page(), expected);
    expect(Array.from(found.column("node"))).toEqual(expected.parts.node);
    expect(Array.from(found.column("count"))).toEqual(expected.parts.count);
    const nodes = Array.from(store().column("tree/1/pictured"));
    expect(Array.from(found.column("row"), (row) => nodes[row])).toEqual(expected.parts.node);
    expect(text(found.column("sheet"))).toBe("tree/1/sheet");
  });

  it.each(of("pictures"))("with pictures of sources $body.sources", async (expected) => {
    const found = await ask(page(), expected);
    for (const name of expected.files) expect(text(found.column(name))).toBe(name);
    expect(found.has("picture/999")).toBe(false);
  });

  it.each(of("outline"))("about the whole tree of bank $body.bank", async (expected) => {
    const found = await ask(page(), expected);
    const count = expected.parts.level.length;
    for (const [name, values] of Object.entries(expected.parts))
      expect(Array.from(found.column(name)).slice(0, count), name).toEqual(values);
  });

  it.each(of("exact"))("about the best entries of all", async (expected) => {
    const { exact, missing } = (await ask(page(), expected)).values as { exact: Exact[]; missing: string };
    expect(missing).toBe("");
    exact.forEach((best, n) => {
      const other = expected.values.exact![n];
      expect([best.source, best.bank, best.path]).toEqual([other.source, other.bank, other.path]);
      expect(near([...best.box, best.similarity], [...other.box, other.similarity], 1e-5)).toBe(true);
      expect(near(best.near as number[], other.near, STEP)).toBe(true);
    });
    expect(exact).toHaveLength(expected.values.exact!.length);
  });

  it.each(of("descent"))("about the ways down", async (expected) => {
    const found = (await ask(page(), expected)).values.descents as Descent[];
    found.forEach((descent, n) => expectSame(descent, expected.values.descents![n]));
  });
});

function text(bytes: ArrayLike<number>): string {
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

function expectSame(found: Descent, expected: Descent): void {
  const facts = ({ query, bank, path, greedy }: Descent) => ({ query, bank, path, greedy: greedy.path });
  expect(facts(found)).toEqual(facts(expected));
  expect(new Set(found.visited)).toEqual(new Set(expected.visited));
  expect(new Map(found.passed)).toEqual(new Map(expected.passed));
  expect(found.roads.map(({ nodes, taken, greedy }) => ({ nodes, taken, greedy }))).toEqual(
    expected.roads.map(({ nodes, taken, greedy }) => ({ nodes, taken, greedy })),
  );
  found.roads.forEach((road, level) =>
    expect(near(road.similarity.map(Number), expected.roads[level].similarity.map(Number), 2 * STEP)).toBe(true),
  );
}

describe("a page with a part of a large tree", () => {
  const cut = Packed.read(bytesOf(known.cut.store));
  const [all] = of("descent");

  it("tells the whole way down of every retrieval, as Python does", async () => {
    const found = (await ask(page(cut), all)).values.descents as Descent[];
    found.forEach((descent, n) => {
      const expected = all.values.descents![n];
      expect(new Map(descent.passed)).toEqual(new Map(expected.passed));
      expectSame({ ...descent, passed: expected.passed }, expected); // in another order
    });
  });

  it("knows all nodes, and has pictures of those that are looked at first", async () => {
    const host = page(cut);
    for (const bank of [0, 1]) {
      const pictured = Array.from(cut.column(`tree/${bank}/pictured`));
      expect(pictured).toHaveLength(9);
      const above = Array.from(cut.column(`tree/${bank}/above`));
      const nodes = [...above.keys()];
      const found = await host.ask("children", { bank, nodes });
      expect(Array.from(found.column("node"))).toEqual(nodes);
      const thumbs = await host.ask("thumbs", { bank, nodes });
      const without = nodes.filter((_, n) => thumbs.column("count")[n] === 0);
      expect(without).toEqual(nodes.filter((node) => !pictured.includes(node)));
      expect(nodes.every((node, n) => thumbs.column("row")[n] === pictured.indexOf(node))).toBe(true);
    }
  });

  it("says so where it had no room for the leaves that were visited", async () => {
    const names = cut.names().filter((name) => name !== "visited");
    const poor = packed({ left_out: ["which leaves were visited"] }, {});
    const host = page(new Proxy(cut, { get: (of, name) => read(of, poor, names, name) }));
    const [descent] = (await ask(host, all)).values.descents as Descent[];
    expect([descent.visited, descent.passed]).toEqual([null, []]);
    expect(inWords(descent, scene.about.banks[0])).toContain("left out of this page");
    expect(host.leftOut).toEqual(["which leaves were visited"]);
  });
});

/** A store without some parts, with the words of another. */
function read(of: Packed, words: Packed, names: string[], name: string | symbol): unknown {
  if (name === "values") return words.values;
  if (name === "has") return (part: string) => names.includes(part);
  const found = of[name as keyof Packed];
  return typeof found === "function" ? (found as (...given: unknown[]) => unknown).bind(of) : found;
}

describe("a page without a model behind its trace", () => {
  const poor = packed({}, {});

  it.each(["candidates", "children", "thumbs", "descent", "bands"] as Kind[])("leaves %s unanswered", async (kind) => {
    const body = { queries: [0], entries: [1], nodes: [0], bank: 0 };
    await expect(page(poor).ask(kind, body as never)).rejects.toThrow(Unanswered);
  });

  it("has no pictures", async () =>
    expect((await page(poor).ask("pictures", { sources: [0] })).has("picture/0")).toBe(false));

  it.each(["region", "translate"] as Kind[])("and no page at all answers %s", async (kind) => {
    await expect(page().ask(kind, {} as never)).rejects.toThrow(Unanswered);
    expect(page().canTranslate).toBe(false);
  });
});

describe("decoded bands of a page", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("are put together from the right rows of the right sheets", async () => {
    const drawn: unknown[][] = [];
    stubCanvas(drawn);
    const [query, entry] = [
      Int32Array.of(7, -1, ...new Array(254).fill(-1), -1),
      Int32Array.of(-1, 40, ...new Array(254).fill(-1), 41),
    ];
    const kept = packed(
      {},
      {
        decoded_query: { column: query },
        decoded_entry: { column: entry },
        "decoded/0": { column: Uint8Array.of(0) },
        "decoded/1": { column: Uint8Array.of(1) },
      },
    );
    const found = await page(kept).ask("bands", { queries: [7], entries: [41, 999, 40] });
    expect(Array.from(found.column("known"))).toEqual([1, 1, 0, 1]);
    expect(drawn).toEqual([
      [0, 0, 0, 80, 16, 0, 0, 80, 16],
      [1, 0, 0, 80, 16, 0, 16, 80, 16],
      [0, 0, 16, 80, 16, 0, 48, 80, 16],
    ]);
  });
});

/** Canvases that note what is drawn: the number of the sheet, then from where to where. */
function stubCanvas(drawn: unknown[][]): void {
  class Canvas {
    constructor(
      readonly width: number,
      readonly height: number,
    ) {}
    getContext() {
      return { drawImage: ({ sheet }: { sheet: number }, ...box: number[]) => drawn.push([sheet, ...box]) };
    }
    convertToBlob() {
      return Promise.resolve(new Blob([]));
    }
  }
  vi.stubGlobal("OffscreenCanvas", Canvas);
  vi.stubGlobal("createImageBitmap", async (blob: Blob) => ({ sheet: new Uint8Array(await blob.arrayBuffer())[0] }));
}
