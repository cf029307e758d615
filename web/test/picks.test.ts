import { describe, expect, it } from "vitest";
import { MOST_PICKS, overview, picksOf } from "../src/core/picks";
import { gridScene } from "./made";

const all = (count: number) => Array.from({ length: count }, (_, n) => n);

describe("retrievals that get a curve", () => {
  it("are all, where there are few", () => {
    const scene = gridScene({ rows: 1, columns: 3, side: 8, source: [0, 1, 2] });
    expect(picksOf(scene, [0, 1, 2]).sort()).toEqual([0, 1, 2]);
  });

  it("are none of none", () =>
    expect(picksOf(gridScene({ rows: 1, columns: 2, side: 8, source: [0, 1] }), [])).toEqual([]));

  it("are at most eight, of at most six sources, each once", () => {
    const scene = gridScene({ rows: 20, columns: 20, side: 8, source: all(400).map((n) => n % 9) });
    const picks = overview(scene);
    expect(picks.length).toBeLessThanOrEqual(MOST_PICKS);
    expect(new Set(picks).size).toBe(picks.length);
    expect(new Set(picks.map((place) => scene.winnerSource(place))).size).toBeLessThanOrEqual(6);
  });

  it("are shared out by how many each source painted", () => {
    const scene = gridScene({ rows: 10, columns: 10, side: 8, source: all(100).map((n) => (n < 75 ? 0 : 1)) });
    const picks = overview(scene).map((place) => scene.winnerSource(place));
    expect(picks.filter((source) => source === 0)).toHaveLength(6);
    expect(picks.filter((source) => source === 1)).toHaveLength(2);
  });

  it("are the most similar of those that are far from each other", () => {
    const similarity = all(100).map((n) => (n === 0 || n === 99 ? 0.99 : 0.5));
    const scene = gridScene({ rows: 10, columns: 10, side: 8, source: all(100).map(() => 0), similarity });
    expect(
      overview(scene)
        .slice(0, 2)
        .sort((one, other) => one - other),
    ).toEqual([0, 99]);
  });

  it("come from the selection alone", () => {
    const scene = gridScene({ rows: 10, columns: 10, side: 8, source: all(100).map((n) => n % 2) });
    const picked = [3, 4, 5, 13, 14, 15];
    expect(picksOf(scene, picked).every((place) => picked.includes(place))).toBe(true);
  });
});
