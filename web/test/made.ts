// Scenes made by hand, for what no translation would show.

import type { Column } from "../src/core/packed";
import { Packed } from "../src/core/packed";
import { type About, Scene } from "../src/core/scene";

const NAMES = {
  Uint8Array: "uint8",
  Int16Array: "int16",
  Uint16Array: "uint16",
  Int32Array: "int32",
  Float32Array: "float32",
};
type Parts = Record<string, { column: Column; shape?: number[] }>;

/** A container as Python packs it. */
export function packed(values: Record<string, unknown>, parts: Parts): Packed {
  const described: Record<string, unknown> = {};
  let at = 0;
  for (const [name, { column, shape }] of Object.entries(parts)) {
    const type = NAMES[column.constructor.name as keyof typeof NAMES];
    described[name] = { type, shape: shape ?? [column.length], at, bytes: column.byteLength };
    at += Math.ceil(column.byteLength / 8) * 8;
  }
  const header = new TextEncoder().encode(JSON.stringify({ ...values, parts: described }));
  const start = Math.ceil((4 + header.length) / 8) * 8;
  const bytes = new Uint8Array(start + at).fill(32, 4, start);
  new DataView(bytes.buffer).setUint32(0, start - 4, true);
  bytes.set(header, 4);
  let to = start;
  for (const { column } of Object.values(parts)) {
    bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), to);
    to += Math.ceil(column.byteLength / 8) * 8;
  }
  return Packed.read(bytes);
}

interface Grid {
  rows: number;
  columns: number;
  /** Side of a box in px; boxes lie half of it apart. */
  side: number;
  /** Number of the winning source of each retrieval. */
  source: number[];
  similarity?: number[];
  names?: string[];
}

/** A scene of retrievals on a grid, one candidate each. */
export function gridScene({ rows, columns, side, source, similarity, names }: Grid): Scene {
  const count = rows * columns;
  const box = Float32Array.from({ length: 4 * count }, (_, at) => {
    const [place, n] = [Math.floor(at / 4), at % 4];
    return [((place % columns) * side) / 2, (Math.floor(place / columns) * side) / 2, side, side][n];
  });
  const titles =
    names ?? Array.from({ length: 1 + source.reduce((most, one) => Math.max(most, one), 0) }, (_, n) => `source ${n}`);
  const size = { width: ((columns + 1) * side) / 2, height: ((rows + 1) * side) / 2 };
  const about: Partial<About> = {
    canvas: { ...size, name: "input", title: "Input", shrunk: false },
    output: { ...size, name: "output", title: "Output", shrunk: false },
    beside: [],
    measures: {},
    lacking: {},
    queries: count,
    candidates: 1,
    weights: [1, 1, 1, 0],
    frozen: "",
    site: "retrieval",
    sites: [{ name: "retrieval", retrievals: count, direction: null }],
    banks: [{ name: "task/style", nodes: 0, depth: 0, entries: 0, words: [], measure: "" }],
    sources: titles.map((name) => sourceNamed(name)),
    unlisted: 0,
  };
  return new Scene(
    packed(about, {
      query: { column: Int32Array.from({ length: count }, (_, n) => n) },
      y: { column: Int32Array.from({ length: count }, (_, n) => Math.floor(n / columns)) },
      x: { column: Int32Array.from({ length: count }, (_, n) => n % columns) },
      box: { column: box, shape: [count, 4] },
      source_box: { column: box, shape: [count, 4] },
      margin: { column: new Float32Array(count).fill(Number.NaN) },
      coherent: { column: new Uint8Array(count) },
      piece: { column: new Int16Array(count) },
      entry: { column: Int32Array.from({ length: count }, (_, n) => n) },
      source: { column: Int32Array.from(source) },
      similarity: { column: Float32Array.from(similarity ?? new Array(count).fill(0.9)) },
    }),
  );
}

interface Mixed {
  /** Entries and their weights, in equal runs of candidates; -1 for none. */
  entry: number[];
  weight: number[];
  entropy: number[];
  rows: number;
  columns: number;
}

/** A scene of places in a row that mix cells of 4x4 px of one source of 7x6 px. */
export function mixedScene({ entry, weight, entropy, rows, columns }: Mixed): Scene {
  const count = entropy.length;
  const plain = gridScene({ rows: 1, columns: count, side: 8, source: new Array(count).fill(0) });
  const k = entry.length / count;
  const source = { ...plain.about.sources[0], width: 7, height: 6 };
  const about: Partial<About> = {
    ...plain.about,
    candidates: k,
    sources: [source],
    cells: { source: 0, rows, columns, down: 4, across: 4 },
  };
  const shape = [count, k];
  return new Scene(
    packed(about, {
      query: { column: plain.query },
      box: { column: plain.box, shape: [count, 4] },
      source_box: { column: plain.sourceBox, shape: [count, 4] },
      margin: { column: plain.margin },
      coherent: { column: plain.coherent },
      entry: { column: Int32Array.from({ length: count }, (_, n) => entry[n * k]) },
      source: { column: new Int16Array(count) },
      similarity: { column: new Float32Array(count).fill(0.5) },
      "mixed/entry": { column: Int32Array.from(entry), shape },
      "mixed/source": { column: Int16Array.from(entry, (one) => (one < 0 ? -1 : 0)), shape },
      "mixed/weight": { column: Float32Array.from(weight), shape },
      entropy: { column: Float32Array.from(entropy) },
    }),
  );
}

function sourceNamed(name: string) {
  const unknown = { title: name, creator: "unknown", year: "unknown", licence: "unknown", url: "unknown" };
  return {
    name,
    bank: "task/style",
    ...unknown,
    width: 64,
    height: 64,
    share: 0.5,
    retrievals: 1,
    colour: 0,
    here: true,
  };
}
