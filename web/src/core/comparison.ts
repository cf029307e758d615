// Two traces in one view: the switch between them, and who took over from whom.

import { button, counted, h, percent, words } from "./dom";
import type { Showing } from "./host";
import { named } from "./naming";
import type { About, Source } from "./scene";
import type { Session } from "./session";
import { anyOf } from "./store";

const MOST = 6;

/** The switch that moves everything, and what changed in a line; hidden without a counterfactual. */
export class ComparisonBar {
  readonly el = h("div", { class: "kt-comparison", role: "group", "aria-label": "Comparison" });

  constructor(session: Session) {
    const names: Showing[] = ["before", "after"];
    const choices = names.map((name) => button(name === "after" ? "After" : "Before", () => session.show(name)));
    const told = h("span", { role: "status" });
    const close = button("Close comparison", () => session.closeComparison(), { class: "kt-close" });
    this.el.append(h("span", { class: "kt-group" }, ...choices), told, close);
    session.store.listen((changed) => {
      if (!changed.has("showing")) return;
      const { after, showing } = session.state;
      this.el.hidden = !after;
      choices.forEach((choice, n) => choice.setAttribute("aria-pressed", String(names[n] === showing)));
      const { comparison } = after?.about ?? {};
      const effects = (comparison?.effects ?? []).map((effect) => h("div", {}, inWords(effect)));
      told.replaceChildren(h("strong", {}, words(session.label)), ` ${comparison?.headline}`, ...effects);
    });
  }
}

/** What a new look changed within its object and beyond it. */
export function inWords({ said, inside, outside }: NonNullable<About["comparison"]>["effects"][number]): string {
  const levels = (value: number) => value.toFixed(value < 10 ? 2 : 1);
  const beyond = outside === null ? "" : `, outside it by ${levels(outside)}`;
  return `${said}: inside its mask the picture changed by ${levels(inside)} levels of 255 on average${beyond}.`;
}

/** Who took over from whom, largest share of the picture first. */
export class Heirs {
  readonly el = h("section", { class: "kt-heirs", "aria-label": "Who took over" });

  constructor(private readonly session: Session) {
    session.store.listen((changed) => {
      if (anyOf(changed, "after", "colours")) this.fill();
    });
  }

  private fill(): void {
    const { comparison } = this.session.state.after?.about ?? {};
    this.el.hidden = !comparison;
    if (!comparison) return;
    const { heirs, moved } = comparison;
    const rest = moved - heirs.slice(0, MOST).reduce((sum, heir) => sum + heir[3], 0);
    this.el.replaceChildren(
      h("h3", {}, `Who took over ${percent(moved)} of the picture`),
      h("ol", {}, ...heirs.slice(0, MOST).map((heir) => this.line(heir, heirs[0][3]))),
      h("p", { class: "kt-faint" }, heirs.length > MOST ? `and ${percent(rest)} between others` : ""),
    );
  }

  private line([from, to, retrievals, share]: number[], most: number): HTMLElement {
    const bar = h("i");
    bar.style.width = `${(100 * share) / most}%`;
    return h(
      "li",
      { title: `${this.source(to).title} from ${this.source(from).title}: ${counted(retrievals, "retrieval")}` },
      h("span", {}, ...this.names(to, from)),
      h("b", {}, percent(share)),
      bar,
    );
  }

  private names(to: number, from: number): HTMLElement[] {
    const scene = this.session.state.after!;
    return [named(scene, to), h("span", { class: "kt-faint" }, " from "), named(scene, from)];
  }

  private source(number: number): Source {
    return this.session.sources[number];
  }
}
