// The descent of one retrieval, level by level in columns: the node it took, and beside it those that others would take.

import { button, counted, h } from "../../core/dom";
import { named } from "../../core/naming";
import { queryPatch, sourcePatch, winnerPatch } from "../../core/patches";
import { boxFrom, type Scene, wordFor } from "../../core/scene";
import type { Descent, Exact } from "./descent";
import type { NodePictures } from "./node";
import type { TreeModel } from "./model";

/** Nodes of a level that are shown at first; all others are behind a button. */
const AT_FIRST = 5;
const [SIDE, PATCH, MOSAIC] = [56, 40, 18];

/** What is known of a retrieval's way. */
export interface Told {
  place: number;
  descent: Descent;
  exact: Exact | null;
  /** Why the exact winner is not told of; null while it is looked for. */
  missing: string | null;
}

/** What a column shows of a node. */
interface Step {
  node: number;
  near: number | null;
  /** Who takes it. */
  by: ("winner" | "greedy" | "exact")[];
}

const WHO = {
  winner: "The winner lies below it",
  greedy: "Greedy descent takes it: the most similar at each level",
  exact: "The best entry of all lies below it",
};

export class Columns {
  readonly el = h("div", { class: "kt-columns", role: "group", "aria-label": "Descent of the selected retrieval" });
  private told: Told | null = null;
  private readonly opened = new Set<number>();

  /**
   * @param pick called with the bank and the node that a person chose
   * @param visits how often the winners of the translation passed each node of a bank
   */
  constructor(
    private readonly pictures: NodePictures,
    private readonly pick: (bank: number, node: number) => void,
    private readonly visits: (bank: number) => ArrayLike<number>,
  ) {}

  show(told: Told | null): void {
    if (told?.place !== this.told?.place) this.opened.clear();
    this.told = told;
  }

  /** Draw what is known; `bank` is the number of the descent's bank. */
  draw(scene: Scene, model: TreeModel, bank: number, chosen: number | null): void {
    const { told } = this;
    this.el.hidden = !told;
    if (!told) return;
    const { descent } = told;
    const levels = stepsOf(told).map((steps, level) => this.level(steps, level, scene, model, bank, chosen));
    const asked = h(
      "div",
      { class: "kt-column kt-asked" },
      h("h4", {}, "Query"),
      queryPatch(scene, told.place, SIDE),
      h("span", { class: "kt-faint" }, leavesInWords(descent.visited)),
    );
    this.el.replaceChildren(asked, ...levels, this.ends(told, scene));
    this.pictures.want(bank, [...new Set(stepsOf(told).flatMap((steps) => steps.map(({ node }) => node)))]);
  }

  private level(
    steps: Step[],
    level: number,
    scene: Scene,
    model: TreeModel,
    bank: number,
    chosen: number | null,
  ): HTMLElement {
    const few = steps.filter(({ by }, n) => by.length > 0 || n < AT_FIRST);
    const shown = this.opened.has(level) ? steps : few;
    const rest = steps.length - shown.length;
    const more = button(`${counted(rest, "other")} …`, () => {
      this.opened.add(level);
      this.draw(scene, model, bank, chosen);
    });
    return h(
      "div",
      { class: "kt-column" },
      h("h4", {}, `Level ${level + 1}: ${counted(steps.length, "node")}`),
      h("ol", {}, ...shown.map((step) => this.step(step, scene, model, bank, chosen))),
      rest > 0 && more,
    );
  }

  private step({ node, near, by }: Step, scene: Scene, model: TreeModel, bank: number, chosen: number | null) {
    const cluster = model.clusters.get(node);
    const about = scene.about.banks[bank];
    const facts = cluster ? [counted(cluster.size, "entry", "entries"), counted(this.visits(bank)[node], "visit")] : [];
    return h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          class: ["kt-step", ...by.map((one) => `kt-by-${one}`)].join(" "),
          "aria-pressed": String(node === chosen),
          title: [...by.map((one) => WHO[one]), `Node ${node}`].join(". "),
          onclick: () => this.pick(bank, node),
        },
        this.pictures.mosaic(bank, node, MOSAIC),
        h(
          "span",
          { class: "kt-facts" },
          h("b", {}, about.words[node] ?? (near === null ? `Node ${wordFor(about, node)}` : near.toFixed(3))),
          ...facts.map((fact) => h("span", { class: "kt-faint" }, fact)),
        ),
        marks(by),
      ),
    );
  }

  /** Where the ways end: the winner's entry, and the best of all. */
  private ends({ place, exact, missing, descent }: Told, scene: Scene): HTMLElement {
    const won = scene.winnerSimilarity(place);
    const same = exact !== null && exact.similarity - won < 1e-6;
    const found = [
      this.entry(
        ["winner", ...(same ? ["exact"] : [])],
        won,
        winnerPatch(scene, place, PATCH),
        scene.winnerSource(place),
      ),
    ];
    if (exact && !same)
      found.push(
        this.entry(
          ["exact"],
          exact.similarity,
          sourcePatch(scene, exact.source, boxFrom(exact.box), PATCH),
          exact.source,
        ),
      );
    const elsewhere = exact && exact.bank !== descent.bank ? `The best of all is of ${exact.bank}.` : "";
    const regret = exact && !same ? `Regret ${(exact.similarity - won).toFixed(3)}.` : "";
    const unknown = missing
      ? `The best of all is not known: ${missing}.`
      : missing === null
        ? "Looking for the best …"
        : "";
    return h(
      "div",
      { class: "kt-column" },
      h("h4", {}, "Entry"),
      h("ol", {}, ...found.map((one) => one(scene))),
      h("p", { class: "kt-faint" }, [regret, elsewhere, unknown].filter(Boolean).join(" ")),
    );
  }

  private entry(by: string[], similarity: number, patch: HTMLElement, source: number) {
    return (scene: Scene) =>
      h(
        "li",
        { class: ["kt-step", ...by.map((one) => `kt-by-${one}`)].join(" ") },
        patch,
        h("span", { class: "kt-facts" }, h("b", {}, similarity.toFixed(3)), named(scene, source)),
        marks(by),
      );
  }
}

function leavesInWords(visited: readonly number[] | null): string {
  if (!visited) return "";
  return visited.length ? `${counted(visited.length, "leaf", "leaves")} visited` : "all compared";
}

function marks(by: readonly string[]): HTMLElement | null {
  return by.length
    ? h("span", { class: "kt-marks" }, ...by.map((one) => h("i", { class: `kt-mark-${one}` }, one)))
    : null;
}

/** The nodes of every level, most similar first, with those whose way leads there. */
export function stepsOf({ descent, exact }: Told): Step[][] {
  const ways = [
    { by: "winner" as const, path: descent.path, near: [] as (number | null)[] },
    { by: "greedy" as const, ...descent.greedy },
    ...(exact && exact.bank === descent.bank ? [{ by: "exact" as const, path: exact.path, near: exact.near }] : []),
  ];
  const depth = Math.max(...ways.map(({ path }) => path.length));
  return Array.from({ length: depth }, (_, level) => {
    const road = descent.roads[level];
    const near = new Map<number, number | null>(road?.nodes.map((node, n) => [node, road.similarity[n]]));
    for (const { path, near: known } of ways)
      if (level < path.length && !near.has(path[level])) near.set(path[level], known[level] ?? null);
    const steps = [...near].map(([node, value]) => ({
      node,
      near: value,
      by: ways.filter(({ path }) => path[level] === node).map(({ by }) => by),
    }));
    return steps.sort((one, other) => (other.near ?? -2) - (one.near ?? -2) || one.node - other.node);
  });
}
