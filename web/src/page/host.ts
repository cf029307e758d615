// The host of an exported page: its panels answer from what Python stored (ktviz/widgets/page.py), as Python would.

import { type Answer, type Host, Unanswered } from "../core/host";
import type { Panel, StoredAnswers } from "../core/panel";
import type { Kind, Requests } from "../core/protocol";
import type { Kept } from "../core/stored";
import { storedBands } from "./bands";
import { storedPictures } from "./pictures";
import { storedTrees } from "./trees";

/** What answers for the panels of the bundle; those in files of their own bring it along. */
const STORED: Record<string, (kept: Kept) => StoredAnswers> = {
  sources: storedPictures,
  tree: storedTrees,
  bands: storedBands,
};

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
    this.answers = kept.map((one) =>
      Object.assign({}, ...panels.map(({ name, stored }) => (STORED[name] ?? stored)?.(one))),
    );
  }

  get leftOut(): string[] {
    return [...new Set(this.kept.flatMap((one) => one.leftOut))];
  }

  async ask<K extends Kind>(kind: K, body: Requests[K], _topic = "", trace = ""): Promise<Answer> {
    const about = this.kept.findIndex(({ scene }) => scene.about.digest === trace);
    const answer = this.answers[Math.max(0, about)][kind];
    if (!answer) throw new Unanswered(kind);
    return answer(body);
  }

  select(): void {}

  group(): void {}

  hasSite(site: string): boolean {
    return this.others.has(site);
  }

  showSite(site: string): void {
    this.others.show(site);
  }

  close(): void {}
}
