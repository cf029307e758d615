// A node of the tree as a card: exemplar patches, size, spread, visits, and how near the selected retrieval is to it.

import { count, counted, h } from "../../core/dom";
import { type Bank, decodePicture } from "../../core/scene";
import type { Session } from "../../core/session";
import type { Trail } from "./descent";
import type { Leaf } from "./model";

/** Exemplars in a row of a sheet of pictures. */
const EXEMPLARS = 6;
const AT_ONCE = 48;

/** Exemplar patches of nodes, asked for when their cards come into sight. */
export class NodePictures {
  private readonly sheets = new Map<string, { sheet: ImageBitmap; row: number; count: number }>();
  private readonly asked = new Set<string>();

  constructor(
    private readonly session: Session,
    private readonly onCome: () => void,
  ) {}

  want(bank: number, nodes: number[]): void {
    const missing = nodes.filter((node) => !this.asked.has(`${bank}/${node}`)).slice(0, AT_ONCE);
    if (missing.length) void this.fetch(bank, missing);
  }

  private async fetch(bank: number, nodes: number[]): Promise<void> {
    for (const node of nodes) this.asked.add(`${bank}/${node}`);
    const answer = await this.session.ask("thumbs", { bank, nodes }, `${bank}/${nodes[0]}`);
    if (!answer) {
      for (const node of nodes) this.asked.delete(`${bank}/${node}`);
      return;
    }
    const sheet = await decodePicture(answer.column<Uint8Array>("sheet"));
    const counts = answer.column<Int32Array>("count");
    const rows = answer.column<Int32Array>("row");
    answer
      .column<Int32Array>("node")
      .forEach((node, n) => this.sheets.set(`${bank}/${node}`, { sheet, row: rows[n], count: counts[n] }));
    this.onCome();
  }

  has(bank: number, node: number): boolean {
    return this.sheets.has(`${bank}/${node}`);
  }

  /** The medoid of a node large, and four members beside it. */
  mosaic(bank: number, node: number, side: number): HTMLCanvasElement {
    const places = [
      [0, 0, 2],
      [2, 0, 1],
      [3, 0, 1],
      [2, 1, 1],
      [3, 1, 1],
    ];
    return this.canvas(bank, node, side, 4, 2, places);
  }

  /** The exemplars of a node side by side, medoid first. */
  strip(bank: number, node: number, side: number): HTMLCanvasElement {
    const count = Math.max(1, this.sheets.get(`${bank}/${node}`)?.count ?? 0);
    return this.canvas(
      bank,
      node,
      side,
      count,
      1,
      Array.from({ length: count }, (_, n) => [n, 0, 1]),
    );
  }

  /** Exemplars at places [across, down, size] of a grid. */
  private canvas(
    bank: number,
    node: number,
    side: number,
    across: number,
    down: number,
    places: number[][],
  ): HTMLCanvasElement {
    const ratio = globalThis.devicePixelRatio || 1;
    const canvas = h("canvas", {
      class: "kt-patch",
      role: "img",
      "aria-label": `Exemplars of node ${node}, medoid first`,
    });
    [canvas.width, canvas.height] = [across * side * ratio, down * side * ratio];
    [canvas.style.width, canvas.style.height] = [`${across * side}px`, `${down * side}px`];
    const found = this.sheets.get(`${bank}/${node}`);
    if (!found) return canvas;
    const context = canvas.getContext("2d")!;
    context.imageSmoothingEnabled = false;
    places.slice(0, found.count).forEach(([x, y, size], n) => {
      const px = found.sheet.width / EXEMPLARS;
      const from = [n * px, found.row * px, px, px] as const;
      const unit = side * ratio;
      context.drawImage(found.sheet, ...from, x * unit, y * unit, size * unit, size * unit);
    });
    return canvas;
  }
}

interface Shown {
  leaf: Leaf;
  x: number;
  y: number;
  visits: number;
  total: number;
  trail: Trail | null;
  unfolded: boolean;
  selected: boolean;
  active: boolean;
  pictures: NodePictures;
  bank: number;
  about: Bank;
}

/** How far apart the entries of a node are; a page does not keep it of all nodes of very large trees. */
export function spreadOf(spread: number, digits: number): string {
  return Number.isNaN(spread) ? "" : `spread ${spread.toFixed(digits)}`;
}

export class NodeCard {
  readonly el = h("div", { class: "kt-node", role: "treeitem" });
  private drawn = "";

  constructor(onPick: () => void, onToggle: () => void) {
    this.el.addEventListener("click", (event) => {
      if ((event.target as Element).closest(".kt-fold")) onToggle();
      else onPick();
    });
    this.el.addEventListener("dblclick", onToggle);
  }

  update(shown: Shown): void {
    const { leaf, trail } = shown;
    this.el.style.transform = `translate(${shown.x}px, ${shown.y - 24}px)`;
    this.el.tabIndex = shown.active ? 0 : -1;
    this.el.setAttribute("aria-selected", String(shown.selected));
    this.el.classList.toggle("kt-chosen", shown.selected);
    this.el.classList.toggle("kt-lit", trail?.path.has(leaf.id) ?? false);
    const key = JSON.stringify([
      shown.unfolded,
      shown.visits,
      shown.pictures.has(shown.bank, leaf.id),
      trail?.similarity.get(leaf.id),
      trail?.visited.get(leaf.id),
      trail?.passed.get(leaf.id),
      leaf.rest,
      trail?.greedy.has(leaf.id),
    ]);
    if (key === this.drawn) return;
    this.drawn = key;
    if (!leaf.cluster) return this.sum(leaf);
    this.fill(shown);
  }

  private sum(leaf: Leaf): void {
    this.el.setAttribute("aria-label", `${leaf.rest} more nodes`);
    this.el.setAttribute("aria-level", "2");
    this.el.classList.add("kt-rest");
    this.el.replaceChildren(h("span", {}, `+ ${count(leaf.rest)} more`));
  }

  private fill({ leaf, trail, visits, total, unfolded, pictures, bank, about }: Shown): void {
    const { node, level, size, children, spread } = leaf.cluster!;
    const near = trail?.similarity.get(node);
    const rank = trail?.visited.get(node);
    const passed = trail?.passed.get(node);
    const word = about.words[node];
    const [entries, apart] = [counted(size, "entry", "entries"), spreadOf(spread, 2)];
    const facts = word ? [word, entries] : [entries, apart];
    this.el.setAttribute("aria-level", String(level + 1));
    if (children) this.el.setAttribute("aria-expanded", String(unfolded));
    const told = [
      word ? "" : `Node ${node}`,
      ...facts,
      total > 0 ? counted(visits, "visit") : "",
      near === undefined ? "" : `similarity ${near.toFixed(2)}`,
    ];
    this.el.setAttribute("aria-label", told.filter(Boolean).join(", "));
    const bar = h("i");
    bar.style.width = `${(100 * visits) / Math.max(1, total)}%`;
    const content = [
      pictures.mosaic(bank, node, 20),
      h(
        "span",
        { class: "kt-facts" },
        h("span", {}, facts[0]),
        h("span", { class: "kt-faint" }, facts[1]),
        total > 0 &&
          h(
            "span",
            { class: "kt-visits", title: `${visits} of ${total} winners come from here` },
            bar,
            h("span", {}, counted(visits, "visit")),
          ),
      ),
      near === undefined
        ? null
        : h(
            "span",
            { class: "kt-near", title: `Of the selected retrieval to this node: ${about.measure}` },
            near.toFixed(2),
          ),
      trail?.greedy.has(node) && !trail.path.has(node) ? h("span", { class: "kt-mark" }, "greedy") : null,
      rank === undefined
        ? null
        : h(
            "span",
            { class: "kt-beam", title: rank ? `Leaf visited as number ${rank}` : "Leaf visited" },
            rank ? String(rank) : "●",
          ),
      passed && children
        ? h("span", { class: "kt-beam", title: `${passed} leaves below it were visited` }, `${passed}`)
        : null,
      children
        ? h(
            "span",
            { class: "kt-fold", "aria-hidden": "true", title: unfolded ? "Fold" : "Unfold" },
            unfolded ? "‹" : "›",
          )
        : null,
    ];
    this.el.replaceChildren(...content.filter((part) => part !== null));
  }
}
