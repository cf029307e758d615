// Sources together by what is known of them: a row for each creator, licence, bank or year, in place of those of the sources.

import { KNOWN_BY, type KnownBy } from "../core/change";
import { counted, h, percent, setChildren, words } from "../core/dom";
import type { Drawn, Panel } from "../core/panel";
import type { Source } from "../core/scene";
import type { Session } from "../core/session";
import type { Changed, Selected, State } from "../core/store";
import { ShareBar } from "./sources/sharebar";

/** People instead of files. */
export const groups: Panel = { name: "groups", draw: (session) => new GroupsView(session) };

const CHOICES = {
  source: "Each source",
  creator: "By creator",
  licence: "By licence",
  bank: "By bank",
  year: "By year",
};
const UNKNOWN = "unknown";
/** What rows are drawn of. */
const OF_ROWS: (keyof State)[] = ["by", "shares", "colours", "selected", "change", "frozen"];
const SETTLE_MS = 350;

/** Sources of one creator, licence, bank or year. */
export interface Group {
  name: string;
  members: number[];
}

class GroupsView implements Drawn {
  readonly el = h("ol", { class: "kt-groups" });
  private readonly choice = h("select", {
    class: "kt-by",
    "aria-label": "Show sources one by one, or together",
    onchange: () => this.session.group(this.choice.value),
  });
  private readonly rows = new Map<string, GroupRow>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly session: Session) {
    const here = session.before.about.sources.filter((source) => source.here);
    const known = KNOWN_BY.filter((by) => here.length > 1 && here.some((source) => source[by] !== UNKNOWN));
    const choices = (["source", ...known] as const).map((by) => h("option", { value: by }, CHOICES[by]));
    this.choice.append(...choices);
    this.choice.hidden = !known.length;
    session.store.listen((changed) => this.update(changed));
  }

  /** Stand where the rows of the sources stand. */
  join(others: ReadonlyMap<string, Drawn>): void {
    const sources = others.get("sources")?.el;
    sources?.querySelector("h3")!.after(this.choice);
    sources?.querySelector(".kt-rows")!.before(this.el);
    this.place();
  }

  private update(changed: Changed): void {
    if (changed.has("by")) this.place();
    if (OF_ROWS.some((name) => changed.has(name))) this.draw();
  }

  /** Which of the two lists is seen. */
  private place(): void {
    const { by } = this.session.state;
    this.choice.value = by;
    this.el.hidden = by === "source";
    this.el.closest(".kt-sources")?.classList.toggle("kt-together", by !== "source");
    this.session.moved(); // curves end at the rows of sources, or nowhere
  }

  private draw(): void {
    const { state, before } = this.session;
    if (state.by === "source") return;
    const by = state.by as KnownBy;
    const shares = this.session.sharesIn(before);
    const found = grouped(this.session.sources, by, state.selected.kind === "none" ? undefined : shares);
    const rows = found.map((group) => this.row(by, group));
    setChildren(
      this.el,
      rows.map(({ el }) => el),
    );
  }

  private row(by: KnownBy, group: Group): GroupRow {
    const key = JSON.stringify([by, group.name]);
    const row = this.rows.get(key) ?? new GroupRow(this.session, by, group.name, (used) => this.use(by, group, used));
    this.rows.set(key, row);
    row.draw(group.members);
    return row;
  }

  /** Leave out all of a group, or take it back; several clicks in a row make one translation. */
  private use(by: KnownBy, { name, members }: Group, used: boolean): void {
    const { change } = this.session.state;
    const others = change.by.filter(([field, value]) => field !== by || value !== name);
    const without = used ? change.without.filter((source) => !members.includes(source)) : change.without;
    this.session.store.set({ change: { ...change, without, by: used ? others : [...others, [by, name]] } });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.session.translate({}), SETTLE_MS);
  }
}

/** A group as a row: its name, the bar of its sources in their colours, its share. */
class GroupRow {
  readonly el: HTMLElement;
  private readonly open: HTMLElement;
  private readonly told = h("span", { class: "kt-faint kt-credit" });
  /** Of the recorded trace, and of the counterfactual. */
  private readonly bars = [new ShareBar(), new ShareBar()];
  private readonly share = h("span", { class: "kt-share", title: "Share: overlap, before any decoder" });
  private readonly box: HTMLInputElement;
  private members: readonly number[] = [];
  /** What was selected by a click here. */
  private chosen: Selected | null = null;

  constructor(
    private readonly session: Session,
    private readonly by: KnownBy,
    private readonly name: string,
    use: (used: boolean) => void,
  ) {
    const label = h("strong", {}, name === UNKNOWN ? `${by} unknown` : words(name));
    const lines = [h("span", { class: "kt-groupname" }, label, this.told), ...this.bars.map(({ el }) => el)];
    const title = "Show everywhere they went";
    this.open = h("button", { type: "button", class: "kt-open", title, onclick: () => this.select() }, ...lines);
    this.box = h("input", {
      type: "checkbox",
      "aria-label": `Use ${by} ${name}`,
      title: "Untick to see the picture without them",
      onchange: () => use(this.box.checked),
    });
    this.el = h(
      "li",
      { class: "kt-card" },
      this.open,
      h("span", { class: "kt-use" }, this.share, h("label", {}, this.box)),
    );
  }

  draw(members: readonly number[]): void {
    this.members = members;
    const { before, sources, state } = this.session;
    const scenes = [before, ...(state.after ? [state.after] : [])];
    const sums = scenes.map((scene) => {
      const shares = this.session.sharesIn(scene);
      return { shares, sum: members.reduce((sum, source) => sum + (shares[source] ?? 0), 0) };
    });
    this.told.textContent = counted(members.length, "source");
    this.told.title = members.map((source) => sources[source].title).join(", ");
    this.share.textContent = sums.map(({ sum }) => percent(sum)).join(" → ");
    this.bars.forEach((bar, n) => {
      bar.el.hidden = n >= scenes.length;
      if (n < scenes.length) bar.draw(scenes[n], members, sums[n].shares);
    });
    const chosen = state.selected === this.chosen;
    this.open.setAttribute("aria-pressed", String(chosen));
    this.el.classList.toggle("kt-chosen", chosen);
    this.el.classList.toggle("kt-unused", !sums[0].sum);
    this.allow();
  }

  /** Whether it is used, and whether it can be left out now. */
  private allow(): void {
    const { host, sources, state } = this.session;
    const { by, without } = state.change;
    const out = (source: number) =>
      without.includes(source) || by.some(([field, value]) => sources[source][field as KnownBy] === value);
    this.box.checked = !this.members.every(out);
    const own = by.some(([field, value]) => field === this.by && value === this.name);
    const otherwise = !this.box.checked && !own && this.members.some((source) => !without.includes(source));
    this.box.disabled = !host.canTranslate || state.frozen !== "" || otherwise;
  }

  private select(): void {
    const { scene, state } = this.session;
    if (state.selected === this.chosen) return this.session.clear();
    const places = [...scene.query.keys()].filter((place) => this.members.includes(scene.winnerSource(place)));
    this.session.select({ kind: "queries", queries: places.map((place) => scene.query[place]) });
    this.chosen = this.session.state.selected;
  }
}

/** Sources together by what is known of them, largest share first: of the selection, if shares are given. */
export function grouped(sources: readonly Source[], by: KnownBy, shares?: ArrayLike<number>): Group[] {
  const found = new Map<string, number[]>();
  sources.forEach((source, number) => {
    if (source.here) found.set(source[by], [...(found.get(source[by]) ?? []), number]);
  });
  const whole = sources.map(({ share }) => share);
  const sum = (members: readonly number[]) =>
    members.reduce((all, source) => all + ((shares ?? whole)[source] ?? 0), 0);
  const named = [...found].map(([name, members]) => ({ name, members, share: sum(members) }));
  return named.sort((one, other) => other.share - one.share).map(({ name, members }) => ({ name, members }));
}
