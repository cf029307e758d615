// The selected retrievals as rows: sortable, and copied as CSV.

import { button, count, counted, h } from "../core/dom";
import { named } from "../core/naming";
import type { Drawn, Panel } from "../core/panel";
import type { Scene } from "../core/scene";
import { save } from "../core/saving";
import type { Session } from "../core/session";
import { anyOf } from "../core/store";

/** The selected retrievals as rows; among other panels folded away, and filled when it is opened. */
export const table: Panel = {
  name: "table",
  draw: (session, parts) => (parts.length > 1 ? folded(session) : new TableView(session)),
};

type Value = number | string | boolean;
interface ColumnOf {
  name: string;
  title: string;
  value(scene: Scene, place: number): Value;
  digits?: number;
  /** A column of the scene without which there is none here. */
  of?: string;
}

const AT_ONCE = 100;
const place = (name: "box" | "sourceBox", at: number) => (scene: Scene, n: number) => scene[name][4 * n + at];

const COLUMNS: ColumnOf[] = [
  { name: "query", title: "Query", value: (s, n) => s.query[n] },
  { name: "y", title: "y, cells", value: (s, n) => s.column("y")?.[n] ?? Number.NaN, of: "y" },
  { name: "x", title: "x, cells", value: (s, n) => s.column("x")?.[n] ?? Number.NaN, of: "x" },
  { name: "label", title: "Region", value: (s, n) => s.column("label")?.[n] ?? Number.NaN, of: "label" },
  { name: "title", title: "Source", value: (s, n) => s.about.sources[s.winnerSource(n)]?.title ?? "" },
  { name: "source", title: "File", value: (s, n) => s.about.sources[s.winnerSource(n)]?.name ?? "" },
  { name: "entry", title: "Entry", value: (s, n) => s.entry[n] },
  { name: "similarity", title: "Similarity", value: (s, n) => s.winnerSimilarity(n), digits: 3 },
  { name: "margin", title: "Margin", value: (s, n) => s.margin[n], digits: 3 },
  { name: "coherent", title: "Coherent", value: (s, n) => s.coherent[n] === 1 },
  { name: "box_x", title: "x, px", value: place("box", 0) },
  { name: "box_y", title: "y, px", value: place("box", 1) },
  { name: "source_x", title: "Source x", value: place("sourceBox", 0), digits: 0 },
  { name: "source_y", title: "Source y", value: place("sourceBox", 1), digits: 0 },
];

/** Rows as CSV: quoted where needed; numbers as they are. */
export function toCsv(columns: ColumnOf[], scene: Scene, places: ArrayLike<number>): string {
  const rows = Array.from(places, (n) => columns.map((column) => csvCell(column.value(scene, n))).join(","));
  return [columns.map((column) => column.name).join(","), ...rows].join("\n");
}

/** A value as a cell: nothing for what is not known, and no formula that a spreadsheet would run. */
function csvCell(value: Value): string {
  if (typeof value === "number") return Number.isNaN(value) ? "" : String(value);
  const text = /^[=+\-@]/.test(String(value)) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The columns that a scene has. */
export function columnsOf(scene: Scene): ColumnOf[] {
  return COLUMNS.filter(({ of }) => !of || scene.column(of));
}

/** Places of the selected retrievals; of all, where nothing is selected. */
export function placesOf({ state, scene }: Session): number[] {
  return state.picked.length ? Array.from(state.picked) : [...scene.query.keys()];
}

const COMPARED = /^(\w+)(<=|>=|<|>|=)(-?[\d.]+)$/;

/**
 * Whether a row is meant by some words, all of which it must fit: a part of one of its texts, the number of its query or
 * entry, or a comparison, as in `similarity<0.8`.
 */
export function fits(columns: readonly ColumnOf[], scene: Scene, place: number, asked: string): boolean {
  return asked
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((word) => fitsWord(columns, scene, place, word));
}

function fitsWord(columns: readonly ColumnOf[], scene: Scene, place: number, word: string): boolean {
  const [, name, sign, number] = COMPARED.exec(word) ?? [];
  const compared = columns.find((column) => column.name === name);
  if (compared) {
    const [value, bound] = [Number(compared.value(scene, place)), Number(number)];
    if (sign === "=") return value === bound;
    return sign.startsWith("<")
      ? value < bound || (sign === "<=" && value === bound)
      : value > bound || (sign === ">=" && value === bound);
  }
  return columns.some(({ name: known, value }) => {
    const found = value(scene, place);
    if (typeof found === "string") return found.toLowerCase().includes(word);
    return (known === "query" || known === "entry") && String(found) === word;
  });
}

class TableView implements Drawn {
  readonly el = h("section", { class: "kt-table", "aria-label": "Retrievals" });
  private readonly body = h("tbody");
  private readonly columns: ColumnOf[];
  private readonly heads: HTMLTableCellElement[];
  private readonly find = h("input", {
    type: "search",
    class: "kt-find",
    placeholder: "Find: a source, similarity<0.8",
    "aria-label": "Find in the table",
    oninput: () => this.fill(),
  });
  private readonly told = h("span", { class: "kt-faint", role: "status" });
  private readonly more = button("Show more", () => this.showMore(), { class: "kt-more" });
  private sorted: { column: number; down: boolean } = { column: -1, down: false };
  private places: number[] = [];
  private visible = AT_ONCE;

  constructor(private readonly session: Session) {
    this.columns = columnsOf(session.before);
    this.heads = this.columns.map((column, n) =>
      h(
        "th",
        { scope: "col", "aria-sort": "none" },
        button(column.title, () => this.sort(n)),
      ),
    );
    const table = h("table", {}, h("thead", {}, h("tr", {}, ...this.heads)), this.body);
    this.el.append(
      h(
        "header",
        {},
        h("h3", {}, "Retrievals"),
        this.told,
        this.find,
        button("Copy as CSV", () => void this.copy()),
        button("Save as CSV", () => save("retrievals.csv", new Blob([this.csv()], { type: "text/csv" }))),
      ),
      h("div", { class: "kt-scroll", tabindex: 0, role: "region", "aria-label": "Table of retrievals" }, table),
      this.more,
    );
    session.store.listen((changed) => {
      if (anyOf(changed, "picked", "colours")) this.fill();
      else if (changed.has("focus")) this.mark();
    });
  }

  csv(): string {
    return toCsv(this.columns, this.session.scene, this.places);
  }

  private fill(): void {
    const { session, find } = this;
    const all = placesOf(session);
    this.places = find.value ? all.filter((n) => fits(this.columns, session.scene, n, find.value)) : all;
    const of = session.state.picked.length ? "selected" : "in all: nothing is selected";
    const found = find.value ? `${count(this.places.length)} of ` : "";
    this.told.textContent = `${found}${count(all.length)} ${of}`;
    this.visible = AT_ONCE;
    this.rank();
  }

  private sort(column: number): void {
    this.sorted = { column, down: this.sorted.column === column ? !this.sorted.down : true };
    this.heads.forEach((head, n) =>
      head.setAttribute("aria-sort", n !== column ? "none" : this.sorted.down ? "descending" : "ascending"),
    );
    this.rank();
  }

  private rank(): void {
    const { column, down } = this.sorted;
    if (column >= 0) {
      const value = (n: number) => this.columns[column].value(this.session.scene, n);
      this.places.sort((one, other) => (down ? -1 : 1) * compare(value(one), value(other)) || one - other);
    }
    this.render();
  }

  private showMore(): void {
    this.visible += 10 * AT_ONCE;
    this.render();
  }

  private render(): void {
    this.body.replaceChildren(...this.places.slice(0, this.visible).map((n) => this.row(n)));
    this.more.hidden = this.places.length <= this.visible;
    this.mark();
  }

  private row(n: number): HTMLTableRowElement {
    const { scene } = this.session;
    const cells = this.columns.map((column) => {
      const value = column.value(scene, n);
      const text = shown(value, column.digits);
      if (column.name === "title") return h("td", {}, named(scene, scene.winnerSource(n)));
      if (column.name === "query")
        return h(
          "td",
          {},
          button(text, () => this.session.store.set({ focus: n })),
        );
      return h("td", { class: typeof value === "number" ? "kt-number" : "" }, text);
    });
    return h("tr", { "data-place": n }, ...cells);
  }

  private mark(): void {
    for (const row of this.body.rows)
      row.classList.toggle("kt-chosen", Number(row.dataset.place) === this.session.state.focus);
  }

  private async copy(): Promise<void> {
    const text = this.csv();
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copyBySelection(text); // where the page may not use the clipboard
    }
    this.told.textContent = `${counted(this.places.length, "row")} copied`;
  }
}

function folded(session: Session): Drawn {
  const el = h("details", { class: "kt-folder" }, h("summary", {}, "Table of retrievals"));
  el.addEventListener("toggle", () => {
    if (el.open && el.childElementCount === 1) el.append(new TableView(session).el);
  });
  return { el };
}

function shown(value: Value, digits?: number): string {
  if (typeof value === "boolean") return value ? "yes" : "";
  if (typeof value === "string") return value;
  if (Number.isNaN(value)) return "";
  return digits === undefined ? String(value) : value.toFixed(digits);
}

function compare(one: Value, other: Value): number {
  if (typeof one === "string" && typeof other === "string") return one.localeCompare(other);
  const [a, b] = [Number(one), Number(other)];
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a - b;
}

function copyBySelection(text: string): void {
  const area = h("textarea", { "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
