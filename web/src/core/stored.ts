// The host of an exported page: its panels answer from what Python stored (ktviz/widgets/page.py), as Python would.

import { type Answer, type Host, Unanswered } from "./host";
import type { Column, Packed } from "./packed";
import type { Panel, StoredAnswers } from "./panel";
import { type Kind, type Requests, STEPS } from "./protocol";
import type { Scene } from "./scene";

/** Values and parts that were put together here. */
export class Made implements Answer {
  constructor(
    readonly values: Record<string, unknown>,
    private readonly parts: Record<string, Column>,
  ) {}

  has(name: string): boolean {
    return name in this.parts;
  }

  column<T extends Column>(name: string): T {
    return this.parts[name] as T;
  }
}

/** What a page keeps about one scene; what another site keeps in the same form is stored once. */
export class Kept {
  private readonly shared: ReadonlySet<string>;

  constructor(
    readonly scene: Scene,
    private readonly own: Packed,
    private readonly first: Packed = own,
  ) {
    this.shared = new Set(own.values.shared as string[] | undefined);
  }

  has(name: string): boolean {
    return this.where(name).has(name);
  }

  column<T extends Column = Column>(name: string): T {
    return this.where(name).column<T>(name);
  }

  shape(name: string): number[] {
    return this.where(name).shape(name);
  }

  /** Throw `Unanswered` unless some parts are kept. */
  need(...names: string[]): void {
    for (const name of names) if (!this.has(name)) throw new Unanswered(name);
  }

  private where(name: string): Packed {
    return this.shared.has(name) ? this.first : this.own;
  }
}

/** Other sites of the trace, as far as a page holds them. */
export interface OtherSites {
  has(site: string): boolean;
  show(site: string): void;
}

export class PageHost implements Host {
  readonly canTranslate = false;
  readonly live = false;
  private readonly answers: StoredAnswers[];

  /** @param kept of the recorded trace, and of the counterfactual beside it, if there is one */
  constructor(
    private readonly kept: readonly Kept[],
    panels: readonly Panel[],
    private readonly others: OtherSites,
  ) {
    this.answers = kept.map((one) => Object.assign({}, ...panels.map((panel) => panel.stored?.(one))));
  }

  async ask<K extends Kind>(kind: K, body: Requests[K], _topic = "", trace = ""): Promise<Answer> {
    const about = this.kept.findIndex(({ scene }) => scene.about.digest === trace);
    const answer = this.answers[Math.max(0, about)][kind];
    if (!answer) throw new Unanswered(kind);
    return answer(body);
  }

  select(): void {}

  hasSite(site: string): boolean {
    return this.others.has(site);
  }

  showSite(site: string): void {
    this.others.show(site);
  }

  close(): void {}
}

/** A value that was stored as whole steps; NaN for the least. */
export function unstep(value: number): number {
  return value < -STEPS ? Number.NaN : value / STEPS;
}
