import { describe, expect, it } from "vitest";
import { fromText, Packed } from "../src/core/packed";
import { bytesOf, known } from "./known";

const bytes = bytesOf(known.packed.bytes);

/** The same bytes at an offset of a larger buffer, as messages hold them. */
function askew(offset: number): DataView {
  const larger = new Uint8Array(bytes.length + 16).fill(7);
  larger.set(bytes, offset);
  return new DataView(larger.buffer, offset, bytes.length);
}

function expectAll(found: Packed): void {
  expect(found.values).toEqual(known.packed.values);
  expect(found.names().sort()).toEqual(Object.keys(known.packed.parts).sort());
  for (const [name, { shape, values }] of Object.entries(known.packed.parts)) {
    expect(found.shape(name)).toEqual(shape);
    const column = found.column(name);
    expect(column).toHaveLength(values.length);
    values.forEach((value, n) => expect(column[n]).toBeCloseTo(value, 6));
  }
}

describe("what Python packs", () => {
  it("is read back with every type, shape and value", () => expectAll(Packed.read(bytes)));

  it("is read back from differences of rows, however often", () => {
    const small = bytesOf(known.packed.small);
    expect(new TextDecoder().decode(small)).toContain('"differences":true');
    const found = Packed.read(small);
    expectAll(found);
    expectAll(found);
    expectAll(Packed.read(small));
  });

  it.each([0, 1, 3, 4, 8, 13])("is read at offset %i of a larger buffer", (offset) =>
    expectAll(Packed.read(askew(offset))),
  );

  it("is read from a bare buffer", () => expectAll(Packed.read(bytes.slice().buffer)));

  it("is read from text, unpacked from gzip", async () => {
    const stream = new Blob([bytes.slice()]).stream().pipeThrough(new CompressionStream("gzip"));
    const zipped = new Uint8Array(await new Response(stream).arrayBuffer());
    expectAll(await fromText(`\n${btoa(String.fromCharCode(...zipped))}\n`));
  });

  it("names a part that is not there", () => {
    const found = Packed.read(bytes);
    expect(found.has("values")).toBe(true);
    expect(found.has("toString")).toBe(false);
    expect(() => found.column("nowhere")).toThrow("nowhere");
  });

  it("lists parts by the beginning of their names", () =>
    expect(Packed.read(bytes).names("n")).toEqual(["none", "numbers", "nodes"]));
});
