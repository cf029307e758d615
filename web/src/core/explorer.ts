// The panels of a view in one frame, in the rows that the scene gives them.

import { ComparisonBar } from "./comparison";
import { button, h } from "./dom";
import { glossary } from "./glossary";
import { Header } from "./header";
import type { Host } from "./host";
import type { Drawn, Panel } from "./panel";
import { Projector } from "./projector";
import { PROTOCOL } from "./protocol";
import type { Scene } from "./scene";
import { OTHER_VERSION, Session } from "./session";
import { afterFrame, type State } from "./store";
import { followTheme } from "./theme";
import { tour } from "./tour";

export class Explorer {
  readonly session: Session;
  private readonly drawn = new Map<string, Drawn>();
  private readonly header: Header;
  private readonly watcher: ResizeObserver;
  private readonly strip = h("div", { class: "kt-error", role: "alert", hidden: true });
  private readonly status = h("div", { class: "kt-status", role: "status", hidden: true });
  private readonly endings: (() => void)[] = [];

  /**
   * @param parts names of the panels that the view may have; more than one make an Explorer, with a header
   * @param panels all that there are
   */
  constructor(
    private readonly root: HTMLElement,
    scene: Scene,
    host: Host,
    parts: readonly string[],
    panels: readonly Panel[],
    start: number,
  ) {
    root.classList.add("kt-view");
    root.dataset.state = "drawing";
    this.session = new Session(scene, host, (settled) => {
      root.dataset.state = settled ? "settled" : "drawing";
    });
    this.endings.push(followTheme(root));
    this.header = new Header(this.session, parts.length === 1);
    const comparison = new ComparisonBar(this.session);
    const grid = this.grid(parts, panels);
    const left = host.leftOut.length ? [h("p", { class: "kt-faint kt-note" }, leftOutOf(host.leftOut))] : [];
    root.replaceChildren(this.header.el, comparison.el, grid, ...left, this.status, this.strip);
    if (parts.length > 1) this.header.el.append(...this.helps());
    this.session.store.listen((changed) => {
      if (changed.has("error") || changed.has("frozen") || changed.has("making")) this.tell();
    });
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(root);
    // The second frame comes after the first was painted.
    afterFrame(() => afterFrame(() => performance.measure("ktviz-first-draw", { start, end: performance.now() })));
    if (scene.about.protocol !== PROTOCOL) this.session.fail(OTHER_VERSION);
  }

  /** What a person chose that is of no trace: it outlives a switch to another site. */
  get habits(): { state: Pick<State, "overlay" | "whole" | "wipe" | "beside">; focused: string } {
    const { overlay, whole, wipe, beside } = this.session.state;
    return { state: { overlay, whole, wipe, beside }, focused: this.header.sites.focused() };
  }

  set habits({ state, focused }: Explorer["habits"]) {
    this.session.store.set(state);
    if (focused) this.header.sites.focus(focused);
  }

  /** Take everything off the page; the scene may be drawn again. */
  close(): void {
    this.watcher.disconnect();
    for (const end of this.endings) end();
    this.session.store.end();
    this.session.host.close();
    this.session.state.after?.close();
    this.root.replaceChildren();
  }

  /** What helps those who are new to it, and those who show it to others. */
  private helps(): HTMLElement[] {
    const projector = new Projector(this.root, this.slides(), () => this.resize());
    const first = tour(this.session);
    return [
      ...(first ? [first] : []),
      h("span", { class: "kt-helps" }, projector.button, glossary(this.session.before.about)),
    ];
  }

  /** What is shown together where one panel is shown at a time: curves join those of the first row. */
  private slides(): HTMLElement[][] {
    const rows = [...this.root.querySelectorAll<HTMLElement>(".kt-row")];
    const [first, ...rest] = rows;
    return [[first], ...rest.flatMap((row) => [...row.children].map((el) => [el as HTMLElement]))];
  }

  private resize(): void {
    // Measured whenever there is room: a view that was made while hidden draws when it is shown.
    const width = this.root.clientWidth;
    this.root.classList.toggle("kt-wide", width >= 1000);
    this.root.classList.toggle("kt-wider", width >= 1180);
    this.root.classList.toggle("kt-narrow", width < 760);
    for (const part of this.drawn.values()) part.resize?.();
    this.session.moved();
  }

  private grid(parts: readonly string[], panels: readonly Panel[]): HTMLElement {
    const needed = neededBy(parts, panels);
    const rows = new Map<number, HTMLElement>();
    const rowOf = new Map<string, HTMLElement>();
    for (const { name, row, appears } of this.session.before.about.panels) {
      const wanted = needed.includes(name) || (parts.includes(name) && (appears || parts.length === 1));
      const panel = panels.find((one) => one.name === name);
      if (!wanted || !panel) continue;
      const drawn = panel.draw(this.session, parts);
      const el = rows.get(row) ?? h("div", { class: `kt-row kt-row-${row}` });
      el.append(drawn.el);
      rows.set(row, el);
      rowOf.set(name, el);
      this.drawn.set(name, drawn);
    }
    for (const el of rows.values()) el.classList.toggle("kt-alone", el.childElementCount === 1);
    for (const [name, drawn] of this.drawn) drawn.join?.(this.drawn, rowOf.get(name)!);
    return h("div", { class: "kt-grid" }, ...rows.values());
  }

  private tell(): void {
    const { error, frozen, making } = this.session.state;
    this.strip.hidden = !error;
    this.strip.replaceChildren(
      h("span", {}, error),
      button("Dismiss", () => this.session.store.set({ error: "" })),
    );
    this.status.textContent = [frozen, making].filter(Boolean).join(" ");
    this.status.hidden = !this.status.textContent;
    this.root.dataset.frozen = String(frozen !== "");
  }
}

function leftOutOf(what: readonly string[]): string {
  return `Left out of this page, which had no room for it: ${what.join(", ")}. A larger one has it: to_html(path, max_mb=…).`;
}

/** The panels that some cannot do without, and those that these need. */
function neededBy(parts: readonly string[], panels: readonly Panel[]): string[] {
  const found: string[] = [];
  for (let wanted = parts; wanted.length; ) {
    const next = panels.filter(({ name }) => wanted.includes(name)).flatMap(({ needs }) => needs ?? []);
    wanted = next.filter((name) => !found.includes(name));
    found.push(...wanted);
  }
  return found;
}
