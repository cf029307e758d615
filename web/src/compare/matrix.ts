// Who gave how much in which trace: a row for each source, a column for each trace, of what is selected.

import { h, named, percent } from "../core/shared";
import type { Scene } from "../core/scene";
import type { Session } from "../core/session";
import { alike } from "./linked";

/** Sources in rows of their own. */
const ROWS = 12;

interface Row {
  name: string;
  title: HTMLElement;
  /** By trace; null where it has no such source. */
  shares: (number | null)[];
}

export class Matrix {
  readonly el = h("section", { class: "kt-matrix", "aria-label": "Shares by trace" });
  private said = "";

  constructor(
    private readonly titles: readonly string[],
    private readonly onSource: (name: string) => void,
  ) {}

  draw(there: readonly Session[]): void {
    const rows = rowsOf(there);
    const selected = there.some(({ state }) => state.selected.kind !== "none");
    const same = agreements(there);
    const said = JSON.stringify([rows.map(({ name, shares }) => [name, shares]), selected, same, colours(there)]);
    if (said === this.said) return;
    this.said = said;
    const head = h(
      "tr",
      {},
      h("th", { scope: "col" }, "Source"),
      ...this.titles.map((one) => h("th", { scope: "col" }, one)),
    );
    const most = Math.max(0, ...rows.flatMap(({ shares }) => shares.map((share) => share ?? 0)));
    const body = rows.slice(0, ROWS).map((row) => this.row(row, most));
    const rest = rows.slice(ROWS);
    if (rest.length) {
      const sums = this.titles.map((_, n) => rest.reduce((sum, { shares }) => sum + (shares[n] ?? 0), 0));
      body.push(
        h("tr", {}, h("th", { scope: "row" }, `${rest.length} others`), ...sums.map((share) => cell(share, most))),
      );
    }
    const foot = h("tr", { class: "kt-faint" }, h("th", { scope: "row" }, "Same source as the first"));
    foot.append(...same.map((part, n) => h("td", {}, n === 0 ? "" : part === null ? "not alike" : percent(part))));
    this.el.replaceChildren(
      h("h3", {}, selected ? "Shares of the selection" : "Shares of the whole picture"),
      h(
        "div",
        { class: "kt-matrixscroll" },
        h("table", {}, h("thead", {}, head), h("tbody", {}, ...body), h("tfoot", {}, foot)),
      ),
    );
  }

  private row({ name, title, shares }: Row, most: number): HTMLElement {
    const choose = h("button", { type: "button", class: "kt-plain", onclick: () => this.onSource(name) }, title);
    return h("tr", {}, h("th", { scope: "row" }, choose), ...shares.map((share) => cell(share, most)));
  }
}

function cell(share: number | null, most: number): HTMLElement {
  if (share === null) return h("td", { class: "kt-faint" }, "not in its banks");
  const bar = h("i", { class: "kt-matrixbar" });
  bar.style.width = `${most ? (100 * share) / most : 0}%`;
  return h("td", {}, h("span", { class: "kt-matrixtrack" }, bar), h("span", { class: "kt-number" }, percent(share)));
}

/** Of all sources that gave something anywhere, the largest first. */
export function rowsOf(sessions: readonly Session[]): Row[] {
  const found = new Map<string, Row>();
  sessions.forEach((session, number) => {
    const { scene } = session;
    const shares = session.sharesIn(scene);
    scene.about.sources.forEach(({ name }, source) => {
      const row = found.get(name) ?? { name, title: named(scene, source), shares: sessions.map(() => null) };
      row.shares[number] = shares[source];
      found.set(name, row);
    });
  });
  const largest = ({ shares }: Row) => Math.max(...shares.map((share) => share ?? 0));
  return [...found.values()].filter((row) => largest(row) > 0).sort((one, other) => largest(other) - largest(one));
}

/** Part of the retrievals of each trace that go to the same source as in the first; null where they lie elsewhere. */
function agreements(sessions: readonly Session[]): (number | null)[] {
  const first = sessions[0].scene;
  return sessions.map(({ scene }) => (alike(scene, first) ? agreement(scene, first) : null));
}

function agreement(scene: Scene, first: Scene): number {
  const name = (one: Scene, place: number) => one.about.sources[one.winnerSource(place)]?.name;
  let same = 0;
  for (let place = 0; place < scene.count; place++) same += Number(name(scene, place) === name(first, place));
  return same / Math.max(1, scene.count);
}

function colours(sessions: readonly Session[]): number[] {
  return sessions.map(({ state }) => state.colours);
}
