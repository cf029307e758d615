// All parts of a view in one frame, in the order and places that the design gives them.

import { BandView } from "./bands";
import { ComparisonBar, Heirs } from "./comparison";
import { Curves } from "./curves";
import { button, count, h, percent, shortName } from "./dom";
import { type Host, PROTOCOL } from "./host";
import type { About, Scene } from "./scene";
import { Session } from "./session";
import { SourcesView } from "./sources";
import { afterFrame } from "./store";
import { TableView } from "./table";
import { followTheme } from "./theme";
import { TranslationView } from "./translation";
import { TreeView } from "./tree";

export type Part = "translation" | "sources" | "tree" | "bands" | "table";

interface Drawn {
  el: HTMLElement;
  resize?(): void;
}

export class Explorer {
  readonly session: Session;
  private readonly drawn: Drawn[] = [];
  private readonly watcher: ResizeObserver;
  private readonly strip = h("div", { class: "kt-error", role: "alert", hidden: true });
  private readonly status = h("div", { class: "kt-status", role: "status", hidden: true });
  private readonly endings: (() => void)[] = [];
  private curves: Curves | null = null;

  constructor(
    private readonly root: HTMLElement,
    scene: Scene,
    host: Host,
    parts: Part[],
    start: number,
  ) {
    root.classList.add("kt-view");
    root.dataset.state = "drawing";
    this.session = new Session(scene, host, (settled) => {
      root.dataset.state = settled ? "settled" : "drawing";
    });
    this.endings.push(followTheme(root));
    const header = parts.length > 1 ? [this.header()] : [];
    const comparison = new ComparisonBar(this.session);
    root.replaceChildren(...header, comparison.el, this.layout(parts), this.status, this.strip);
    this.session.store.listen((changed) => {
      if (changed.has("error") || changed.has("frozen") || changed.has("making")) this.tell();
      const quiet = changed.size === 1 && (changed.has("hover") || changed.has("waiting") || changed.has("error"));
      if (quiet) return;
      this.curves?.schedule();
    });
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(root);
    // The second frame comes after the first was painted.
    afterFrame(() => afterFrame(() => performance.measure("ktviz-first-draw", { start, end: performance.now() })));
    if (scene.about.protocol !== PROTOCOL)
      this.session.fail(
        new Error(
          "This view and its Python are of different versions of ktviz. Run the cell again, and reload the page.",
        ),
      );
  }

  close(): void {
    this.watcher.disconnect();
    for (const end of this.endings) end();
    this.session.store.end();
    this.session.host.close();
    this.session.before.close();
    this.session.state.after?.close();
    this.root.replaceChildren();
  }

  private resize(): void {
    // Measured whenever there is room: a view that was made while hidden draws when it is shown.
    const width = this.root.clientWidth;
    this.root.classList.toggle("kt-wide", width >= 1000);
    this.root.classList.toggle("kt-wider", width >= 1180);
    this.root.classList.toggle("kt-narrow", width < 760);
    for (const part of this.drawn) part.resize?.();
    this.curves?.schedule();
  }

  private header(): HTMLElement {
    const facts = h("span", { class: "kt-faint" });
    this.session.store.listen((changed) => {
      if (changed.has("showing")) facts.textContent = this.facts();
    });
    const { width, height, banks } = this.session.before.about;
    const title = `${width} × ${height} px → ${banks.map((bank) => bank.name).join(", ")}`;
    return h("header", { class: "kt-header" }, h("strong", {}, title), facts);
  }

  /** The trace that is shown in a line. */
  private facts(): string {
    const { about } = this.session.scene;
    const top = about.sources.filter((source) => source.share > 0).sort((one, other) => other.share - one.share);
    const named = top.slice(0, 3).map((source) => `${shortName(source.name)} ${percent(source.share)}`);
    const facts = [
      `${count(about.queries)} retrievals`,
      about.preset ? `preset ${about.preset}` : "",
      about.left_over > 0.0005 ? `${percent(about.left_over)} not recorded` : "",
      about.causal ? "" : "nearest explanation, not cause",
      named.join(", ") + (top.length > 3 ? ` and ${top.length - 3} more` : ""),
      about.without.length ? `${about.without.length} left out` : "",
      about.continued ? `${percent(about.continued)} of the winners continue a neighbour${kept(about)}` : "",
    ];
    return facts.filter(Boolean).join(" · ");
  }

  private layout(parts: Part[]): HTMLElement {
    const has = (part: Part) => parts.includes(part);
    const grid = h("div", { class: "kt-grid" });
    const moved = () => this.curves?.schedule();
    if (has("translation") || has("sources")) {
      const heirs = new Heirs(this.session);
      const translation = has("translation") ? new TranslationView(this.session, moved, heirs.el) : null;
      // Curves need sources to end in: a translation view alone shows them, too.
      const sources = new SourcesView(this.session, moved);
      if (!translation) sources.el.append(heirs.el);
      const top = h("div", { class: translation ? "kt-top" : "kt-alone" }, translation?.el, sources.el);
      if (translation) {
        this.curves = new Curves(this.session, translation, sources);
        top.append(this.curves.el);
        this.drawn.push(translation);
      }
      this.drawn.push(sources);
      grid.append(top);
    }
    if (has("tree") || has("bands")) {
      const below = h("div", { class: has("tree") && has("bands") ? "kt-below" : "kt-alone" });
      for (const part of [has("tree") && new TreeView(this.session), has("bands") && new BandView(this.session)]) {
        if (!part) continue;
        this.drawn.push(part);
        below.append(part.el);
      }
      grid.append(below);
    }
    if (has("table")) grid.append(this.table(parts.length === 1));
    return grid;
  }

  /** The table, folded away under the pictures unless it is alone; its rows are made when it is opened. */
  private table(alone: boolean): HTMLElement {
    if (alone) return new TableView(this.session).el;
    const folder = h("details", { class: "kt-folder" }, h("summary", {}, "Table of retrievals"));
    folder.addEventListener("toggle", () => {
      if (folder.open && folder.childElementCount === 1) folder.append(new TableView(this.session).el);
    });
    return folder;
  }

  private tell(): void {
    const { error, frozen, making } = this.session.state;
    this.strip.hidden = !error;
    this.strip.replaceChildren(
      h("span", {}, error),
      button("Dismiss", () => this.session.store.set({ error: "" })),
    );
    this.status.hidden = !frozen && !making;
    this.status.textContent = [frozen, making].filter(Boolean).join(" ");
    this.root.dataset.frozen = String(frozen !== "");
  }
}

/** What coherence gave up, in words. */
function kept({ best, kept, can }: About): string {
  if (best === null || kept === null) return "";
  const of = can.regret ? "of all entries" : "found";
  return `; ${percent(best)} are the best ${of}, and ${(100 * kept).toFixed(1)} % of its similarity is kept`;
}
