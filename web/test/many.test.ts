import { describe, expect, it } from "vitest";
import { shares } from "../src/core/overlap";
import { Packed } from "../src/core/packed";
import { bySource } from "../src/core/picks";
import { NO_SOURCE } from "../src/core/protocol";
import { bytesOf, known } from "./known";
import { gridScene } from "./made";

describe("of more sources than two bytes can number", () => {
  const numbers = Packed.read(bytesOf(known.many.bytes)).column("source");

  it("the numbers come as Python has them, and no source is none of them", () => {
    expect([...numbers]).toEqual(known.many.numbers);
    expect(numbers[2]).toBe(NO_SOURCE);
  });

  it("each retrieval belongs to its own, and so do shares", () => {
    const source = [...numbers].filter((number) => number !== NO_SOURCE);
    const scene = gridScene({ rows: 2, columns: 2, side: 8, source });
    expect(source.map((_, place) => scene.winnerSource(place))).toEqual(source);
    const places = Int32Array.from(source.keys());
    const found = shares(scene, places, [0.1, 0.2, 0.3, 0.4]);
    expect(found).toHaveLength(70_001);
    source.forEach((number, place) => expect(found[number]).toBeCloseTo(0.1 * (place + 1), 6));
    expect(found.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
    expect([...bySource(scene, places).keys()]).toEqual(source);
  });
});
