// What is otherwise in a counterfactual: what a person left out, and with which other settings.

import { count, counted } from "./dom";
import type { Requests } from "./protocol";
import type { Source } from "./scene";

export type Change = Requests["translate"];

/** One thing that is otherwise, in words, and the change without it. */
export interface Item {
  kind: "without" | "with";
  said: string;
  rest: Change;
}

/** By what sources can be left out together. */
export const KNOWN_BY = ["creator", "licence", "bank", "year"] as const;
export type KnownBy = (typeof KNOWN_BY)[number];
/** Parts of sources that one run can do without. */
export const MOST_PARTS = 64;

/** Nothing is otherwise. */
export function unchanged(weights: readonly number[]): Change {
  return { without: [], by: [], parts: [], entries: [], weights: [...weights], styles: [], copies: [] };
}

/** Whether a source is left out for what is known of it. */
export function leftOutBy({ by }: Change, source: Source): boolean {
  return by.some(([field, value]) => source[field as KnownBy] === value);
}

/** What is otherwise, thing by thing. */
export function itemsOf(change: Change, sources: readonly Source[], recorded: readonly number[]): Item[] {
  const items: Item[] = [];
  const add = (kind: Item["kind"], said: string, without: Partial<Change>) =>
    items.push({ kind, said, rest: { ...change, ...without } });
  for (const source of change.without)
    add("without", titleOf(sources, source), { without: change.without.filter((one) => one !== source) });
  for (const pair of change.by) add("without", inWords(pair), { by: change.by.filter((one) => one !== pair) });
  for (const source of new Set(change.parts.map(([source]) => source))) {
    const rest = change.parts.filter(([one]) => one !== source);
    const [some, title] = [change.parts.length - rest.length, titleOf(sources, source)];
    add("without", some > 1 ? `${count(some)} parts of ${title}` : `a part of ${title}`, { parts: rest });
  }
  if (change.entries.length) add("without", counted(change.entries.length, "stored object"), { entries: [] });
  const looks = change.styles.length + change.copies.length;
  if (looks) add("with", `another look of ${looks > 1 ? `${looks} objects` : "an object"}`, { styles: [], copies: [] });
  if (change.weights.some((weight, band) => weight !== recorded[band]))
    add("with", `band weights ${change.weights.join(" · ")}`, { weights: [...recorded] });
  return items;
}

/** The same in a line; empty where nothing is otherwise. */
export function described(items: readonly Item[]): string {
  const without = items.filter(({ kind }) => kind === "without").map(({ said }) => said);
  const more = without.length > 2 ? ` and ${without.length - 2} more` : "";
  const others = items.filter(({ kind }) => kind === "with").map(({ said }) => `with ${said}`);
  return [...(without.length ? [`without ${without.slice(0, 2).join(", ")}${more}`] : []), ...others].join(", ");
}

function inWords([field, value]: readonly [string, string]): string {
  if (field === "creator") return value === "unknown" ? "everything by unknown creators" : `everything by ${value}`;
  if (field === "licence") return value === "unknown" ? "everything of unknown licence" : `everything under ${value}`;
  if (field === "year") return value === "unknown" ? "everything of unknown year" : `everything of ${value}`;
  return `bank ${value}`;
}

function titleOf(sources: readonly Source[], source: number): string {
  return sources[source]?.title ?? "a source";
}
