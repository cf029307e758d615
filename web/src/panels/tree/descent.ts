// The way of a retrieval down the tree of its winner's bank, as Python tells it (ktviz/widgets/panels/tree.py).

import { count } from "../../core/dom";
import { type Bank, type Scene, wordFor } from "../../core/scene";

export interface Descent {
  query: number;
  bank: string;
  path: number[];
  /** A similarity is null where nothing was compared. */
  roads: { nodes: number[]; similarity: (number | null)[]; taken: number; greedy: number }[];
  /** The way of greedy descent from the root. */
  greedy: Way;
  /** Leaves that were visited; null where a page had no room for them. */
  visited: number[] | null;
  /** Whether the visited leaves come best first. */
  ranked: boolean;
  /** Nodes above visited leaves, each with the number of those below it. */
  passed: [number, number][];
}

/** Nodes from below the root to a leaf, and how near the query is to each, where something was compared. */
export interface Way {
  path: number[];
  near: (number | null)[];
}

/** The best entry of all for a retrieval, and the way to it. */
export interface Exact extends Way {
  source: number;
  box: number[];
  similarity: number;
  bank: string;
}

/** Whether a trace tells of ways through a tree. */
export function hasPaths(scene: Scene): boolean {
  return scene.column("path") !== null;
}

/** Nodes on the winner's way down. */
export function pathOf(scene: Scene, place: number): number[] {
  const nodes = scene.column<Int32Array>("path");
  if (!nodes) return [];
  const [, depth] = scene.shape("path");
  return [...nodes.subarray(place * depth, (place + 1) * depth)].filter((node) => node >= 0);
}

/** What is known of the selected retrieval at a node. */
export interface Trail {
  similarity: Map<number, number>;
  path: Set<number>;
  greedy: Set<number>;
  visited: Map<number, number>;
  passed: Map<number, number>;
}

export function trailOf(descent: Descent): Trail {
  const similarity = new Map<number, number>();
  for (const road of descent.roads) {
    road.nodes.forEach((node, n) => {
      const near = road.similarity[n];
      if (near !== null) similarity.set(node, near);
    });
  }
  return {
    similarity,
    path: new Set([0, ...descent.path]),
    greedy: new Set(descent.roads.map((road) => road.greedy)),
    visited: new Map((descent.visited ?? []).map((node, rank) => [node, descent.ranked ? rank + 1 : 0])),
    passed: new Map(descent.passed),
  };
}

function visitsInWords(visited: readonly number[] | null): string {
  if (!visited) return "which leaves were visited was left out of this page";
  if (!visited.length) return "all leaves were compared";
  return `${count(visited.length)} ${visited.length === 1 ? "leaf was" : "leaves were"} visited`;
}

/** The way in a sentence or two. */
export function inWords(descent: Descent, bank: Bank): string {
  const steps = descent.roads.map((road) => {
    const near = road.similarity[road.nodes.indexOf(road.taken)];
    if (near === null) return wordFor(bank, road.taken);
    const greedy = road.greedy === road.taken ? "" : `, greedy takes ${wordFor(bank, road.greedy)}`;
    return `${wordFor(bank, road.taken)} (${near.toFixed(2)}${greedy})`;
  });
  const visited = visitsInWords(descent.visited);
  const leaf = descent.greedy.path.at(-1) ?? 0;
  const elsewhere = leaf === (descent.path.at(-1) ?? 0) ? "" : `; greedy descent ends in ${wordFor(bank, leaf)}`;
  return `Winner's way: root → ${steps.join(" → ")}. ${visited[0].toUpperCase()}${visited.slice(1)}${elsewhere}.`;
}
