// The cluster tree: the way of the selected retrieval in columns, the whole tree as a map, and its nodes to unfold.

import { counted, h, shortName } from "../core/dom";
import { queryPatch } from "../core/patches";
import type { Drawn, Panel } from "../core/panel";
import type { Session } from "../core/session";
import type { Changed } from "../core/store";
import { type Ground, TreeBox } from "./tree/box";
import { Columns, type Told } from "./tree/columns";
import { type Descent, type Exact, hasPaths, inWords, pathOf, trailOf } from "./tree/descent";
import { Icicle } from "./tree/icicle";
import { TreeModel } from "./tree/model";
import { NodePictures, spreadOf } from "./tree/node";

/** The cluster trees of the banks. */
export const tree: Panel = {
  name: "tree",
  draw: (session) => new TreeView(session),
};

class TreeView implements Drawn {
  readonly el = h("section", { class: "kt-tree", "aria-label": "Cluster tree" });
  private readonly heading = h("h3", {}, "Cluster tree");
  private readonly told = h("p", { class: "kt-faint kt-note", role: "status" });
  private readonly detail = h("div", { class: "kt-detail" });
  private readonly folder: HTMLDetailsElement;
  private readonly map = h("div", { class: "kt-treemap", hidden: true });
  private readonly pictures: NodePictures;
  private readonly columns: Columns;
  private readonly icicle: Icicle;
  private readonly box: TreeBox;
  private readonly models = new Map<number, TreeModel>();
  private readonly visits = new Map<number, Int32Array>();
  private bank = 0;
  private way: Told | null = null;
  private started = false;
  /** What the selected retrieval unfolded: it folds up again for the next one. */
  private followed: number[] = [];
  private wanted = new Set<number>();

  constructor(private readonly session: Session) {
    this.pictures = new NodePictures(session, () => this.draw());
    const pick = (node: number) => session.selectNode([this.bank, node]);
    this.columns = new Columns(
      this.pictures,
      (bank, node) => session.selectNode([bank, node]),
      (bank) => this.visitsOf(bank),
    );
    this.icicle = new Icicle(pick, (node) => void this.point(node));
    this.box = new TreeBox(() => this.ground(), this.pictures, { pick, unfold: (node) => this.unfold(node) });
    const summary = h("summary", {}, "Unfold the tree");
    this.folder = h("details", { class: "kt-unfolding" }, summary, this.box.buttons(), this.box.el);
    this.folder.addEventListener("toggle", () => this.opened());
    this.map.append(h("h4", {}, "The whole tree: as wide as entries, as bright as visits"), this.icicle.canvas);
    this.el.append(
      h("header", {}, this.heading, this.bankChoice()),
      ...[this.columns.el, this.told, this.map, this.detail, this.folder],
    );
    session.store.listen((changed) => void this.update(changed));
  }

  resize(): void {
    if (this.el.clientWidth && !this.started) void this.start();
    else this.draw();
  }

  private get model(): TreeModel {
    let model = this.models.get(this.bank);
    if (!model) this.models.set(this.bank, (model = new TreeModel()));
    return model;
  }

  private ground(): Ground | null {
    const about = this.session.scene.about.banks[this.bank];
    if (!about) return null;
    const { node } = this.session.state;
    return {
      bank: this.bank,
      about,
      model: this.model,
      visits: this.visitsOf(),
      trail: this.way && trailOf(this.way.descent),
      wanted: this.wanted,
      selected: node?.[0] === this.bank ? node[1] : -1,
    };
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

  private async start(): Promise<void> {
    this.started = true;
    if (!this.session.scene.about.can.tree) {
      this.folder.hidden = this.columns.el.hidden = true;
      this.told.textContent = hasPaths(this.session.scene)
        ? "The tree is asked of the model, which is not there. Give the view model=."
        : "These candidates lie in no cluster tree.";
      return;
    }
    const { focus } = this.session.state;
    this.folder.open = focus < 0; // without a way the nodes are all there is to see
    await this.show(Math.max(0, focus < 0 ? 0 : this.session.scene.bankOf(focus)));
    if (focus >= 0) await this.follow(focus);
    await this.reveal(this.session.state.node);
  }

  private async show(bank: number): Promise<void> {
    this.bank = bank;
    this.box.empty();
    const choice = this.el.querySelector<HTMLSelectElement>(".kt-bank");
    if (choice) choice.value = String(bank);
    const about = this.session.scene.about.banks[bank];
    this.heading.textContent = `Cluster tree of ${about.name}`;
    const outline = await this.session.ask("outline", { bank }, `outline ${bank}`);
    this.map.hidden = !outline;
    if (outline) this.icicle.learn(outline);
    await this.unfold(0);
    this.box.fit();
  }

  private opened(): void {
    this.box.arrange();
    const { node } = this.session.state;
    const leaf = this.way?.descent.path.at(-1);
    if (node?.[0] === this.bank) this.box.goTo(node[1]);
    else if (leaf === undefined) this.box.fit();
    else this.box.bringIntoSight(leaf);
  }

  /** Unfold a node, asking for its children at first. */
  private async unfold(node: number): Promise<void> {
    await this.learn([node]);
    this.model.unfold(node);
    this.box.arrange();
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
    if (changed.has("node") || changed.has("focus") || changed.has("colours") || changed.has("pictures")) this.draw();
  }

  /** Ways and visits of the other trace are none of this one. */
  private forget(): void {
    this.way = null;
    this.columns.show(null);
    this.visits.clear();
    this.told.textContent = "";
  }

  /** Tell the way of a retrieval, unfolding what it passes; then that of the best entry, which may take longer. */
  private async follow(place: number): Promise<void> {
    const best = this.session.ask("exact", { queries: [place] });
    const answer = await this.session.ask("descent", { queries: [place] });
    const [descent] = (answer?.values.descents as Descent[] | undefined) ?? [];
    if (!descent || this.session.state.focus !== place) return;
    const bank = this.session.scene.about.banks.findIndex((one) => one.name === descent.bank);
    if (bank !== this.bank) await this.show(bank);
    await this.tell({ place, descent, exact: null, missing: null });
    const { exact, missing } = (await best)?.values ?? {};
    if (this.way?.descent !== descent) return; // another retrieval was selected since
    const [found] = (exact as Exact[] | undefined) ?? [];
    await this.tell({ place, descent, exact: found ?? null, missing: (missing as string | undefined) ?? "" });
  }

  private async tell(way: Told): Promise<void> {
    this.way = way;
    const { place, descent, exact } = way;
    this.columns.show(way);
    const passed = descent.path.slice(0, -1);
    await this.learn([0, ...descent.path, ...descent.greedy.path, ...(exact?.bank === descent.bank ? exact.path : [])]);
    for (const node of this.followed) if (!passed.includes(node)) this.model.fold(node);
    for (const node of [0, ...passed]) this.model.unfold(node);
    this.followed = passed;
    const said = inWords(descent, this.session.scene.about.banks[this.bank]);
    this.told.replaceChildren(queryPatch(this.session.scene, place, 20), ` ${said}`);
    this.box.arrange();
    this.box.bringIntoSight(descent.path.at(-1) ?? 0);
    this.draw();
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
    this.box.goTo(node[1]);
    this.pictures.want(this.bank, [node[1]]);
    this.explain();
  }

  /** How often this translation's winners passed each node of the bank. */
  private visitsOf(bank = this.bank): Int32Array {
    let found = this.visits.get(bank);
    if (found) return found;
    const { scene } = this.session;
    found = new Int32Array(scene.about.banks[bank].nodes);
    for (let place = 0; place < scene.count; place++) {
      if (scene.bankOf(place) !== bank) continue;
      found[0]++;
      for (const node of pathOf(scene, place)) found[node]++;
    }
    this.visits.set(bank, found);
    return found;
  }

  private draw(): void {
    if (!this.started || !this.session.scene.about.can.tree) return;
    const { scene, state } = this.session;
    const chosen = state.node?.[0] === this.bank ? state.node[1] : null;
    const bank = scene.about.banks.findIndex(({ name }) => name === this.way?.descent.bank);
    this.columns.draw(scene, this.models.get(bank) ?? this.model, bank, bank === this.bank ? chosen : null);
    this.box.render();
    const style = getComputedStyle(this.el);
    const [accent, ink, paper] = ["--kt-accent", "--kt-ink", "--kt-paper"].map((name) => style.getPropertyValue(name));
    const lit = new Map<number, string>();
    if (bank === this.bank) for (const node of this.way?.descent.path ?? []) lit.set(node, accent);
    if (chosen !== null) lit.set(chosen, ink);
    this.icicle.draw(this.visitsOf(), lit, paper);
    this.explain();
  }

  /** Tell of a node under the pointer; of the selected one where there is none. */
  private async point(node: number): Promise<void> {
    if (node >= 0) await this.learn([node]);
    this.explain(node);
  }

  private explain(pointed = -1): void {
    const { node } = this.session.state;
    const asked = pointed >= 0 ? pointed : node?.[0] === this.bank ? node[1] : -1;
    const cluster = this.model.clusters.get(asked);
    if (!cluster) return this.detail.replaceChildren();
    const kind = cluster.children ? `${cluster.children} children` : "leaf";
    const about = this.session.scene.about.banks[this.bank];
    const called = about.words[cluster.node] ?? `Node ${cluster.node}`;
    const visits = this.visitsOf();
    const text = [
      `${called} of ${shortName(about.name)}: level ${cluster.level}`,
      kind,
      counted(cluster.size, "entry", "entries"),
      spreadOf(cluster.spread, 3),
      visits[0] > 0 ? `passed by ${counted(visits[cluster.node], "winner")}` : "",
    ];
    this.pictures.want(this.bank, [cluster.node]);
    this.detail.replaceChildren(
      this.pictures.strip(this.bank, cluster.node, 44),
      h("span", {}, text.filter(Boolean).join(", ")),
    );
  }
}
