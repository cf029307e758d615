// The tree as cards joined by lines: unfolded where a way went, and wherever a person looks; it zooms, and has keys.

import { select } from "d3-selection";
import { type D3ZoomEvent, zoom, type ZoomBehavior, zoomIdentity, type ZoomTransform } from "d3-zoom";
import { button, fitCanvas, h } from "../../core/dom";
import type { Bank } from "../../core/scene";
import type { Trail } from "./descent";
import { CARD, CARDS_FROM, drawLines } from "./lines";
import { type Cluster, type Leaf, LIT, type Placed, ROW, type TreeModel } from "./model";
import { NodeCard, type NodePictures } from "./node";

const MARGIN = 60;

/** The tree that is drawn, and what is known of it. */
export interface Ground {
  /** Number of the bank, and what is said of it. */
  bank: number;
  about: Bank;
  model: TreeModel;
  /** How often winners passed each node. */
  visits: ArrayLike<number>;
  trail: Trail | null;
  /** The selected node and those above it: they are shown, however many siblings they have. */
  wanted: ReadonlySet<number>;
  /** The selected node, -1 for none. */
  selected: number;
}

/** What a person did. */
export interface Doings {
  pick(node: number): void;
  /** Ask for the children of a node, and unfold it. */
  unfold(node: number): Promise<void>;
}

export class TreeBox {
  readonly el = h("div", {
    class: "kt-treebox",
    role: "tree",
    tabindex: 0,
    "aria-label": "Nodes of the cluster tree",
  });
  private readonly lines = h("canvas", { "aria-hidden": "true" });
  private readonly nodes = h("div", { class: "kt-nodes", role: "presentation" });
  private readonly cards = new Map<number, NodeCard>();
  private readonly zooming: ZoomBehavior<HTMLElement, unknown>;
  private transform: ZoomTransform = zoomIdentity;
  private placed: Placed[] = [];
  private active = 0;

  /** @param ground what is drawn; null while nothing is known */
  constructor(
    private readonly ground: () => Ground | null,
    private readonly pictures: NodePictures,
    private readonly doings: Doings,
  ) {
    this.zooming = zoom<HTMLElement, unknown>()
      .duration(0)
      .scaleExtent([0.04, 2])
      .filter(
        (event: MouseEvent) =>
          event.type !== "dblclick" && (event.type !== "wheel" || event.ctrlKey || event.metaKey || this.focused()),
      )
      .on("zoom", (event: D3ZoomEvent<HTMLElement, unknown>) => {
        this.transform = event.transform;
        this.render();
      });
    select<HTMLElement, unknown>(this.el).call(this.zooming);
    this.el.append(this.lines, this.nodes);
    this.el.addEventListener("keydown", (event) => this.pressed(event));
  }

  buttons(): HTMLElement {
    const step = (factor: number) => this.zooming.scaleBy(select<HTMLElement, unknown>(this.el), factor);
    return h(
      "span",
      { class: "kt-group" },
      button("−", () => step(0.6), { "aria-label": "Zoom the tree out" }),
      button("+", () => step(1.6), { "aria-label": "Zoom the tree in" }),
      button("Fit", () => this.fit(), { "aria-label": "Fit the tree" }),
    );
  }

  private focused(): boolean {
    const root = this.el.getRootNode() as Document | ShadowRoot;
    return this.el.contains(root.activeElement);
  }

  private transformTo(transform: ZoomTransform): void {
    this.zooming.transform(select<HTMLElement, unknown>(this.el), transform);
  }

  /** Lay the unfolded nodes out again. */
  arrange(): void {
    const ground = this.ground();
    if (!ground) return;
    const { trail, wanted, visits } = ground;
    const merit = ({ node, size }: Cluster) =>
      (trail?.path.has(node) ? LIT : 0) +
      (wanted.has(node) ? 2e8 : 0) +
      (trail?.greedy.has(node) ? 1e8 : 0) +
      1e7 * (trail?.similarity.get(node) ?? 0) +
      visits[node] +
      1e-9 * size;
    this.placed = ground.model.layout(merit);
    this.render();
  }

  /** Show nothing, till another tree is laid out. */
  empty(): void {
    this.placed = [];
    this.active = 0;
    for (const [id, card] of this.cards) this.drop(id, card);
  }

  fit(): void {
    if (!this.placed.length) return;
    const [top, bottom] = [Math.min(...this.placed.map((p) => p.x)), Math.max(...this.placed.map((p) => p.x))];
    const right = Math.max(...this.placed.map((p) => p.y)) + CARD;
    const [width, height] = [this.el.clientWidth, this.el.clientHeight];
    const k = Math.min(1, Math.max(CARDS_FROM + 0.05, Math.min(width / (right + 20), height / (bottom - top + ROW))));
    this.transformTo(zoomIdentity.translate(10, height / 2 - (k * (top + bottom)) / 2).scale(k));
  }

  bringIntoSight(node: number): void {
    const found = this.placeOf(node);
    if (!found) return;
    const [width, height] = [this.el.clientWidth, this.el.clientHeight];
    const k = Math.min(1, Math.max(0.6, width / (found.y + CARD + 20)));
    const x = Math.min(10, width - k * (found.y + CARD + 10));
    this.transformTo(zoomIdentity.translate(x, height / 2 - k * found.x).scale(k));
  }

  /** Show a node, and let the keys start there. */
  goTo(node: number): void {
    this.active = node;
    this.arrange();
    if (!this.isInSight(node)) this.bringIntoSight(node);
  }

  private isInSight(node: number): boolean {
    const found = this.placeOf(node);
    if (!found) return false;
    const [left, top] = this.transform.apply([found.y, found.x]);
    return left >= 0 && left < this.el.clientWidth - MARGIN && top > 20 && top < this.el.clientHeight - 20;
  }

  /** Draw what is in sight: lines and dots always, cards where they can be read. */
  render(): void {
    const ground = this.ground();
    const [width, height] = [this.el.clientWidth, this.el.clientHeight];
    if (!ground || !width || !this.placed.length) return;
    const { x, y, k } = this.transform;
    const near = this.placed.filter((one) => {
      if (one.data.id === this.active) return true; // it may have the focus, which a card that goes takes along
      const [left, top] = [one.y * k + x, one.x * k + y];
      return top > -MARGIN && top < height + MARGIN && left > -CARD * k - MARGIN && left < width + MARGIN;
    });
    this.drawLines(width, height, ground.trail);
    this.nodes.style.transform = `translate(${x}px, ${y}px) scale(${k})`;
    const shown = k >= CARDS_FROM ? near : [];
    const kept = new Set(shown.map((one) => one.data.id));
    for (const [id, card] of this.cards) if (!kept.has(id)) this.drop(id, card);
    for (const one of shown) this.place(one, ground);
    this.pictures.want(
      ground.bank,
      shown.filter((one) => one.data.cluster).map((one) => one.data.id),
    );
  }

  private drop(id: number, card: NodeCard): void {
    card.el.remove();
    this.cards.delete(id);
  }

  private place(one: Placed, { bank, about, model, visits, trail, selected }: Ground): void {
    const key = one.data.id;
    let card = this.cards.get(key);
    if (!card) {
      card = new NodeCard(
        () => this.pick(one.data),
        () => void this.toggle(one.data),
      );
      this.cards.set(key, card);
      this.nodes.append(card.el);
    }
    const { cluster } = one.data;
    card.update({
      leaf: one.data,
      x: one.y,
      y: one.x,
      visits: cluster ? visits[cluster.node] : 0,
      total: visits[0],
      trail,
      unfolded: model.isUnfolded(key),
      selected: selected === key,
      active: key === this.active,
      pictures: this.pictures,
      bank,
      about,
    });
  }

  private drawLines(width: number, height: number, trail: Trail | null): void {
    const context = fitCanvas(this.lines, width, height);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(this.el);
    const colours: [string, string] = [style.getPropertyValue("--kt-line"), style.getPropertyValue("--kt-accent")];
    const isLit = (one: Placed) => trail?.path.has(one.data.id) ?? false;
    drawLines(context, height, this.placed, isLit, this.transform, colours);
  }

  private pick(leaf: Leaf): void {
    if (!leaf.cluster) {
      const before = this.placeOf(-1 - leaf.id);
      this.ground()?.model.showMore(-1 - leaf.id);
      this.arrange();
      return this.holdStill(-1 - leaf.id, before);
    }
    this.active = leaf.id;
    this.doings.pick(leaf.id);
  }

  private async toggle(leaf: Leaf): Promise<void> {
    const model = this.ground()?.model;
    if (!leaf.cluster?.children || !model) return this.pick(leaf);
    const before = this.placeOf(leaf.id);
    if (model.isUnfolded(leaf.id)) {
      model.fold(leaf.id);
      this.arrange();
    } else await this.doings.unfold(leaf.id);
    this.holdStill(leaf.id, before);
  }

  private placeOf(node: number): Placed | undefined {
    return this.placed.find((one) => one.data.id === node);
  }

  /** What was clicked stays under the pointer, however the others move. */
  private holdStill(node: number, before: Placed | undefined): void {
    const after = this.placeOf(node);
    if (before && after)
      this.zooming.translateBy(select<HTMLElement, unknown>(this.el), before.y - after.y, before.x - after.x);
  }

  private pressed(event: KeyboardEvent): void {
    const at = this.placeOf(this.active) ?? this.placed[0];
    const model = this.ground()?.model;
    if (!at || !model) return;
    const column = this.placed.filter((one) => one.depth === at.depth).sort((a, b) => a.x - b.x);
    const place = column.indexOf(at);
    let next: Placed | null | undefined;
    if (event.key === "ArrowDown") next = column[place + 1];
    else if (event.key === "ArrowUp") next = column[place - 1];
    else if (event.key === "ArrowLeft" && at.children) void this.toggle(at.data);
    else if (event.key === "ArrowLeft") next = at.parent;
    else if (event.key === "ArrowRight" && model.isUnfolded(at.data.id)) next = at.children?.[0];
    else if (event.key === "ArrowRight") void this.toggle(at.data);
    else if (event.key === " " || event.key === "Enter") this.pick(at.data);
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (next) this.step(next);
  }

  /** Go on to another node by a key. */
  private step(next: Placed): void {
    this.active = next.data.id;
    const { k } = this.transform;
    const top = next.x * k + this.transform.y;
    const left = next.y * k + this.transform.x;
    const outside = top < 30 || top > this.el.clientHeight - 30 || left < 0 || left > this.el.clientWidth - 120;
    if (outside) this.bringIntoSight(next.data.id);
    else this.render();
    this.cards.get(next.data.id)?.el.focus();
  }
}
