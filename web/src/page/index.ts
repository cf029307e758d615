// An exported page: the scene and all answers that were stored with it, and no Python.

import { h } from "../core/dom";
import { Explorer } from "../core/explorer";
import { fromText, Packed } from "../core/packed";
import type { Panel } from "../core/panel";
import { Scene } from "../core/scene";
import { Kept } from "../core/stored";
import { PageHost } from "./host";

/** What draws several traces as one (web/src/compare). */
export interface Frames {
  Frame: new (el: HTMLElement, titles: readonly string[]) => Frame;
}
interface Frame {
  readonly places: HTMLElement[];
  take(number: number, explorer: Explorer): void;
}

/** What is selected in a site, as Python wrote it, or as it was left. */
type Selected = Parameters<Explorer["session"]["adopt"]>;
/** The counterfactual of the first site. */
interface After {
  packed: Packed;
  kept: Kept;
}

export async function startPage(panels: readonly Panel[], frames?: Frames): Promise<void> {
  const several = document.getElementById("ktviz-comparison");
  if (several && frames && !several.dataset.state) return startComparison(several, panels, frames);
  const root = document.getElementById("ktviz-page");
  const text = (id: string) => document.getElementById(id)?.textContent;
  const [scene, store, after] = ["ktviz-scene", "ktviz-store", "ktviz-after"].map(text);
  if (!root || !scene || !store || root.dataset.state) return;
  root.dataset.state = "drawing";
  try {
    const packed = await Promise.all([scene, store, ...(after ? [after] : [])].map(fromText));
    await new Page(root, panels, packed[0], packed[1], packed[2]).start();
  } catch (error) {
    failed(root, error);
  }
}

/** Draw several traces in one frame. */
async function startComparison(root: HTMLElement, panels: readonly Panel[], frames: Frames): Promise<void> {
  root.dataset.state = "drawing";
  try {
    const stored = [...document.querySelectorAll<HTMLElement>(".ktviz-compared")];
    const frame = new frames.Frame(
      root,
      stored.map(({ dataset }) => dataset.title!),
    );
    await Promise.all(stored.map((el, n) => drawStored(el, frame, n, panels)));
    root.dataset.state = "settled";
  } catch (error) {
    failed(root, error);
  }
}

async function drawStored(el: HTMLElement, frame: Frame, number: number, panels: readonly Panel[]): Promise<void> {
  const start = performance.now();
  const [packed, store] = await Promise.all(
    [...el.querySelectorAll("script")].map((one) => fromText(one.textContent!)),
  );
  const scene = new Scene(packed);
  await scene.decode();
  const host = new PageHost([new Kept(scene, store)], panels, { has: () => false, show: () => undefined });
  const explorer = new Explorer(frame.places[number], scene, host, el.dataset.parts!.split(" "), panels, start);
  const { node, showing, ...selected } = JSON.parse(el.dataset.selected ?? "{}");
  explorer.session.store.set({ by: el.dataset.by! });
  explorer.session.adopt(selected.kind ? selected : { kind: "none" }, node ?? null, "before");
  frame.take(number, explorer);
}

function failed(root: HTMLElement, error: unknown): void {
  root.replaceChildren(h("p", { class: "kt-error", role: "alert" }, `The page could not be drawn: ${error}`));
  root.dataset.state = "failed";
}

class Page {
  private readonly elements = new Map<string, HTMLElement>();
  /** Sites that were drawn; all have the pictures of the first. */
  private readonly kept = new Map<string, Kept>();
  private readonly left = new Map<string, Selected>();
  private readonly first: Scene;
  private readonly after: After | null = null;
  private explorer: Explorer | null = null;
  private wanted = "";

  constructor(
    private readonly root: HTMLElement,
    private readonly panels: readonly Panel[],
    scene: Packed,
    private readonly store: Packed,
    after: Packed | undefined,
  ) {
    this.first = new Scene(scene);
    if (after) {
      const packed = partOf(after, "scene");
      this.after = { packed, kept: new Kept(new Scene(packed, this.first), partOf(after, "store"), store) };
    }
    this.kept.set(this.first.about.site, new Kept(this.first, store));
    this.elements.set(this.first.about.site, root);
    for (const el of document.querySelectorAll<HTMLElement>(".ktviz-site")) this.elements.set(el.dataset.site!, el);
  }

  async start(): Promise<void> {
    await this.first.decode();
    await this.show(this.first.about.site);
  }

  /** Draw a site that the page holds, as it was left. */
  private async show(site: string): Promise<void> {
    const start = performance.now();
    this.wanted = site;
    const kept = this.kept.get(site) ?? (await this.read(site));
    this.kept.set(site, kept);
    if (this.wanted !== site) return; // another one was asked for since
    const before = this.explorer;
    const habits = before?.habits;
    if (before) this.leave(before);
    const others = { has: (name: string) => this.elements.has(name), show: (name: string) => void this.turnTo(name) };
    const after = kept.scene === this.first ? this.after : null;
    const host = new PageHost([kept, ...(after ? [after.kept] : [])], this.panels, others);
    const parts = (this.root.dataset.parts ?? "").split(" ");
    this.explorer = new Explorer(this.root, kept.scene, host, parts, this.panels, start);
    this.explorer.session.store.set({ by: before?.session.state.by ?? this.root.dataset.by! });
    if (after) await this.explorer.session.compare(after.packed);
    this.explorer.session.adopt(...(this.left.get(site) ?? this.written(site)));
    if (habits) this.explorer.habits = habits;
  }

  private async turnTo(site: string): Promise<void> {
    try {
      await this.show(site);
    } catch (error) {
      failed(this.root, error);
    }
  }

  private async read(site: string): Promise<Kept> {
    const packed = await fromText(this.elements.get(site)!.textContent!);
    const store = packed.has("store") ? partOf(packed, "store") : NOTHING;
    return new Kept(new Scene(partOf(packed, "scene"), this.first), store, this.store);
  }

  private written(site: string): Selected {
    const { node, showing, ...selected } = JSON.parse(this.elements.get(site)!.dataset.selected ?? "{}");
    const there = site === this.first.about.site && this.after ? showing : "before";
    return [selected.kind ? selected : { kind: "none" }, node ?? null, there];
  }

  private leave(explorer: Explorer): void {
    const { before, state } = explorer.session;
    this.left.set(before.about.site, [state.selected, state.node, state.showing]);
    explorer.close();
  }
}

/** A container within another. */
function partOf(packed: Packed, name: string): Packed {
  return Packed.read(packed.column<Uint8Array>(name));
}

/** A container without values and parts. */
const NOTHING = Packed.read(Uint8Array.of(12, 0, 0, 0, ...new TextEncoder().encode('{"parts":{}}')));
