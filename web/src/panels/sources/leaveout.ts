// Leaving out by what is known of sources: all of a creator, of a licence, of a bank.

import { KNOWN_BY, type KnownBy } from "../../core/change";
import { counted, h, percent } from "../../core/dom";
import type { Source } from "../../core/scene";
import type { Session } from "../../core/session";

const NAMES: Record<KnownBy, string> = { creator: "Creator", licence: "Licence", bank: "Bank" };

export class LeaveOut {
  readonly el = h("select", { class: "kt-leaveout", "aria-label": "Leave out by creator, licence or bank" });

  constructor(private readonly session: Session) {
    this.el.addEventListener("change", () => this.leaveOut());
  }

  /** List what can be left out: nothing that all sources have in common, and nothing that is left out already. */
  fill(can: boolean): void {
    const { before, state } = this.session;
    const sources = before.about.sources.filter(({ here }) => here);
    const { by } = state.change;
    const groups = KNOWN_BY.flatMap((field) => {
      const known = groupedBy(sources, field);
      if (known.size < 2) return [];
      const left = [...known].filter(([value]) => !by.some(([one, other]) => one === field && other === value));
      const options = left.map(([value, some]) =>
        h("option", { value: JSON.stringify([field, value]) }, `${value} (${told(some)})`),
      );
      return [h("optgroup", { label: NAMES[field] }, ...options)];
    });
    this.el.hidden = !groups.length || !can;
    this.el.replaceChildren(h("option", { value: "" }, "Leave out"), ...groups);
  }

  private leaveOut(): void {
    const { value } = this.el;
    this.el.value = "";
    if (!value) return;
    const { by } = this.session.state.change;
    void this.session.translate({ by: [...by, JSON.parse(value) as [string, string]] });
  }
}

/** Sources by what is known of them, largest share first. */
export function groupedBy(sources: readonly Source[], field: KnownBy): Map<string, Source[]> {
  const found = new Map<string, Source[]>();
  for (const source of sources) {
    const group = found.get(source[field]);
    if (group) group.push(source);
    else found.set(source[field], [source]);
  }
  return new Map([...found].sort(([, one], [, other]) => shareOf(other) - shareOf(one)));
}

function shareOf(sources: readonly Source[]): number {
  return sources.reduce((sum, { share }) => sum + share, 0);
}

function told(sources: readonly Source[]): string {
  return `${counted(sources.length, "source")}, ${percent(shareOf(sources))}`;
}
