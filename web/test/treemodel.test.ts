import { describe, expect, it } from "vitest";
import type { Answer } from "../src/core/host";
import { AT_ONCE, type Cluster, LIT, MOST_NODES, type Placed, ROW, TreeModel } from "../src/panels/tree/model";

/** Nodes as Python describes them. */
function described(nodes: Partial<Cluster>[]): Answer {
  const whole = nodes.map((node) => ({ node: 0, parent: -1, level: 0, size: 1, children: 0, spread: 0, ...node }));
  return {
    values: {},
    has: () => true,
    column: (name: string) => Float32Array.from(whole, (node) => node[name as keyof Cluster]) as never,
  };
}

/** A tree whose every level has so many children a node, described down to some depth; nodes count level by level. */
function full(...branching: number[]): Answer {
  const nodes: Partial<Cluster>[] = [{ node: 0, children: branching[0] ?? 0 }];
  let [first, width] = [0, 1];
  branching.forEach((children, level) => {
    const next = first + width;
    for (let n = 0; n < width * children; n++) {
      nodes.push({
        node: next + n,
        parent: first + Math.floor(n / children),
        level: level + 1,
        children: branching[level + 1] ?? 0,
      });
    }
    [first, width] = [next, width * children];
  });
  return described(nodes);
}

function model(answer: Answer): TreeModel {
  const made = new TreeModel();
  made.learn(answer);
  return made;
}

const ids = (placed: Placed[]) => placed.map((one) => one.data.id);
const plain = () => 0;

describe("a tree", () => {
  it("is empty until something was described", () => expect(new TreeModel().layout(plain)).toEqual([]));

  it("is its root while that is folded", () => expect(ids(model(full(3, 2)).layout(plain))).toEqual([0]));

  it("shows the children of unfolded nodes, and no longer those of folded ones", () => {
    const tree = model(full(3, 2));
    tree.unfold(0);
    tree.unfold(2);
    expect(ids(tree.layout(plain)).sort()).toEqual([0, 1, 2, 3, 6, 7]);
    tree.fold(2);
    expect(ids(tree.layout(plain)).sort()).toEqual([0, 1, 2, 3]);
    tree.fold(0);
    expect(ids(tree.layout(plain))).toEqual([0]);
  });

  it("knows the children of a node only once all of them came", () => {
    const tree = model(
      described([
        { node: 0, children: 2 },
        { node: 1, parent: 0 },
      ]),
    );
    expect(tree.knows(0)).toBe(false);
    expect(tree.knows(1)).toBe(true); // a leaf
    tree.learn(
      described([
        { node: 1, parent: 0 },
        { node: 2, parent: 0 },
      ]),
    );
    expect(tree.knows(0)).toBe(true);
    tree.unfold(0);
    expect(ids(tree.layout(plain)).sort()).toEqual([0, 1, 2]);
  });

  it("does not know the children of a node of whose many only some came", () => {
    const tree = model(
      described([
        { node: 0, children: 9 },
        { node: 4, parent: 0, children: 3 },
        { node: 5, parent: 0 },
      ]),
    );
    expect(tree.knows(0)).toBe(false);
  });

  it("puts siblings below each other without overlap, and levels beside each other", () => {
    const tree = model(full(3, 4));
    for (const node of [0, 1, 2, 3]) tree.unfold(node);
    const placed = tree.layout(plain);
    const deepest = placed.filter((one) => one.depth === 2).sort((one, other) => one.x - other.x);
    expect(deepest).toHaveLength(12);
    for (let n = 1; n < deepest.length; n++) expect(deepest[n].x - deepest[n - 1].x).toBeGreaterThanOrEqual(ROW);
    expect(new Set(deepest.map((one) => one.y)).size).toBe(1);
  });
});

describe("a node of many children", () => {
  const merit = (cluster: Cluster) => (cluster.node === 70 ? LIT : cluster.node % 7);

  it("shows those of most merit, and the others as one sum", () => {
    const tree = model(full(100));
    tree.unfold(0);
    const placed = tree.layout(merit);
    expect(placed).toHaveLength(1 + AT_ONCE + 1);
    const rest = placed.filter((one) => !one.data.cluster);
    expect(rest.map((one) => one.data.rest)).toEqual([100 - AT_ONCE]);
    expect(ids(placed)).toContain(70);
  });

  it("shows more when asked, until there is no sum left", () => {
    const tree = model(full(100));
    tree.unfold(0);
    tree.showMore(0);
    expect(
      tree
        .layout(merit)
        .filter((one) => !one.data.cluster)
        .map((one) => one.data.rest),
    ).toEqual([100 - 6 * AT_ONCE]);
    tree.showMore(0);
    expect(tree.layout(merit)).toHaveLength(101);
  });

  it("has the lit one in the middle of those that are shown", () => {
    const tree = model(full(100));
    tree.unfold(0);
    const shown = tree
      .layout(merit)
      .filter((one) => one.data.cluster && one.depth === 1)
      .sort((one, other) => one.x - other.x);
    expect(shown[AT_ONCE / 2].data.id === 70 || shown[AT_ONCE / 2 - 1].data.id === 70).toBe(true);
  });

  it("keeps the order of merit where nothing is lit", () => {
    const tree = model(full(5));
    tree.unfold(0);
    const shown = tree
      .layout((cluster) => cluster.node)
      .filter((one) => one.depth === 1)
      .sort((one, other) => one.x - other.x);
    expect(ids(shown)).toEqual([5, 4, 3, 2, 1]);
  });
});

describe("a tree of 100,000 leaves", () => {
  const SHOWN = 6 * AT_ONCE;
  /** Unfolds as a person does: always nodes that are in sight. */
  function unfold(tree: TreeModel, nodes: number[]): TreeModel {
    for (const node of nodes) {
      tree.unfold(node);
      tree.showMore(node);
    }
    return tree;
  }
  /** A node of the first level, then nodes below it. */
  const branch = (first: number, count: number) => [
    first,
    ...Array.from({ length: count }, (_, n) => first * 100 - 89 + n),
  ];

  // How fast it is, `python -m benchmarks views` says. Bounds of time here only tell linear from quadratic.
  it("is laid out at once, as far as it may be unfolded", () => {
    const tree = unfold(model(full(10, 100, 100)), [0, ...branch(1, 50)]);
    expect(tree.layout(plain).length).toBeGreaterThan(0.9 * MOST_NODES);
    expect(fastest(() => tree.layout(plain))).toBeLessThan(500);
  });

  it("never has more nodes in its layout than it may", () => {
    const tree = unfold(model(full(10, 100, 100)), [0]);
    for (let first = 1; first <= 10; first++) {
      unfold(tree, branch(first, 100));
      expect(tree.layout(plain).length).toBeLessThanOrEqual(MOST_NODES + SHOWN);
    }
  });

  it("shows what was unfolded last, also when something else had to be folded", () => {
    const tree = unfold(model(full(10, 100, 100)), [0]);
    for (let first = 1; first <= 10; first++) unfold(tree, branch(first, SHOWN));
    const last = branch(10, SHOWN).at(-1);
    expect(tree.layout(plain).filter((one) => one.parent?.data.id === last).length).toBeGreaterThanOrEqual(AT_ONCE);
  });

  it.each([[[100_000]], [[10, 10_000]]])(
    "is taken in and laid out at once, also where branches are %j",
    (branching) => {
      const answer = full(...branching);
      expect(timed(() => model(answer))).toBeLessThan(10_000); // in quadratic time it takes minutes
      const tree = model(answer);
      for (let node = 0; node <= (branching.length > 1 ? branching[0] : 0); node++) tree.unfold(node);
      const merit = (cluster: Cluster) => (cluster.node * 7919) % 1000;
      expect(fastest(() => tree.layout(merit))).toBeLessThan(500);
    },
  );
});

/** Time of a call, the shortest of seven: other processes only make it longer. */
function fastest(call: () => unknown): number {
  return Math.min(...Array.from({ length: 7 }, () => timed(call)));
}

function timed(call: () => unknown): number {
  const start = performance.now();
  call();
  return performance.now() - start;
}
