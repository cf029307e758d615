// What a person does in a view, in the words of the trace: every action changes the one state, and tells Python.

import { Cells } from "./cells";
import { type Change, described, type Item, itemsOf, unchanged } from "./change";
import { type Answer, type Host, type Showing, Stale, Unanswered } from "./host";
import { overlap, shares } from "./overlap";
import { overview } from "./picks";
import type { Packed } from "./packed";
import { ABOUT_SHOWN, type Kind, PROTOCOL, type Requests } from "./protocol";
import { decodePicture, Scene, type Source } from "./scene";
import { asList, initialState, type Selected, type State, Store, type Tried } from "./store";

const PAUSE_MS = 80;
export const OTHER_VERSION =
  "This view and its Python are of different versions of ktviz. Run the cell again, and reload the page.";

export class Session {
  readonly store: Store;
  readonly cells: Cells;
  /** What Python was told last, as JSON. */
  told = "";
  private readonly asked = new Set<number>();
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();

  private readonly movers: (() => void)[] = [];
  private fetching = false;
  private compared = 0;
  /** What Python was asked to change last, or has changed: whatever else stands in the state, is still to be asked. */
  private known: Change;
  private listed = 0;
  private adopted: Scene;
  /** What is done with the object that is clicked next, instead of selecting it. */
  private pick: ((place: number) => void) | null = null;

  constructor(
    readonly before: Scene,
    readonly host: Host,
    onSettled: (settled: boolean) => void,
  ) {
    this.adopted = before;
    this.store = new Store(initialState(before.weights, before.about.frozen), onSettled);
    this.known = this.store.state.change;
    this.cells = new Cells(before); // both traces have their retrievals at the same places
    this.store.state.focus = overview(before)[0] ?? -1;
    this.store.state.beside = before.about.beside[0]?.name ?? "";
  }

  get state() {
    return this.store.state;
  }

  /** The scene of the trace that is shown: all parts speak of it. */
  get scene(): Scene {
    return (this.state.showing === "after" && this.state.after) || this.before;
  }

  /** The scene that it is compared to, if any. */
  get other(): Scene | null {
    return this.scene === this.before ? this.state.after : this.before;
  }

  /** Ask Python; what it refuses is shown, what came too late is dropped. Null where there is no answer. */
  async ask<K extends Kind>(kind: K, body: Requests[K], topic = ""): Promise<Answer | null> {
    const about = () => (ABOUT_SHOWN.has(kind) ? this.scene : this.before);
    const scene = about();
    this.store.set({ waiting: this.state.waiting + 1 });
    try {
      const answer = await this.host.ask(kind, body, topic, scene.about.digest);
      return scene === about() ? answer : null;
    } catch (error) {
      if (!(error instanceof Stale) && !(error instanceof Unanswered)) this.fail(error);
      return null;
    } finally {
      this.store.set({ waiting: this.state.waiting - 1 });
    }
  }

  /** Do something of several steps: the view is not settled till its end. */
  async during(call: () => Promise<void>): Promise<void> {
    this.store.set({ waiting: this.state.waiting + 1 });
    try {
      await call();
    } finally {
      this.store.set({ waiting: this.state.waiting - 1 });
    }
  }

  /** Do something after a moment, unless it is asked for again till then: keys that are held down ask once. */
  soon(name: string, call: () => Promise<void>): void {
    const earlier = this.timers.get(name);
    if (earlier === undefined) this.store.set({ waiting: this.state.waiting + 1 });
    clearTimeout(earlier);
    const later = async () => {
      this.timers.delete(name);
      await call();
      this.store.set({ waiting: this.state.waiting - 1 });
    };
    this.timers.set(
      name,
      setTimeout(() => void later(), PAUSE_MS),
    );
  }

  /** Say what went wrong. Of two versions that do not understand each other, whatever else fails follows from that. */
  fail(error: unknown): void {
    const said = error instanceof Error ? error.message : String(error);
    this.store.set({ error: this.before.about.protocol === PROTOCOL ? said : OTHER_VERSION });
  }

  /** Select, and tell Python. */
  select(selected: Selected): void {
    this.adopt(selected, this.state.node);
    this.tell();
  }

  selectNode(node: [number, number] | null): void {
    this.store.set({ node });
    this.tell();
  }

  /** Switch to one of the two traces. */
  show(showing: Showing): void {
    this.adopt(this.state.selected, this.state.node, showing);
    this.tell();
  }

  private tell(): void {
    const { selected, node, showing } = this.state;
    this.told = JSON.stringify({ ...selected, node, showing });
    this.host.select(selected, node, showing);
  }

  /** Show sources one by one, or together by what is known of them. */
  group(by: string): void {
    this.store.set({ by });
    this.host.group(by);
  }

  clear(): void {
    this.await(null);
    this.select({ kind: "none" });
  }

  /** A click on a retrieval: select it alone, or nothing if it was alone. */
  selectPlace(place: number): void {
    if (this.pick) {
      if (place >= 0) this.pick(place);
      return;
    }
    const { picked, selected } = this.state;
    const again = selected.kind === "queries" && picked.length === 1 && picked[0] === place;
    this.select(again || place < 0 ? { kind: "none" } : { kind: "queries", queries: [this.scene.query[place]] });
  }

  /** Take the next retrieval that is clicked for something else than selecting; `said` is what, and null ends it. */
  await(pick: ((place: number) => void) | null, said = "", lit: State["lit"] = null): void {
    if (!pick && !this.pick) return;
    this.pick = pick;
    this.store.set({ picking: said, lit });
  }

  selectSource(source: number): void {
    const { selected } = this.state;
    const again = selected.kind === "source" && selected.source === source;
    this.select(again ? { kind: "none" } : { kind: "source", source });
  }

  /** Show what is selected and in which trace, whoever said so. */
  adopt(selected: Selected, node: [number, number] | null, showing = this.state.showing): void {
    this.told = "";
    this.store.set({ showing });
    if (this.scene !== this.adopted) this.store.set({ weights: [...this.scene.weights], hover: -1, hoverSource: -1 });
    this.adopted = this.scene;
    const { picked, part } = this.meant(selected, this.scene);
    const found = selected.kind === "none" ? null : shares(this.scene, picked, part);
    const focus = this.focusOf(selected, picked, part);
    this.store.set({ selected, node, picked, shares: found, focus });
    this.colour(found);
    if (selected.kind === "region") void this.askShares(selected.box, selected);
  }

  /** Give the sources of a selection colours. */
  private colour(shares: ArrayLike<number> | null): void {
    const changed = [this.scene, this.other].map((scene) => scene?.palette.choose(shares));
    if (changed.includes(true)) this.store.set({ colours: this.state.colours + 1 });
  }

  /** Sources by their numbers: those of the trace, then those that only a counterfactual took. */
  get sources(): Source[] {
    return (this.state.after ?? this.before).about.sources;
  }

  /** Share of every source in what is selected, in one of the two traces. */
  sharesIn(scene: Scene): ArrayLike<number> {
    const { selected, shares: known } = this.state;
    if (selected.kind === "none") return scene.about.sources.map((source) => source.share);
    if (scene === this.scene && known) return known;
    const { picked, part } = this.meant(selected, scene);
    return shares(scene, picked, part);
  }

  private meant(selected: Selected, scene: Scene): { picked: Int32Array; part: Float32Array } {
    if (selected.kind === "region") {
      const [x, y, width, height] = selected.box;
      return overlap(scene, { x, y, width, height });
    }
    let places: number[] = [];
    if (selected.kind === "queries") places = selected.queries.map((query) => scene.placeOf(query));
    if (selected.kind === "source") {
      places = [...scene.query.keys()].filter((place) => scene.winnerSource(place) === selected.source);
    }
    const picked = Int32Array.from(places.filter((place) => place >= 0));
    return { picked, part: new Float32Array(picked.length).fill(1 / Math.max(1, picked.length)) };
  }

  /** The retrieval that tree and bands show: the one that was clicked, or a heavy one near the middle. */
  private focusOf(selected: Selected, picked: Int32Array, part: Float32Array): number {
    if (!picked.length) return this.state.focus;
    if (selected.kind === "queries") return picked.includes(this.state.focus) ? this.state.focus : picked[0];
    if (selected.kind !== "region") {
      const similarity = (place: number) => this.scene.winnerSimilarity(place);
      return picked.reduce((best, place) => (similarity(place) > similarity(best) ? place : best), picked[0]);
    }
    const [x, y, width, height] = selected.box;
    const largest = part.reduce((most, value) => Math.max(most, value), 0);
    const merit = (n: number) => {
      const box = this.scene.boxOf(picked[n]);
      const away = Math.hypot(box.x + box.width / 2 - x - width / 2, box.y + box.height / 2 - y - height / 2);
      return part[n] / largest - away / (width + height);
    };
    return picked[picked.reduce((best, _, n) => (merit(n) > merit(best) ? n : best), 0)];
  }

  /** Shares of a region as Python counts them: the browser's own serve until they come, or if nobody answers. */
  private async askShares(box: number[], selected: Selected): Promise<void> {
    const answer = await this.ask("region", { box });
    if (!answer || this.state.selected !== selected) return;
    const shares = answer.column<Float32Array>("shares");
    this.store.set({ shares });
    this.colour(shares);
  }

  /** Fetch full pictures of sources; each once. */
  async loadPictures(sources: number[]): Promise<void> {
    const missing = sources.filter((source) => source >= 0 && !this.asked.has(source));
    for (const source of missing) this.asked.add(source);
    for (const source of missing) {
      const answer = await this.ask("pictures", { sources: [source] }, `picture ${source}`);
      const name = `picture/${source}`;
      if (!answer) this.asked.delete(source);
      if (!answer?.has(name)) continue;
      await this.before.keep(name, answer.column<Uint8Array>(name));
      this.store.set({ pictures: this.state.pictures + 1 });
    }
  }

  /** Back to the recorded translation alone. */
  closeComparison(): void {
    void this.translate(unchanged(this.before.weights));
  }

  /** Let an object take a style, or look like another, besides what else was changed. */
  restyle(place: number, change: { style: number } | { like: number }): void {
    const others = (pairs: Change["styles"]) => pairs.filter(([one]) => one !== place);
    const { styles, copies } = this.state.change;
    void this.translate({
      styles: [...others(styles), ...("style" in change ? [[place, change.style] as const] : [])],
      copies: [...others(copies), ...("like" in change ? [[place, change.like] as const] : [])],
    });
  }

  /** Translate again with something else changed, besides what is: Python tells of the new trace (`compare`). */
  async translate(more: Partial<Change>): Promise<void> {
    const change = { ...this.state.change, ...more };
    const label = described(this.itemsOf(change));
    this.known = change;
    this.store.set({ making: label && `Translating ${label} …`, change, error: "" });
    if (!label) void this.compare(null); // at once, also where Python is busy or gone
    const answer = await this.ask("translate", change);
    if (this.state.change !== change) return; // a later one is under way
    this.store.set({ making: "" });
    if (!answer) this.goBack();
  }

  /** Take in the counterfactual that Python made, or that there is none any more. */
  async compare(packed: Packed | null): Promise<void> {
    const number = ++this.compared;
    this.store.set({ waiting: this.state.waiting + 1 });
    try {
      const after = packed && new Scene(packed, this.before);
      await after?.decode();
      if (number === this.compared) this.beside(after);
    } catch (error) {
      this.fail(error);
    } finally {
      this.store.set({ waiting: this.state.waiting - 1 });
    }
  }

  private beside(after: Scene | null): void {
    const { selected, node, showing, making } = this.state;
    this.state.after?.close();
    this.store.set({ after });
    if (!making && this.state.change === this.known) this.goBack(); // else more was changed since
    this.adopt(selected, node, after ? showing : "before");
  }

  /** What is to be otherwise is what is. */
  private goBack(): void {
    this.known = this.given();
    this.store.set({ change: this.known });
  }

  private given(): Change {
    return this.state.after?.about.comparison?.change ?? unchanged(this.before.weights);
  }

  /** Take in the counterfactuals that Python keeps. */
  async keepTried(packed: Packed): Promise<void> {
    const number = ++this.listed;
    const states = packed.values.states as Omit<Tried, "picture">[];
    const pictures = states.map((_, n) => decodePicture(packed.column<Uint8Array>(`picture/${n}`)));
    const decoded = await Promise.all(pictures.map((one) => one.catch(() => null)));
    if (number === this.listed) this.store.set({ tried: states.map((one, n) => ({ ...one, picture: decoded[n] })) });
  }

  /** What is otherwise in a change, thing by thing. */
  itemsOf(change: Change): Item[] {
    return itemsOf(change, this.sources, this.before.weights);
  }

  /** In what the counterfactual differs, in words. */
  get label(): string {
    return described(this.itemsOf(this.given()));
  }

  /** Ask for another site of the trace, if there is somebody to ask; the whole view is drawn anew when it comes. */
  showSite(site: string): boolean {
    try {
      this.host.showSite(site);
    } catch (error) {
      this.fail(error);
      return false;
    }
    if (!this.fetching) this.store.set({ waiting: this.state.waiting + 1 });
    this.fetching = true;
    this.store.set({ making: `Fetching site ${site} …`, error: "" });
    return true;
  }

  /** The other site does not come. */
  stay(): void {
    if (!this.fetching) return;
    this.fetching = false;
    this.store.set({ making: "", waiting: this.state.waiting - 1 });
  }

  /** Tell those whose places on the screen depend on it that something was moved. */
  moved(): void {
    for (const listener of this.movers) listener();
  }

  onMoved(listener: () => void): void {
    this.movers.push(listener);
  }

  selectBox(x0: number, y0: number, x1: number, y1: number): void {
    const { width, height } = this.scene;
    const [left, right] = [Math.max(0, Math.floor(Math.min(x0, x1))), Math.min(width, Math.ceil(Math.max(x0, x1)))];
    const [top, bottom] = [Math.max(0, Math.floor(Math.min(y0, y1))), Math.min(height, Math.ceil(Math.max(y0, y1)))];
    if (right > left && bottom > top) {
      this.select({ kind: "region", box: asList({ x: left, y: top, width: right - left, height: bottom - top }) });
    }
  }
}
