// Attributes as switches: what the source has, what is wanted, and what the model makes of it, after a reference or not.

import { cividis } from "../core/colours";
import { asCanvas, button, h, percent, words } from "../core/dom";
import type { Answer } from "../core/host";
import type { Drawn, Panel, StoredAnswers } from "../core/panel";
import { scaleBar } from "../core/scale";
import { decodePicture } from "../core/scene";
import type { Session } from "../core/session";
import type { Changed } from "../core/store";
import { type Kept, Made } from "../core/stored";

/** Which attributes were changed, and which could be. */
export const attributes: Panel = {
  name: "attributes",
  draw: (session) => new AttributesView(session),
  stored: storedAttributes,
};

/** What Python says of a picture whose attributes were changed (ktviz/widgets/panels/attributes.py). */
export interface Said {
  names: string[];
  exclusive: number[][];
  has: boolean[];
  wanted: boolean[];
  difference: number[];
  amount: number;
  /** From 0, the reference alone, to 1, the labels alone. */
  labels: number;
  references: string[];
  reference: { source: string; creator: string; licence: string } | null;
  /** Number of the reference, -1 for none, and whether it is the first of the ranking. */
  taken: number;
  chosen: boolean;
  ranking: [number, number][];
  /** Whose parts of the code are told. */
  whose: string[];
  /** Of the grid of its cells. */
  columns: number;
}

const PICTURES = ["source", "reference", "output"] as const;
const TITLES = { source: "Source", reference: "Reference", output: "Output" };
const SHARE_ALPHA = 0.72;
const MOST = 3;
const FIRST = -1;

function storedAttributes(kept: Kept): StoredAnswers {
  const named = (name: string) => `attributes/${name}`;
  return {
    attributes: () => {
      kept.need(named("said"));
      const values = JSON.parse(new TextDecoder().decode(kept.column<Uint8Array>(named("said"))));
      const parts = [...PICTURES, "shares"].filter((name) => kept.has(named(name)));
      return new Made(values, Object.fromEntries(parts.map((name) => [name, kept.column(named(name))])));
    },
  };
}

export class AttributesView implements Drawn {
  readonly el = h("section", { class: "kt-attributes", "aria-label": "Attributes" });
  private readonly rows = h("tbody");
  private readonly body = h("div", { class: "kt-attributesbody" });
  private readonly note = h("p", { class: "kt-faint kt-note", role: "status" });
  private readonly labels = slider("Labels instead of the reference", 1, () => this.redraw());
  private readonly amount = slider("Amount of the difference", MOST, () => this.redraw());
  private readonly times = h("output");
  private readonly reference = h("select", { "aria-label": "Reference", onchange: () => this.redraw() });
  private readonly part = h("select", { "aria-label": "Part that is shown", onchange: () => this.paint() });
  private readonly mean = h("span");
  private readonly credit = h("span", { class: "kt-credits" });
  private readonly back = button("As recorded", () => this.begin(), { class: "kt-reset" });
  private readonly tiles = new Map(PICTURES.map((name) => [name, new Tile(TITLES[name])]));
  private readonly over = new Tile("Part of the code, over the output");
  private drawn = new Map<string, ImageBitmap>();
  private said: Said | null = null;
  private answer: Answer | null = null;
  /** Numbers of the attributes that the picture is to have. */
  private on = new Set<number>();
  private busy = false;
  private again = false;

  constructor(private readonly session: Session) {
    for (const [name, { caption }] of this.tiles) caption.append(h("b", {}, TITLES[name]));
    this.tiles.get("reference")!.caption.append(this.credit);
    this.over.caption.append(
      h("label", {}, h("b", {}, "Part of "), this.part),
      h("span", { class: "kt-key" }, "0 %", scaleBar("0 %", "100 %"), "100 %"),
      this.mean,
    );
    const head = ["Attribute", "Source", "Wanted", "Difference"].map((name) => h("th", { scope: "col" }, name));
    const line = (...parts: (HTMLElement | string)[]) =>
      h("div", { class: "kt-slide" }, ...parts.map((part) => h("span", {}, part)));
    this.body.append(
      h("div", { class: "kt-switched" }, ...[...this.tiles.values(), this.over].map(({ el }) => el)),
      h(
        "div",
        {},
        h("table", { class: "kt-switches" }, h("thead", {}, h("tr", {}, ...head)), this.rows),
        line("reference", this.labels, "labels"),
        line("amount", this.amount, this.times),
        line("after", this.reference),
      ),
    );
    this.el.append(h("header", {}, h("h3", {}, "Attributes"), this.back), this.body, this.note);
    session.store.listen((changed) => this.update(changed));
  }

  private update(changed: Changed): void {
    if (changed.has("showing")) this.begin();
    if (changed.has("frozen")) this.tell();
  }

  /** What was recorded, with nothing switched. */
  private begin(): void {
    const { can } = this.session.scene.about;
    this.body.hidden = this.back.hidden = !can.attributes;
    if (!can.attributes) return this.tell();
    this.session.soon("attributes", async () => this.take(await this.session.ask("attributes", {})));
  }

  /** Ask for what is switched now; one question at a time, and the latest wish after it. */
  private async redraw(): Promise<void> {
    this.again = this.busy;
    if (this.busy || !this.said) return;
    this.busy = true;
    const wish = {
      on: [...this.on],
      labels: Number(this.labels.value),
      reference: Number(this.reference.value),
      amount: Number(this.amount.value),
    };
    try {
      await this.session.during(async () => this.take(await this.session.ask("switch", wish)));
    } finally {
      this.busy = false;
    }
    if (this.again) await this.redraw();
  }

  /** Show an answer, unless something else is wanted by now. Where a wish was refused, switches go back. */
  private async take(answer: Answer | null): Promise<void> {
    const names = PICTURES.filter((name) => answer?.has(name));
    const pictures = await Promise.all(names.map((name) => decodePicture(answer!.column<Uint8Array>(name))));
    if (this.again) return pictures.forEach((picture) => picture.close());
    if (answer) {
      for (const picture of this.drawn.values()) picture.close();
      this.drawn = new Map(names.map((name, n) => [name, pictures[n]]));
      this.answer = answer;
      this.said = answer.values as unknown as Said;
    }
    if (this.said) this.fill(this.said);
  }

  private fill(said: Said): void {
    this.on = new Set(said.wanted.flatMap((there, number) => (there ? [number] : [])));
    // Rows stay where they are, and the focus in them.
    if (this.rows.childElementCount !== said.names.length)
      this.rows.replaceChildren(...said.names.map((name, number) => this.row(name.replaceAll("_", " "), number)));
    for (const [number, row] of [...this.rows.children].entries()) update(row as HTMLElement, said, number);
    this.labels.value = String(said.labels);
    this.amount.max = String(Math.max(MOST, said.amount));
    this.amount.value = String(said.amount);
    choose(this.reference, options(said), said.chosen ? FIRST : said.taken);
    const part = said.whose.indexOf(this.part.selectedOptions[0]?.text);
    choose(this.part, [...said.whose.entries()], Math.max(0, part));
    this.paint();
    this.tell();
  }

  private row(name: string, number: number): HTMLElement {
    const box = h("input", {
      type: "checkbox",
      role: "switch",
      "aria-label": `${name} wanted`,
      onchange: () => {
        this.on = switched(this.on, number, box.checked, this.said!.exclusive);
        void this.redraw();
      },
    });
    const bar = h("span", { class: "kt-bar" }, h("i"));
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, words(name)),
      h("td"),
      h("td", {}, box),
      h("td", { class: "kt-difference" }, bar, h("span")),
    );
  }

  /** The pictures, and over the output once more the part of the code that is chosen. */
  private paint(): void {
    const { said, answer } = this;
    if (!said || !answer) return;
    for (const [name, tile] of this.tiles) tile.draw(this.drawn.get(name));
    const { source, creator, licence } = said.reference ?? { source: "", creator: "", licence: "" };
    this.credit.replaceChildren(...[source.split("/").pop()!, creator, licence].map(words));
    const share = shareOf(answer, Number(this.part.value));
    this.over.draw(this.drawn.get("output"), asCanvas(shareMap(share, said.columns)));
    this.mean.textContent = `mean ${percent(share.reduce((sum, value) => sum + value, 0) / share.length)}`;
  }

  private tell(): void {
    const { host, scene, state } = this.session;
    const { said } = this;
    const can = host.canTranslate && !state.frozen;
    const both = can && !!said?.references.length;
    for (const one of this.rows.querySelectorAll("input")) one.disabled = !can;
    this.amount.disabled = this.back.disabled = !can;
    this.labels.disabled = !both;
    this.reference.disabled = !both || said.labels === 1;
    this.times.textContent = `× ${round(Number(this.amount.value))}`;
    this.note.textContent = !scene.about.can.attributes
      ? state.frozen
        ? "Attributes are asked of the model, which is not there. Give the view model=."
        : "Nothing here changes attributes."
      : !can
        ? "Switching attributes needs a running Python with the model."
        : both
          ? "Switch an attribute, or move from the reference to the labels: the picture is made again."
          : "There is no reference: labels are all there is.";
  }
}

/** A picture with what stands below it. */
class Tile {
  readonly caption = h("figcaption");
  private readonly canvas: HTMLCanvasElement;
  readonly el: HTMLElement;

  constructor(title: string) {
    this.canvas = h("canvas", { class: "kt-tile", role: "img", "aria-label": title });
    this.el = h("figure", {}, this.canvas, this.caption);
  }

  draw(picture: ImageBitmap | undefined, over?: HTMLCanvasElement): void {
    this.el.hidden = !picture;
    if (!picture) return;
    const { width, height } = Object.assign(this.canvas, { width: picture.width, height: picture.height });
    const context = this.canvas.getContext("2d")!;
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, 0, 0);
    context.globalAlpha = SHARE_ALPHA;
    if (over) context.drawImage(over, 0, 0, width, height);
  }
}

function update(row: HTMLElement, said: Said, number: number): void {
  const [, has, wanted, told] = row.children;
  const difference = said.difference[number];
  row.classList.toggle("kt-changed", difference !== 0);
  has.textContent = said.has[number] ? "yes" : "no";
  wanted.querySelector("input")!.checked = said.wanted[number];
  const { style } = told.querySelector("i")!;
  style.width = `${(50 * Math.abs(difference)) / Math.max(said.amount, 1e-9)}%`;
  [style.left, style.right] = difference < 0 ? ["", "50%"] : ["50%", ""];
  told.lastElementChild!.textContent = `${difference > 0 ? "+" : ""}${round(difference)}`;
}

/** Offer some values, by what they are called, and choose one of them. */
function choose(select: HTMLSelectElement, offered: [number, string][], chosen: number): void {
  select.replaceChildren(...offered.map(([value, text]) => h("option", { value }, text)));
  select.value = String(chosen);
}

/** The attributes after a switch: of a group, one that comes takes the place of the others. */
export function switched(on: ReadonlySet<number>, number: number, there: boolean, exclusive: number[][]): Set<number> {
  const after = new Set(on);
  if (!there) after.delete(number);
  else {
    for (const group of exclusive) if (group.includes(number)) for (const other of group) after.delete(other);
    after.add(number);
  }
  return after;
}

/** What can be chosen as a reference: the first of the ranking, those that fit, and the one that is taken. */
export function options({ references, ranking, taken, chosen, reference }: Said): [number, string][] {
  const name = (number: number) => references[number].split("/").pop()!;
  const ranked = ranking.map(([number, similarity]): [number, string] => [
    number,
    `${name(number)} · ${similarity.toFixed(3)}`,
  ]);
  const known = ranked.some(([number]) => number === taken);
  const given: [number, string][] = reference && !chosen && !known ? [[taken, `${name(taken)}, as given`]] : [];
  return [[FIRST, ranking.length ? "the most alike of those that fit" : "none"], ...given, ...ranked];
}

/** One part of the code: how much of each cell it is. */
export function shareOf(answer: Answer, number: number): Float32Array {
  const values = answer.column<Float32Array>("shares");
  const count = values.length / (answer.values.whose as string[]).length;
  return values.subarray(number * count, (number + 1) * count);
}

function shareMap(values: Float32Array, columns: number): ImageData {
  const image = new ImageData(columns, values.length / columns);
  values.forEach((value, cell) => {
    image.data.set(cividis(value), 4 * cell);
    image.data[4 * cell + 3] = 255;
  });
  return image;
}

/** Whoever moves it gets hundredths; what was recorded stands as it is, and is asked for again as it is. */
export function slider(name: string, most: number, oninput: () => void): HTMLInputElement {
  const moved = () => {
    range.value = String(round(Number(range.value)));
    oninput();
  };
  const range = h("input", { type: "range", min: 0, max: most, step: "any", "aria-label": name, oninput: moved });
  return range;
}

function round(value: number): number {
  return Math.round(100 * value) / 100;
}
