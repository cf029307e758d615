// What a page answers about trees, from what Python stored (ktviz/widgets/panels/tree.py).

import type { Answer } from "../core/host";
import type { Column } from "../core/packed";
import type { StoredAnswers } from "../core/panel";
import { type Kept, Made, unstep } from "../core/stored";
import { type Descent, type Exact, pathOf, type Way } from "../panels/tree/descent";

const MOST_OUTLINED = 20_000;

export function storedTrees(kept: Kept): StoredAnswers {
  return {
    children: ({ bank, nodes }) => childrenOf(kept, bank, nodes),
    outline: ({ bank }) => {
      kept.need(`tree/${bank}/levels`);
      const columns = ["above", "levels", "sizes"].map((name) => kept.column(`tree/${bank}/${name}`));
      const [above, level, size] = columns.map((column) => column.subarray(0, outlined(columns[1])));
      return new Made({}, { above, level, size });
    },
    exact: ({ queries }) => {
      const known = kept.has("exact_path");
      const missing = known ? "" : "not in this page: ask trace.with_regret() before it is written";
      return new Made({ exact: known ? queries.map((place) => exactOf(kept, place)) : [], missing }, {});
    },
    thumbs: ({ bank, nodes }) => thumbsOf(kept, bank, nodes),
    descent: ({ queries }) => {
      kept.need("roads");
      return new Made({ descents: queries.map((place) => descentOf(kept, place)) }, {});
    },
  };
}

/** How many nodes are drawn as a whole: of the levels that fit, at least the first two; they are numbered by level. */
function outlined(levels: Column): number {
  let count = levels.length;
  while (count > MOST_OUTLINED && levels[count - 1] > 1) count = levels.indexOf(levels[count - 1]);
  return count;
}

function childrenOf(kept: Kept, bank: number, nodes: number[]): Answer {
  kept.need(`tree/${bank}/above`);
  const [above, levels, sizes, spread] = ["above", "levels", "sizes", "spread"].map((name) =>
    kept.column(`tree/${bank}/${name}`),
  );
  const below = new Int32Array(above.length);
  above.forEach((parent: number) => parent >= 0 && below[parent]++);
  const asked = new Set(nodes);
  const found = [...above.keys()].filter((node) => asked.has(node) || asked.has(above[node]));
  const column = (of: (node: number) => number | undefined) => Float32Array.from(found, (node) => of(node) ?? NaN);
  return new Made(
    {},
    {
      node: column((node) => node),
      parent: column((node) => above[node]),
      level: column((node) => levels[node]),
      size: column((node) => sizes[node]),
      children: column((node) => below[node]),
      spread: column((node) => spread[node]),
    },
  );
}

function thumbsOf(kept: Kept, bank: number, nodes: number[]): Answer {
  kept.need(`tree/${bank}/sheet`);
  const known = kept.column(`tree/${bank}/pictured`);
  const count = kept.column(`tree/${bank}/count`);
  const rows = nodes.map((node) => known.indexOf(node));
  return new Made(
    {},
    {
      node: Int32Array.from(nodes),
      count: Int32Array.from(rows, (row) => (row < 0 ? 0 : count[row])),
      row: Int32Array.from(rows),
      sheet: kept.column(`tree/${bank}/sheet`),
    },
  );
}

function descentOf(kept: Kept, place: number): Descent {
  const { scene } = kept;
  const query = scene.query[place];
  const bank = scene.bankOf(place);
  const path = pathOf(scene, place);
  const [, depth, width] = kept.shape("roads");
  const values = kept.column("roads");
  const roads = path.map((taken, level) => {
    const nodes = allChildren(kept, bank, level ? path[level - 1] : 0);
    const at = (query * depth + level) * width;
    // Cosines are stored in steps, other measures as they are.
    const near = nodes.map((_, n) => (values instanceof Float32Array ? values[at + n] : unstep(values[at + n])));
    const known = near.filter((value) => !Number.isNaN(value));
    const greedy = known.length ? nodes[near.indexOf(Math.max(...known))] : taken;
    return { nodes, similarity: near.map((value) => (Number.isNaN(value) ? null : value)), taken, greedy };
  });
  const visited = kept.has("visited") ? visitedBy(kept, query) : null;
  return {
    query,
    bank: scene.about.banks[bank].name,
    path,
    roads,
    greedy: wayOf(kept, "greedy", query),
    visited,
    ranked: false,
    passed: above(kept, bank, visited ?? []),
  };
}

/** Nodes and cosines as Python stored them. */
function wayOf(kept: Kept, name: "greedy" | "exact", row: number): Way {
  const [, depth] = kept.shape(`${name}_path`);
  const path = [...kept.column(`${name}_path`).subarray(row * depth, (row + 1) * depth)].filter((node) => node >= 0);
  const near = kept.column(`${name}_near`).subarray(row * depth, row * depth + path.length);
  return { path, near: Array.from(near, (value) => (Number.isNaN(value) ? null : value)) };
}

function exactOf(kept: Kept, place: number): Exact {
  return {
    ...wayOf(kept, "exact", place),
    source: kept.column("exact_source")[place],
    box: [...kept.column("exact_box").subarray(4 * place, 4 * place + 4)],
    similarity: kept.column("exact_similarity")[place],
    bank: kept.scene.about.banks[kept.column("exact_bank")[place]].name,
  };
}

/** All children of a node, also those that the page does not describe, in the order of their numbers. */
function allChildren(kept: Kept, bank: number, node: number): number[] {
  const found: number[] = [];
  kept.column(`tree/${bank}/above`).forEach((parent: number, child: number) => {
    if (parent === node) found.push(child);
  });
  return found;
}

function visitedBy(kept: Kept, query: number): number[] {
  const [, bytes] = kept.shape("visited");
  const bits = kept.column("visited").subarray(query * bytes, (query + 1) * bytes);
  const found: number[] = [];
  bits.forEach((byte: number, at: number) => {
    for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) found.push(8 * at + bit);
  });
  return found;
}

/** How many of some leaves lie below each node above them. */
function above(kept: Kept, bank: number, leaves: number[]): [number, number][] {
  const parents = kept.column(`tree/${bank}/above`);
  const counts = new Map<number, number>();
  for (const leaf of leaves) {
    for (let node = parents[leaf]; node > 0; node = parents[node]) counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  return [...counts];
}
