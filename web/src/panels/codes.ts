// Styles of objects: which one the object in focus took, how far the others are, who is behind each; choose another one.

import { button, count, h, words } from "../core/dom";
import type { Drawn, Panel, StoredAnswers } from "../core/panel";
import { queryPatch } from "../core/patches";
import { decodePicture } from "../core/scene";
import type { Session } from "../core/session";
import type { Changed } from "../core/store";
import { type Kept, Made } from "../core/stored";

/** What objects look like, and what else they could. */
export const codes: Panel = {
  name: "codes",
  needs: "translation", // objects are chosen there
  draw: (session) => new CodesView(session),
  stored: storedStyles,
};

interface Option {
  style: number;
  name: string;
  number: number;
  apart: number | null;
  members: number;
}

interface Look {
  label: number;
  kind: string;
  measure: string;
  given: boolean;
  small: number;
  taken: number;
  options: Option[];
}

interface Members {
  style: number;
  members: number;
  nearest: { entry: number; source: string; creator: string; licence: string; apart: number }[];
  /** Numbers of all its members; none where they are too many to be left out at a time. */
  entries: number[];
}

const SIDE = 96;
const [TILE, STRIP] = [64, 4];

function storedStyles(kept: Kept): StoredAnswers {
  const json = (name: string) => JSON.parse(new TextDecoder().decode(kept.column<Uint8Array>(name)));
  return {
    styles: ({ queries }) => {
      kept.need("looks");
      const looks = json("looks");
      return new Made({ looks: queries.map((place) => looks[place]) }, {});
    },
    members: ({ styles }) => {
      const known = styles.filter((style) => kept.has(`members/${style}`));
      const sheets = known.map((style) => `sheet/${style}`).filter((name) => kept.has(name));
      return new Made(
        { members: known.map((style) => json(`members/${style}`)) },
        Object.fromEntries(sheets.map((name) => [name, kept.column(name)])),
      );
    },
  };
}

export class CodesView implements Drawn {
  readonly el = h("section", { class: "kt-codes", "aria-label": "Styles" });
  private readonly heading = h("h3");
  private readonly object = h("div", { class: "kt-object" });
  private readonly list = h("ol", { class: "kt-styles" });
  private readonly behind = h("div", { class: "kt-behind" });
  private readonly note = h("p", { class: "kt-faint kt-note", role: "status" });
  private readonly copy = button("Copy its style …", () => this.copyStyle(), { class: "kt-copy" });
  private readonly members = new Map<number, Members>();
  private readonly sheets = new Map<number, ImageBitmap>();
  private place = -1;
  private look: Look | null = null;
  private opened = -1;

  constructor(private readonly session: Session) {
    this.el.append(h("header", {}, this.heading, this.copy), this.object, this.list, this.behind, this.note);
    session.store.listen((changed) => this.update(changed));
  }

  private update(changed: Changed): void {
    const { focus, frozen } = this.session.state;
    const { can } = this.session.scene.about;
    if (changed.has("showing")) {
      this.forget();
      if (!can.codes) {
        this.heading.textContent = "Styles of objects";
        this.copy.hidden = true;
        this.note.textContent = frozen
          ? "Styles are asked of the model, which is not there. Give the view model=."
          : "Nothing here takes a style.";
        return;
      }
    }
    if (!can.codes) return;
    if ((changed.has("showing") || changed.has("focus")) && focus >= 0)
      this.session.soon("styles", () => this.ask(focus));
    if (changed.has("frozen") || changed.has("making") || changed.has("picking")) this.tell();
  }

  private forget(): void {
    for (const sheet of this.sheets.values()) sheet.close();
    this.sheets.clear();
    this.members.clear();
    [this.place, this.look] = [-1, null];
  }

  private async ask(place: number): Promise<void> {
    const answer = await this.session.ask("styles", { queries: [place] });
    const [look] = (answer?.values.looks as Look[] | undefined) ?? [];
    if (!look || this.session.state.focus !== place) return;
    [this.place, this.look, this.opened] = [place, look, look.taken];
    this.fill();
    const unknown = look.options.map(({ style }) => style).filter((style) => !this.members.has(style));
    if (unknown.length) await this.learn(unknown);
    if (this.look === look) this.fill();
  }

  private async learn(styles: number[]): Promise<void> {
    const answer = await this.session.ask("members", { styles }, styles.join());
    for (const one of (answer?.values.members as Members[] | undefined) ?? []) {
      this.members.set(one.style, one);
      const name = `sheet/${one.style}`;
      if (answer!.has(name)) this.sheets.set(one.style, await decodePicture(answer!.column<Uint8Array>(name)));
    }
  }

  private fill(): void {
    const look = this.look!;
    const taken = look.options.find(({ style }) => style === look.taken);
    this.heading.textContent = `Style of ${look.kind} ${look.label}`;
    const said = taken
      ? `took ${taken.name}${look.given ? ", as a person said" : ""}, one of ${count(look.options.length)} that its class has`
      : "took none: its class has no styles, so it has no code";
    const { scene } = this.session;
    this.object.replaceChildren(
      queryPatch(scene, this.place, SIDE),
      queryPatch(scene, this.place, SIDE, scene.output),
      h("p", {}, h("b", {}, `${look.kind} ${look.label}`), ` ${said}.`),
      h(
        "p",
        { class: "kt-faint" },
        taken ? `Bars: distance from ${look.measure}, 0 to ${this.farthest().toFixed(2)}.` : "",
      ),
    );
    this.list.replaceChildren(...look.options.map((option) => this.row(option)));
    this.open(this.opened);
    this.tell();
  }

  private farthest(): number {
    return Math.max(...this.look!.options.map(({ apart }) => apart ?? 0), 1e-9);
  }

  private row(option: Option): HTMLElement {
    const { style, name, apart, members } = option;
    const taken = style === this.look!.taken;
    const bar = h("i");
    bar.style.width = `${(100 * (apart ?? 0)) / this.farthest()}%`;
    const use = button(taken ? "Taken" : "Use", () => this.session.restyle(this.place, { style: option.number }), {
      class: "kt-usestyle",
      "aria-label": taken ? `${name} is taken` : `Use ${name}`,
      "data-number": option.number,
      "data-taken": taken,
    });
    const show = h(
      "button",
      { type: "button", class: "kt-showstyle", title: "Show who is behind it", onclick: () => this.open(style) },
      h("b", {}, words(name)),
      h("span", { class: "kt-faint" }, `${count(members)} ${members === 1 ? "member" : "members"}`),
      h("span", { class: "kt-strip" }, ...this.tiles(style, STRIP)),
    );
    const far = h(
      "span",
      { class: "kt-far" },
      h("span", { class: "kt-bar" }, bar),
      apart === null ? "–" : apart.toFixed(3),
    );
    return h("li", { class: taken ? "kt-style kt-taken" : "kt-style", "data-style": style }, show, far, use);
  }

  /** Pictures of the nearest members of a style. */
  private tiles(style: number, most: number): HTMLCanvasElement[] {
    const [known, sheet] = [this.members.get(style), this.sheets.get(style)];
    if (!known || !sheet) return [];
    return known.nearest.slice(0, most).map((_, n) => {
      const tile = h("canvas", { class: "kt-tile", width: TILE, height: TILE, "aria-hidden": "true" });
      tile.getContext("2d")!.drawImage(sheet, n * TILE, 0, TILE, TILE, 0, 0, TILE, TILE);
      return tile;
    });
  }

  private open(style: number): void {
    this.opened = style;
    for (const row of this.list.children) {
      const shown = Number((row as HTMLElement).dataset.style) === style;
      row.classList.toggle("kt-opened", shown);
      row.querySelector(".kt-showstyle")!.setAttribute("aria-expanded", String(shown));
    }
    const option = this.look?.options.find((one) => one.style === style);
    this.behind.hidden = !option;
    if (!option) return;
    const known = this.members.get(style);
    const tiles = this.tiles(style, Number.POSITIVE_INFINITY);
    const figures = (known?.nearest ?? []).map(({ entry, source, creator, licence, apart }, n) =>
      h(
        "figure",
        { title: `${source} · ${creator} · ${licence}` },
        tiles[n],
        h(
          "figcaption",
          {},
          h("span", {}, words(source.split("/").pop()!)),
          h("span", {}, words(creator)),
          h("span", {}, words(licence)),
          h("span", {}, `${apart.toFixed(3)} from it`),
        ),
        this.leave([entry], source),
      ),
    );
    const rest = option.members - figures.length;
    this.behind.replaceChildren(
      h(
        "h4",
        {},
        option.members === 1
          ? `Behind ${option.name}: one stored object`
          : `Behind ${option.name}: it is the mean of ${count(option.members)} stored objects, the nearest first`,
      ),
      h("div", { class: "kt-members" }, ...figures),
      h("p", { class: "kt-faint" }, [this.rest(rest, figures.length), this.small()].filter(Boolean).join(" ")),
      ...(known && known.entries.length > 1 ? [this.leave(known.entries, `all of ${option.name}`)] : []),
    );
    this.tell();
  }

  /** A button that leaves stored objects out. */
  private leave(entries: readonly number[], whose: string): HTMLElement {
    const all = () => [...new Set([...this.session.state.change.entries, ...entries])];
    return button(
      entries.length > 1 ? "Leave all of them out" : "Leave out",
      () => void this.session.translate({ entries: all() }),
      {
        class: "kt-leavemember",
        "aria-label": `Leave out: ${whose}`,
      },
    );
  }

  private rest(rest: number, shown: number): string {
    if (!this.members.has(this.opened)) return "Who is behind it is being asked, or this page had no room for it.";
    if (!shown) return "Nobody knows what it was made of.";
    return rest > 0 ? `And ${count(rest)} more.` : "";
  }

  private small(): string {
    const { small, kind } = this.look!;
    return small
      ? `${count(small)} more ${small === 1 ? "object" : "objects"} of class ${kind} in the library ${small === 1 ? "is" : "are"} too small to be behind any style.`
      : "";
  }

  private copyStyle(): void {
    const from = this.place;
    if (this.session.state.picking) return this.session.await(null);
    const others = this.alike(from);
    const lit = new Map([from, ...others].map((place) => [place, 1]));
    this.session.await(
      (place) => {
        if (!others.includes(place)) return;
        this.session.await(null);
        this.session.restyle(place, { like: from });
      },
      `Click the ${this.look!.kind} that is to look like ${this.look!.kind} ${this.look!.label}. Only objects of its class are bright. Escape cancels.`,
      lit,
    );
  }

  /** Other objects of the same class. */
  private alike(place: number): number[] {
    const labels = this.session.scene.column<Int32Array>("label")!;
    return [...labels.keys()].filter((one) => one !== place && classOf(labels[one]) === classOf(labels[place]));
  }

  private tell(): void {
    const { making, frozen, picking } = this.session.state;
    const { host, before } = this.session;
    const can = host.canTranslate && before.about.can.restyle && !frozen;
    for (const use of this.list.querySelectorAll<HTMLButtonElement>(".kt-usestyle"))
      use.disabled = !can || use.dataset.taken === "true" || Number(use.dataset.number) < 0;
    for (const leave of this.behind.querySelectorAll<HTMLButtonElement>(".kt-leavemember")) leave.hidden = !can;
    const alone = this.place < 0 || !this.alike(this.place).length;
    this.copy.disabled = !can || alone;
    this.copy.textContent = picking ? "Do not copy" : "Copy its style …";
    this.copy.title = alone ? "There is no other object of its class" : "To another object of its class";
    const idle = can
      ? "Use another style, and the object is drawn again."
      : "Choosing another style needs a running Python with the model.";
    this.note.textContent = making || idle;
  }
}

/** The class of an object, by its number in a label map: thousands count objects of a class. */
export function classOf(label: number): number {
  return label < 1000 ? label : Math.floor(label / 1000);
}
