import { describe, expect, it } from "vitest";
import { type Bands, order, rescored, sameWeights, similarity } from "../src/panels/bands/rerank";
import { known, near, pageOf, store, world } from "./known";

const scene = world();
const answer = await pageOf(scene, store()).ask("candidates", { queries: [...scene.query.keys()] });
const bands: Bands = {
  cosine: answer.column<Float32Array>("bands"),
  entry: answer.column<Float32Array>("entry_bands"),
  query: answer.column<Float32Array>("query_bands"),
  k: scene.k,
};
const [ids, recorded] = [answer.column("entry"), answer.column("similarity")];
/** What half steps of cosines and parts of norm may change. */
const STEP = 2e-4;

describe.each(known.reweigh)("with band weights $weights", ({ weights, similarity: expected, winner }) => {
  it("every candidate is as similar as Python says", () => {
    for (let row = 0; row < scene.count; row++)
      expect(near(rescored(bands, row, weights), expected[row], STEP)).toBe(true);
  });

  it("the best of every retrieval is Python's, where the call is not too close", () => {
    let clear = 0;
    for (let row = 0; row < scene.count; row++) {
      const own = recorded.subarray(row * scene.k, (row + 1) * scene.k);
      const values = sameWeights(weights, scene.weights) ? own : rescored(bands, row, weights);
      const ranked = order(values);
      if (!sameWeights(weights, scene.weights) && values[ranked[0]] - values[ranked[1]] < 2 * STEP) continue;
      clear++;
      expect(ids[row * scene.k + ranked[0]]).toBe(winner[row]);
    }
    expect(clear).toBeGreaterThan(scene.count / 2);
  });
});

describe("the order of candidates", () => {
  it("is that of ranks where similarities are equal, and leaves out those that are not there", () => {
    expect(order([0.5, 0.9, Number.NaN, 0.9, -0.1])).toEqual([1, 3, 0, 4]);
  });

  it("is not asked of bands that hold nothing: their similarity is 0", () => {
    expect(similarity([0, 0, 0, 1], [1, 1, 1, 1], [1, 0, 0, 0], [1, 0, 0, 0])).toBe(0);
  });
});
