// Whom a view asks: the Python behind it, or, in an exported page, what was stored with it.

import type { Column } from "./packed";
import type { Kind, Requests } from "./protocol";
import type { Selected } from "./store";

/** Which of its two traces a view shows: the recorded one, or that of a counterfactual. */
export type Showing = "before" | "after";

/** Told to the person: what was asked, what was found, what to do. */
export class Refused extends Error {}
/** An answer to a question that was asked again since. */
export class Stale extends Error {}
/** Nobody is there to answer. */
export class Unanswered extends Error {}

export interface Answer {
  readonly values: Record<string, unknown>;
  has(name: string): boolean;
  column<T extends Column = Column>(name: string): T;
}

export interface Host {
  /** Whether the photo can be translated again. */
  readonly canTranslate: boolean;
  /** Whether there is a Python to ask, not only what a page keeps. */
  readonly live: boolean;
  /** What a page had no room for, in words. */
  readonly leftOut: readonly string[];
  /** Ask about a trace, by its digest; a later question of the same kind and topic makes an earlier answer `Stale`. */
  ask<K extends Kind>(kind: K, body: Requests[K], topic: string, trace: string): Promise<Answer>;
  /** Tell what was selected, and in which trace. */
  select(selected: Selected, node: [number, number] | null, showing: Showing): void;
  /** Tell how sources are shown together. */
  group(by: string): void;
  /** Whether a site of the trace can be shown. */
  hasSite(site: string): boolean;
  /** Draw another site: the view is drawn anew when its scene has come. */
  showSite(site: string): void;
  close(): void;
}
