// The part of a cluster tree that is unfolded: nodes are asked for when they are, and laid out by d3-hierarchy.

import { hierarchy, type HierarchyPointNode, tree } from "d3-hierarchy";
import type { Answer } from "../../core/host";

export const ROW = 58;
export const COLUMN = 264;
/** Children of one node that are shown one by one; the others as a sum. */
export const AT_ONCE = 16;
/** Nodes in the layout; beyond, those that were unfolded first fold up again. */
export const MOST_NODES = 5000;

/** The merit of a node on the way of the selected retrieval: it lies in the middle of its siblings. */
export const LIT = 1e9;

export interface Cluster {
  node: number;
  parent: number;
  level: number;
  size: number;
  children: number;
  spread: number;
}

/** What the layout holds: a node, or the sum of those of its parent that are not shown. */
export interface Leaf {
  id: number;
  cluster: Cluster | null;
  rest: number;
  below: Leaf[];
}
export type Placed = HierarchyPointNode<Leaf>;

export class TreeModel {
  readonly clusters = new Map<number, Cluster>();
  private readonly below = new Map<number, number[]>();
  private unfolded: number[] = [];
  private readonly shown = new Map<number, number>();

  /** Take in nodes that Python described. */
  learn(answer: Answer): void {
    const [node, parent, level, size, children, spread] = ["node", "parent", "level", "size", "children", "spread"].map(
      (name) => answer.column(name),
    );
    node.forEach((number: number, n: number) => {
      if (this.clusters.has(number)) return;
      const cluster = {
        node: number,
        parent: parent[n],
        level: level[n],
        size: size[n],
        children: children[n],
        spread: spread[n],
      };
      this.clusters.set(number, cluster);
      const siblings = this.below.get(cluster.parent);
      if (siblings) siblings.push(number);
      else this.below.set(cluster.parent, [number]);
    });
  }

  /** Whether all children of a node have come. */
  knows(node: number): boolean {
    return this.clusters.get(node)?.children === (this.below.get(node)?.length ?? 0);
  }

  isUnfolded(node: number): boolean {
    return this.unfolded.includes(node);
  }

  unfold(node: number): void {
    if (!this.isUnfolded(node)) this.unfolded.push(node);
    const kept = new Set(this.above(node));
    while (this.size() > MOST_NODES) {
      const oldest = this.unfolded.findIndex((other) => !kept.has(other));
      if (oldest < 0) return;
      this.unfolded.splice(oldest, 1);
    }
  }

  /** A node and all nodes above it. */
  private above(node: number): number[] {
    const found = [node];
    for (let at = node; at > 0; ) found.push((at = this.clusters.get(at)?.parent ?? 0));
    return found;
  }

  fold(node: number): void {
    this.unfolded = this.unfolded.filter((other) => other !== node);
  }

  showMore(node: number): void {
    this.shown.set(node, (this.shown.get(node) ?? AT_ONCE) + 5 * AT_ONCE);
  }

  private size(): number {
    return this.unfolded.reduce(
      (sum, node) => sum + Math.min(this.below.get(node)?.length ?? 0, this.shown.get(node) ?? AT_ONCE),
      1,
    );
  }

  /** Places of all unfolded nodes; `merit` says which of many children come first. */
  layout(merit: (cluster: Cluster) => number): Placed[] {
    const root = this.clusters.get(0);
    if (!root) return [];
    const laid = tree<Leaf>()
      .nodeSize([ROW, COLUMN])
      .separation((a, b) => (a.parent === b.parent ? 1 : 1.25))(
      hierarchy(this.leaf(root, merit), (leaf) => leaf.below),
    );
    return laid.descendants();
  }

  private leaf(cluster: Cluster, merit: (cluster: Cluster) => number): Leaf {
    const below = this.isUnfolded(cluster.node) ? this.ranked(cluster, merit) : [];
    return { id: cluster.node, cluster, rest: 0, below };
  }

  private ranked(cluster: Cluster, merit: (cluster: Cluster) => number): Leaf[] {
    const known = (this.below.get(cluster.node) ?? []).map((node) => this.clusters.get(node)!);
    const shown = first(known, merit, this.shown.get(cluster.node) ?? AT_ONCE);
    const lit = shown.length > 0 && merit(shown[0]) >= LIT;
    const leaves = (lit ? fromTheMiddle(shown) : shown).map((child) => this.leaf(child, merit));
    const rest = cluster.children - shown.length;
    return rest > 0 ? [...leaves, { id: -1 - cluster.node, cluster: null, rest, below: [] }] : leaves;
  }
}

/** The first in the middle, the others by turns above and below: a lit way runs straight. */
function fromTheMiddle<T>(items: T[]): T[] {
  const found: T[] = [];
  items.forEach((item, n) => (n % 2 ? found.push(item) : found.unshift(item)));
  return found;
}

/** The items of the largest merit, best first, equal ones as they come: without sorting the many that are not shown. */
function first<T>(items: T[], merit: (item: T) => number, wanted: number): T[] {
  const found: { item: T; value: number }[] = [];
  for (const item of items) {
    const value = merit(item);
    if (found.length >= wanted && value <= found[found.length - 1].value) continue;
    let at = found.length;
    while (at > 0 && found[at - 1].value < value) at--;
    found.splice(at, 0, { item, value });
    if (found.length > wanted) found.pop();
  }
  return found.map(({ item }) => item);
}
