// The cluster tree: unfolded where the selected retrieval went, with the roads not taken, and wherever a person looks.

import { select } from "d3-selection";
import { type D3ZoomEvent, zoom, type ZoomBehavior, zoomIdentity, type ZoomTransform } from "d3-zoom";
import { button, counted, fitCanvas, h, shortName } from "../core/dom";
import { queryPatch } from "../core/patches";
import type { Drawn, Panel } from "../core/panel";
import type { Session } from "../core/session";
import type { Changed } from "../core/store";
import { type Descent, hasPaths, inWords, pathOf, type Trail, trailOf } from "./tree/descent";
import { CARD, CARDS_FROM, drawLines } from "./tree/lines";
import { type Cluster, type Leaf, LIT, type Placed, ROW, TreeModel } from "./tree/model";
import { NodeCard, NodePictures } from "./tree/node";
import { storedTrees } from "./tree/stored";

/** The cluster trees of the banks. */
export const tree: Panel = {
  name: "tree",
  draw: (session) => new TreeView(session),
  stored: storedTrees,
};

const MARGIN = 60;

class TreeView implements Drawn {
  readonly el = h("section", { class: "kt-tree", "aria-label": "Cluster tree" });
  private readonly box = h("div", {
    class: "kt-treebox",
    role: "tree",
    tabindex: 0,
    "aria-label": "Nodes of the cluster tree",
  });
  private readonly lines = h("canvas", { "aria-hidden": "true" });
  private readonly nodes = h("div", { class: "kt-nodes", role: "presentation" });
  private readonly heading = h("h3", {}, "Cluster tree");
  private readonly told = h("p", { class: "kt-faint kt-note", role: "status" });
  private readonly detail = h("div", { class: "kt-detail" });
  private readonly cards = new Map<number, NodeCard>();
  private readonly models = new Map<number, TreeModel>();
  private readonly visits = new Map<number, Int32Array>();
  private readonly pictures: NodePictures;
  private readonly zooming: ZoomBehavior<HTMLElement, unknown>;
  private transform: ZoomTransform = zoomIdentity;
  private placed: Placed[] = [];
  private bank = 0;
  private active = 0;
  private trail: Trail | null = null;
  private started = false;
  /** What the selected retrieval unfolded: it folds up again for the next one. */
  private followed: number[] = [];
  /** The selected node and those above it: they are shown, however many siblings they have. */
  private wanted = new Set<number>();

  constructor(private readonly session: Session) {
    this.pictures = new NodePictures(session, () => {
      this.render();
      this.explain();
    });
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
    select<HTMLElement, unknown>(this.box).call(this.zooming);
    this.box.append(this.lines, this.nodes);
    this.box.addEventListener("keydown", (event) => this.pressed(event));
    this.el.append(h("header", {}, this.heading, this.bankChoice(), this.buttons()), this.box, this.detail, this.told);
    session.store.listen((changed) => void this.update(changed));
  }

  get model(): TreeModel {
    let model = this.models.get(this.bank);
    if (!model) this.models.set(this.bank, (model = new TreeModel()));
    return model;
  }

  resize(): void {
    if (this.box.clientWidth && !this.started) void this.start();
    else this.render();
  }

  private focused(): boolean {
    const root = this.box.getRootNode() as Document | ShadowRoot;
    return this.box.contains(root.activeElement);
  }

  private bankChoice(): HTMLElement | null {
    const { banks } = this.session.scene.about;
    if (banks.length < 2) return null;
    const choose = (event: Event) => void this.show(Number((event.target as HTMLSelectElement).value));
    return h(
      "select",
      { "aria-label": "Bank", class: "kt-bank", onchange: choose },
      ...banks.map((bank, n) => h("option", { value: n }, bank.name)),
    );
  }

  private buttons(): HTMLElement {
    const step = (factor: number) => this.zooming.scaleBy(select<HTMLElement, unknown>(this.box), factor);
    return h(
      "span",
      { class: "kt-group" },
      button("−", () => step(0.6), { "aria-label": "Zoom the tree out" }),
      button("+", () => step(1.6), { "aria-label": "Zoom the tree in" }),
      button("Fit", () => this.fit(), { "aria-label": "Fit the tree" }),
    );
  }

  private async start(): Promise<void> {
    this.started = true;
    if (!this.session.scene.about.can.tree) {
      this.box.hidden = true;
      this.told.textContent = hasPaths(this.session.scene)
        ? "The tree is asked of the model, which is not there. Give the view model=."
        : "These candidates lie in no cluster tree.";
      return;
    }
    const { focus } = this.session.state;
    await this.show(Math.max(0, focus < 0 ? 0 : this.session.scene.bankOf(focus)));
    if (focus >= 0) await this.follow(focus);
    await this.reveal(this.session.state.node);
  }

  private async show(bank: number): Promise<void> {
    this.bank = bank;
    const choice = this.el.querySelector<HTMLSelectElement>(".kt-bank");
    if (choice) choice.value = String(bank);
    const about = this.session.scene.about.banks[bank];
    this.heading.textContent = `Cluster tree of ${about.name}`;
    await this.unfold(0);
    this.fit();
  }

  /** Unfold a node, asking for its children at first. */
  async unfold(node: number): Promise<void> {
    await this.learn([node]);
    this.model.unfold(node);
    this.arrange();
  }

  private async learn(nodes: number[]): Promise<void> {
    const missing = nodes.filter((node) => !this.model.knows(node));
    if (!missing.length) return;
    const model = this.model;
    const answer = await this.session.ask("children", { bank: this.bank, nodes: missing }, missing.join());
    if (answer) model.learn(answer);
  }

  private async update(changed: Changed): Promise<void> {
    if (!this.started || !this.session.scene.about.can.tree) return;
    const { focus, node } = this.session.state;
    if (changed.has("showing")) this.forget();
    if (changed.has("focus") && focus >= 0) this.session.soon("follow", () => this.follow(focus));
    if (changed.has("node")) await this.reveal(node);
    if (changed.has("node") || changed.has("focus")) this.render();
  }

  /** Ways and visits of the other trace are none of this one. */
  private forget(): void {
    this.trail = null;
    this.visits.clear();
    this.told.textContent = "";
  }

  /** Light up the way of a retrieval, unfolding what it passes. */
  private async follow(place: number): Promise<void> {
    const answer = await this.session.ask("descent", { queries: [place] });
    const [descent] = (answer?.values.descents as Descent[] | undefined) ?? [];
    if (!descent || this.session.state.focus !== place) return;
    const bank = this.session.scene.about.banks.findIndex((one) => one.name === descent.bank);
    if (bank !== this.bank) await this.show(bank);
    this.trail = trailOf(descent);
    await this.learn([0, ...descent.path]);
    const passed = descent.path.slice(0, -1);
    for (const node of this.followed) if (!passed.includes(node)) this.model.fold(node);
    for (const node of [0, ...passed]) this.model.unfold(node);
    this.followed = passed;
    this.arrange();
    this.tell(place, descent);
    this.bringIntoSight(descent.path.at(-1) ?? 0);
  }

  private async reveal(node: [number, number] | null): Promise<void> {
    this.wanted = new Set();
    if (!node) return this.explain();
    if (node[0] !== this.bank) await this.show(node[0]);
    await this.learn([node[1]]);
    for (let at = node[1]; at > 0; at = this.model.clusters.get(at)?.parent ?? 0) {
      this.wanted.add(at);
      const above = this.model.clusters.get(at)?.parent ?? 0;
      await this.learn([above]);
      this.model.unfold(above);
    }
    this.active = node[1];
    this.arrange();
    if (!this.isInSight(node[1])) this.bringIntoSight(node[1]);
    this.pictures.want(this.bank, [node[1]]);
    this.explain();
  }

  private isInSight(node: number): boolean {
    const found = this.placeOf(node);
    if (!found) return false;
    const [left, top] = this.transform.apply([found.y, found.x]);
    return left >= 0 && left < this.box.clientWidth - MARGIN && top > 20 && top < this.box.clientHeight - 20;
  }

  private arrange(): void {
    const trail = this.trail;
    const visits = this.visitsOf();
    const merit = (cluster: Cluster) =>
      (trail?.path.has(cluster.node) ? LIT : 0) +
      (this.wanted.has(cluster.node) ? 2e8 : 0) +
      (trail?.greedy.has(cluster.node) ? 1e8 : 0) +
      1e7 * (trail?.similarity.get(cluster.node) ?? 0) +
      visits[cluster.node] +
      1e-9 * cluster.size;
    this.placed = this.model.layout(merit);
    this.render();
  }

  /** How often this translation's winners passed each node of the bank. */
  private visitsOf(): Int32Array {
    let found = this.visits.get(this.bank);
    if (found) return found;
    const { scene } = this.session;
    found = new Int32Array(scene.about.banks[this.bank].nodes);
    for (let place = 0; place < scene.count; place++) {
      if (scene.bankOf(place) !== this.bank) continue;
      found[0]++;
      for (const node of pathOf(scene, place)) found[node]++;
    }
    this.visits.set(this.bank, found);
    return found;
  }

  private fit(): void {
    if (!this.placed.length) return;
    const [top, bottom] = [Math.min(...this.placed.map((p) => p.x)), Math.max(...this.placed.map((p) => p.x))];
    const right = Math.max(...this.placed.map((p) => p.y)) + CARD;
    const [width, height] = [this.box.clientWidth, this.box.clientHeight];
    const k = Math.min(1, Math.max(CARDS_FROM + 0.05, Math.min(width / (right + 20), height / (bottom - top + ROW))));
    const transform = zoomIdentity.translate(10, height / 2 - (k * (top + bottom)) / 2).scale(k);
    this.zooming.transform(select<HTMLElement, unknown>(this.box), transform);
  }

  private bringIntoSight(node: number): void {
    const found = this.placeOf(node);
    if (!found) return;
    const [width, height] = [this.box.clientWidth, this.box.clientHeight];
    const k = Math.min(1, Math.max(0.6, width / (found.y + CARD + 20)));
    const x = Math.min(10, width - k * (found.y + CARD + 10));
    this.zooming.transform(
      select<HTMLElement, unknown>(this.box),
      zoomIdentity.translate(x, height / 2 - k * found.x).scale(k),
    );
  }

  /** Draw what is in sight: lines and dots always, cards where they can be read. */
  private render(): void {
    const [width, height] = [this.box.clientWidth, this.box.clientHeight];
    if (!width || !this.placed.length) return;
    const { x, y, k } = this.transform;
    const near = this.placed.filter((one) => {
      if (one.data.id === this.active) return true; // it may have the focus, which a card that goes takes along
      const [left, top] = [one.y * k + x, one.x * k + y];
      return top > -MARGIN && top < height + MARGIN && left > -CARD * k - MARGIN && left < width + MARGIN;
    });
    this.drawLines(width, height);
    this.nodes.style.transform = `translate(${x}px, ${y}px) scale(${k})`;
    const shown = k >= CARDS_FROM ? near : [];
    const kept = new Set(shown.map((one) => one.data.id));
    for (const [id, card] of this.cards) if (!kept.has(id)) this.drop(id, card);
    for (const one of shown) this.place(one);
    this.pictures.want(
      this.bank,
      shown.filter((one) => one.data.cluster).map((one) => one.data.id),
    );
  }

  private drop(id: number, card: NodeCard): void {
    card.el.remove();
    this.cards.delete(id);
  }

  private place(one: Placed): void {
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
    const selected = this.session.state.node;
    card.update({
      leaf: one.data,
      x: one.y,
      y: one.x,
      visits: cluster ? this.visitsOf()[cluster.node] : 0,
      total: this.visitsOf()[0],
      trail: this.trail,
      unfolded: this.model.isUnfolded(key),
      selected: selected?.[0] === this.bank && selected[1] === key,
      active: key === this.active,
      pictures: this.pictures,
      bank: this.bank,
      about: this.session.scene.about.banks[this.bank],
    });
  }

  private drawLines(width: number, height: number): void {
    const context = fitCanvas(this.lines, width, height);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(this.el);
    const colours: [string, string] = [style.getPropertyValue("--kt-line"), style.getPropertyValue("--kt-accent")];
    drawLines(context, height, this.placed, (one) => this.onPath(one), this.transform, colours);
  }

  private onPath(one: Placed): boolean {
    return this.trail?.path.has(one.data.id) ?? false;
  }

  private pick(leaf: Leaf): void {
    if (!leaf.cluster) {
      const before = this.placeOf(-1 - leaf.id);
      this.model.showMore(-1 - leaf.id);
      this.arrange();
      return this.holdStill(-1 - leaf.id, before);
    }
    this.active = leaf.id;
    this.session.selectNode([this.bank, leaf.id]);
  }

  private async toggle(leaf: Leaf): Promise<void> {
    if (!leaf.cluster?.children) return this.pick(leaf);
    const before = this.placeOf(leaf.id);
    if (this.model.isUnfolded(leaf.id)) {
      this.model.fold(leaf.id);
      this.arrange();
    } else await this.unfold(leaf.id);
    this.holdStill(leaf.id, before);
  }

  private placeOf(node: number): Placed | undefined {
    return this.placed.find((one) => one.data.id === node);
  }

  /** What was clicked stays under the pointer, however the others move. */
  private holdStill(node: number, before: Placed | undefined): void {
    const after = this.placeOf(node);
    if (before && after)
      this.zooming.translateBy(select<HTMLElement, unknown>(this.box), before.y - after.y, before.x - after.x);
  }

  private pressed(event: KeyboardEvent): void {
    const at = this.placeOf(this.active) ?? this.placed[0];
    if (!at) return;
    const column = this.placed.filter((one) => one.depth === at.depth).sort((a, b) => a.x - b.x);
    const place = column.indexOf(at);
    let next: Placed | null | undefined;
    if (event.key === "ArrowDown") next = column[place + 1];
    else if (event.key === "ArrowUp") next = column[place - 1];
    else if (event.key === "ArrowLeft" && at.children) void this.toggle(at.data);
    else if (event.key === "ArrowLeft") next = at.parent;
    else if (event.key === "ArrowRight" && this.model.isUnfolded(at.data.id)) next = at.children?.[0];
    else if (event.key === "ArrowRight") void this.toggle(at.data);
    else if (event.key === " " || event.key === "Enter") this.pick(at.data);
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (next) this.goTo(next);
  }

  private goTo(next: Placed): void {
    this.active = next.data.id;
    const { k } = this.transform;
    const top = next.x * k + this.transform.y;
    const left = next.y * k + this.transform.x;
    const outside = top < 30 || top > this.box.clientHeight - 30 || left < 0 || left > this.box.clientWidth - 120;
    if (outside) this.bringIntoSight(next.data.id);
    else this.render();
    this.cards.get(next.data.id)?.el.focus();
  }

  private tell(place: number, descent: Descent): void {
    const said = inWords(descent, this.session.scene.about.banks[this.bank]);
    this.told.replaceChildren(queryPatch(this.session.scene, place, 20), ` ${said}`);
  }

  private explain(): void {
    const { node } = this.session.state;
    const cluster = node && node[0] === this.bank ? this.model.clusters.get(node[1]) : undefined;
    if (!cluster) return this.detail.replaceChildren();
    const kind = cluster.children ? `${cluster.children} children` : "leaf";
    const about = this.session.scene.about.banks[this.bank];
    const called = about.words[cluster.node] ?? `Node ${cluster.node}`;
    const text = `${called} of ${shortName(about.name)}: level ${cluster.level}, ${kind}, ${counted(cluster.size, "entry", "entries")}, spread ${cluster.spread.toFixed(3)}${this.visitsOf()[0] > 0 ? `, passed by ${counted(this.visitsOf()[cluster.node], "winner")}` : ""}`;
    this.detail.replaceChildren(this.pictures.strip(this.bank, cluster.node, 44), h("span", {}, text));
  }
}
