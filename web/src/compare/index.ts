// Several traces in one view: a column each, one selection, and a table of who gave how much in which.

import type { Model } from "../core/kernel";
import type { Explorer } from "../core/explorer";
import { button, drawLive, followTheme, h, SOURCE_COLOURS } from "../core/shared";
import type { Panel } from "../core/panel";
import type { Session } from "../core/session";
import { Linked } from "./linked";
import { Matrix, rowsOf } from "./matrix";

/** The part of a notebook's model that finds other models. */
interface Found extends Model {
  widget_manager: { get_model(id: string): Promise<Model> };
}

const REFERENCE = "IPY_MODEL_";

/** Draw a model whose parts are views. */
export async function render(model: Found, el: HTMLElement, panels: () => Panel[]): Promise<() => void> {
  const ids = (model.get("_views") as string[]).map((one) => one.slice(REFERENCE.length));
  const models = await Promise.all(ids.map((id) => model.widget_manager.get_model(id)));
  const frame = new Frame(el, model.get("_titles"));
  const ends = await Promise.all(
    models.map((one, n) => drawLive(one, frame.places[n], panels, (explorer) => frame.take(n, explorer))),
  );
  return () => {
    for (const end of [...ends, frame.end]) end();
  };
}

/** Where the views of a comparison stand, and what they have in common. */
export class Frame {
  readonly places: HTMLElement[];
  private readonly linked = new Linked();
  private readonly matrix: Matrix;
  private readonly explorers: (Explorer | undefined)[] = [];
  /** The same in all views, by name of the source. */
  private colours: ReadonlyMap<string, number> | null = null;
  private inputs = false;
  readonly end: () => void;

  constructor(el: HTMLElement, titles: readonly string[]) {
    this.places = titles.map(() => h("div"));
    this.matrix = new Matrix(titles, (name) => this.linked.selectSource(name));
    const show = button("Show inputs", () => this.turn(show), { "aria-pressed": "false" });
    const columns = titles.map((title, n) =>
      h("section", { class: "kt-compared", "aria-label": title }, h("h3", {}, title), this.places[n]),
    );
    const top = h("div", { class: "kt-comparetools" }, show);
    const root = h(
      "div",
      { class: "kt-compare" },
      top,
      h("div", { class: "kt-comparecolumns" }, ...columns),
      this.matrix.el,
    );
    this.end = followTheme(root);
    el.replaceChildren(root);
  }

  /** A view was drawn, or drawn anew. */
  take(number: number, explorer: Explorer): void {
    this.explorers[number] = explorer;
    const { session } = explorer;
    session.store.set({ inputs: this.inputs });
    this.linked.add(number, session);
    session.store.listen(() => this.draw());
  }

  private draw(): void {
    const sessions = this.explorers.flatMap((one) => (one ? [one.session] : []));
    if (sessions.length < this.places.length) return; // the others are still being drawn
    this.colours ??= new Map(
      rowsOf(sessions)
        .slice(0, SOURCE_COLOURS.length)
        .map(({ name }, colour) => [name, colour]),
    );
    for (const session of sessions) this.paint(session, this.colours);
    this.matrix.draw(sessions);
  }

  private paint({ before, state, store }: Session, colours: ReadonlyMap<string, number>): void {
    const changed = [before, state.after].map((scene) => scene?.palette.fix(colours));
    if (changed.includes(true)) store.set({ colours: state.colours + 1 });
  }

  private turn(show: HTMLElement): void {
    this.inputs = !this.inputs;
    show.setAttribute("aria-pressed", String(this.inputs));
    for (const explorer of this.explorers) explorer?.session.store.set({ inputs: this.inputs });
  }
}
