// A view that follows a model: its scene, which is another when another site is shown, and what is selected in it.

import { h } from "./dom";
import { Explorer } from "./explorer";
import { KernelHost, type Model } from "./kernel";
import { fromZip, Packed } from "./packed";
import type { Panel } from "./panel";
import { Scene } from "./scene";
import type { Selected } from "./store";

/** Draw a model within an element; returns what takes it off again. */
export async function drawLive(
  model: Model,
  el: HTMLElement,
  panels: () => Panel[],
  drawn?: OnDrawn,
): Promise<() => void> {
  const root = h("div");
  el.replaceChildren(root);
  const live = new Live(model, root, panels, drawn);
  try {
    await live.draw();
    return () => live.close();
  } catch (error) {
    root.replaceChildren(h("div", { class: "kt-error", role: "alert" }, `The view could not be drawn: ${error}`));
    root.dataset.state = "failed";
    return () => {
      live.close();
      root.remove();
    };
  }
}

/** Told whenever a view was drawn anew. */
type OnDrawn = (explorer: Explorer) => void;

class Live {
  private explorer: Explorer | null = null;
  /** What the scene that is drawn was read from, and what the next one is being read from. */
  private drawn: unknown = null;
  private wanted: unknown = null;

  constructor(
    private readonly model: Model,
    private readonly root: HTMLElement,
    private readonly panels: () => Panel[],
    private readonly onDrawn?: OnDrawn,
  ) {
    for (const [name, call] of Object.entries(this.calls)) model.on(`change:${name}`, call);
  }

  close(): void {
    for (const [name, call] of Object.entries(this.calls)) this.model.off(`change:${name}`, call);
    this.wanted = null;
    this.end();
  }

  private end(): void {
    this.explorer?.close();
    this.explorer?.session.before.close();
  }

  async draw(): Promise<void> {
    const start = performance.now();
    const bytes = (this.wanted = this.model.get("_scene"));
    const scene = new Scene(await fromZip(bytes));
    await scene.decode();
    if (this.wanted !== bytes) return scene.close(); // yet another one came
    const habits = this.explorer?.habits;
    this.end();
    const host = new KernelHost(
      this.model,
      scene.about.can.exclude,
      (frozen) => {
        this.explorer?.session.store.set({ frozen: frozen || scene.about.frozen });
        if (frozen) this.explorer?.session.stay();
      },
      (error) => this.explorer?.session.store.set({ error }),
    );
    const explorer = new Explorer(this.root, scene, host, this.model.get("_parts"), this.panels(), start);
    [this.explorer, this.drawn] = [explorer, bytes];
    hideSnapshot(this.model.get("_stand_in"));
    void this.compare();
    this.keep();
    this.adopt();
    this.group();
    if (habits) explorer.habits = habits;
    this.onDrawn?.(explorer);
  }

  private readonly calls = {
    _scene: () => void this.draw().catch((error: unknown) => this.explorer?.session.fail(error)),
    _after: () => void this.compare(),
    _tried: () => this.keep(),
    _selected: () => this.adopt(),
    _site: () => this.stay(),
    by: () => this.group(),
  };

  /** Whether what the model says now is of the scene that is drawn. */
  private get current(): boolean {
    return this.drawn === this.model.get("_scene");
  }

  private async compare(): Promise<void> {
    const bytes = this.model.get("_after") as DataView | undefined;
    const after = bytes?.byteLength ? await fromZip(bytes) : null;
    if (this.current && this.model.get("_after") === bytes) await this.explorer?.session.compare(after);
  }

  private keep(): void {
    const bytes = this.model.get("_tried") as DataView | undefined;
    if (this.current && bytes?.byteLength) void this.explorer?.session.keepTried(Packed.read(bytes));
  }

  private adopt(): void {
    const session = this.explorer?.session;
    if (!session || !this.current || JSON.stringify(this.model.get("_selected")) === session.told) return; // its own words come back
    const { node, showing, ...selected } = this.model.get("_selected");
    session.adopt(selected.kind ? (selected as Selected) : { kind: "none" }, node ?? null, showing);
  }

  private group(): void {
    this.explorer?.session.store.set({ by: this.model.get("by") });
  }

  /** Python keeps to the site that is drawn: it could not show the other. */
  private stay(): void {
    const session = this.explorer?.session;
    if (session?.before.about.site === this.model.get("_site")) session?.stay();
  }
}

/** Take away what stands in for a view that cannot be drawn (ktviz/widgets/snapshot.py), with its whole output. */
function hideSnapshot(name: string): void {
  for (const el of document.querySelectorAll<HTMLElement>(".ktviz-snapshot")) {
    if (el.dataset.view !== name) continue;
    el.hidden = true;
    const output = el.closest<HTMLElement>(".jp-OutputArea-child");
    if (output) output.style.display = "none";
  }
}
