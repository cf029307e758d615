// Two traces in one view: the switch between them, and who took over from whom.

import { described } from "./change";
import { button, counted, h, percent, words } from "./dom";
import type { Showing } from "./host";
import { named } from "./naming";
import { wholePicture } from "./patches";
import type { About, Source } from "./scene";
import type { Session } from "./session";
import { anyOf } from "./store";

const MOST = 6;
/** Sides of small pictures. */
const [STRIP_PX, HEIR_PX] = [44, 28];

/** The switch that moves everything, what changed in a line, and the counterfactuals to go back to. */
export class ComparisonBar {
  readonly el = h("div", { class: "kt-comparison", role: "group", "aria-label": "Comparison" });
  private readonly names: Showing[] = ["before", "after"];
  private readonly choices = this.names.map((name) =>
    button(name === "after" ? "After" : "Before", () => this.session.show(name)),
  );
  private readonly told = h("span", { role: "status" });
  private readonly close = button("Close comparison", () => this.session.closeComparison(), { class: "kt-close" });
  private readonly items = h("ul", { class: "kt-items", "aria-label": "What is otherwise" });
  private readonly both = h("div", { class: "kt-both" });

  constructor(private readonly session: Session) {
    this.both.append(h("span", { class: "kt-group" }, ...this.choices), this.told, this.close, this.items);
    this.el.append(this.both, new TriedStrip(session).el);
    session.store.listen((changed) => {
      if (anyOf(changed, "showing", "tried")) this.show();
      if (anyOf(changed, "change", "frozen")) this.list();
    });
  }

  private show(): void {
    const { after, showing, tried } = this.session.state;
    this.el.hidden = !after && !tried.length;
    this.both.hidden = !after;
    this.close.hidden = !this.session.host.canTranslate;
    this.choices.forEach((choice, n) => choice.setAttribute("aria-pressed", String(this.names[n] === showing)));
    const { comparison } = after?.about ?? {};
    const effects = (comparison?.effects ?? []).map((effect) => h("div", {}, inWords(effect)));
    this.told.replaceChildren(h("strong", {}, words(this.session.label)), ` ${comparison?.headline}`, ...effects);
  }

  /** Several things that are otherwise, each to be taken back alone. */
  private list(): void {
    const { change, frozen } = this.session.state;
    const items = this.session.itemsOf(change);
    this.items.hidden = items.length < 2 || !this.session.host.canTranslate || frozen !== "";
    this.items.replaceChildren(
      ...items.map(({ kind, said, rest }) =>
        h(
          "li",
          {},
          h("span", {}, `${kind} `, words(said)),
          button("×", () => void this.session.translate(rest), { "aria-label": `Take back: ${kind} ${said}` }),
        ),
      ),
    );
  }
}

/** The recorded translation and the counterfactuals that Python keeps, as small pictures: one is shown by a click. */
class TriedStrip {
  readonly el = h("div", { class: "kt-tried", role: "group", "aria-label": "Translations to go back to" });

  constructor(private readonly session: Session) {
    session.store.listen((changed) => {
      if (anyOf(changed, "tried", "after", "frozen", "making")) this.fill();
    });
  }

  private fill(): void {
    const { tried, after, frozen, making } = this.session.state;
    this.el.hidden = tried.length < (after ? 2 : 1);
    const can = this.session.host.canTranslate && !frozen && !making;
    const recorded = this.session.before.output;
    this.el.replaceChildren(
      this.one("Recorded", "", recorded, !after, can, () => this.session.closeComparison()),
      ...tried.map(({ digest, change, changed, picture }) => {
        const label = described(this.session.itemsOf(change));
        const told = `${percent(changed)} of the pixels changed`;
        const show = () => void this.session.translate(change);
        return this.one(label, told, picture, digest === after?.about.digest, can, show);
      }),
    );
  }

  private one(
    label: string,
    told: string,
    picture: ImageBitmap | null,
    shown: boolean,
    can: boolean,
    show: () => void,
  ): HTMLElement {
    return h(
      "button",
      {
        type: "button",
        "aria-pressed": String(shown),
        disabled: !can,
        title: [label, told].filter(Boolean).join(": "),
        onclick: () => !shown && show(),
      },
      wholePicture(picture, STRIP_PX),
      h("span", {}, words(label)),
    );
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
      if (anyOf(changed, "after", "colours", "pictures")) this.fill();
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
    const shown = (source: number) => [wholePicture(scene.pictureOf(source), HEIR_PX), named(scene, source)];
    return [...shown(to), h("span", { class: "kt-faint" }, " from "), ...shown(from)];
  }

  private source(number: number): Source {
    return this.session.sources[number];
  }
}
