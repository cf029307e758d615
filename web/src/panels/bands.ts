// The band view: the selected retrieval and its candidates, band by band, ranked anew when a band's weight is moved.

import { button, chip, count, h } from "../core/dom";
import { haarBand } from "./bands/haar";
import { inPicture, inSource, patchCanvas } from "../core/patches";
import { BANDS, type Bands, order, rescored, sameWeights } from "./bands/rerank";
import type { Drawn, Panel } from "../core/panel";
import { NO_SOURCE } from "../core/protocol";
import { type Box, boxAt, decodePicture, wholeOrBox } from "../core/scene";
import type { Session } from "../core/session";
import { anyOf, type Changed } from "../core/store";

/** The candidates of a retrieval, band by band. */
export const bands: Panel = {
  name: "bands",
  draw: (session) => new BandView(session),
};

const SIDE = 36;
const PATCH_PX = 16;
const MOST_WEIGHT = 2;
/** So many ids fit in a message of 4 KB. */
const MOST_QUERIES = 400;
/** Cosines below −0.5 are cut off: the room is for those that occur. */
const BAR = (cosine: number) => 100 * Math.min(1, Math.max(0, (cosine + 0.5) / 1.5));

/** What has come of the retrievals whose candidates are ranked, in rows of `k`. */
interface Loaded extends Bands {
  places: number[];
  sourceBox: Float32Array;
  ids: Int32Array;
  source: Int16Array | Int32Array;
  similarity: Float32Array;
  /** Which of a retrieval's candidates won. */
  chosen: Uint16Array;
}

class BandView implements Drawn {
  readonly el = h("section", { class: "kt-bands", "aria-label": "Band matches" });
  private readonly body = h("tbody");
  private readonly sliders: HTMLInputElement[];
  private readonly outputs: HTMLOutputElement[];
  private readonly heads: HTMLTableCellElement[];
  private readonly told = h("p", { class: "kt-faint kt-note", role: "status" });
  private readonly translate = button("Translate with these weights", () => this.retranslate(), { class: "kt-go" });
  private readonly table: HTMLTableElement;
  private loaded: Loaded | null = null;
  private decoded: ImageBitmap | null = null;
  /** Which lines of the sheet are there. */
  private known = new Uint8Array();
  /** True pixels of the query and its candidates, one above the other; a page has compressed pictures alone. */
  private pixels: ImageBitmap | null = null;
  private place = -1;
  private started = false;

  constructor(private readonly session: Session) {
    const { weights } = session.state;
    this.sliders = BANDS.map((band, n) =>
      h("input", {
        type: "range",
        min: 0,
        max: MOST_WEIGHT,
        step: 0.05,
        value: weights[n],
        "aria-label": `Weight of ${band}`,
        oninput: () => this.slid(),
      }),
    );
    this.outputs = BANDS.map(() => h("output"));
    this.heads = BANDS.map((band, n) =>
      h("th", { scope: "col" }, h("span", { class: "kt-band" }, band), this.outputs[n], this.sliders[n]),
    );
    const corner = ["Rank", "Similarity", "Patch"].map((title) => h("th", { scope: "col" }, title));
    this.table = h("table", {}, h("thead", {}, h("tr", {}, ...corner, ...this.heads)), this.body);
    this.el.append(
      h(
        "header",
        {},
        h("h3", {}, "Band matches"),
        button("Reset", () => this.reset(), { class: "kt-reset" }),
        this.translate,
      ),
      h("div", { class: "kt-scroll", tabindex: 0, role: "region", "aria-label": "Candidates by band" }, this.table),
      h(
        "p",
        { class: "kt-faint kt-caption" },
        "Left in each cell: the patch decoded with that band alone, details around mid-grey. Right: the Haar band of its pixels. Bars: cosine within the band, from −0.5 to 1; the line is 0.",
      ),
      this.told,
    );
    session.store.listen((changed) => void this.update(changed));
  }

  resize(): void {
    if (this.started || !this.el.clientWidth) return;
    this.started = true;
    void this.update(new Set(["focus", "weights"]));
  }

  private get missing(): string {
    const { can, candidates } = this.session.scene.about;
    if (!can.bands) return "This trace has no bands: they are recorded from systems that compare them.";
    if (candidates < 2)
      return "This trace holds winners only. Record with candidates=8 (and enough memory) to compare them: translator.traced(photo, candidates=8).";
    return "";
  }

  private async update(changed: Changed): Promise<void> {
    if (!this.started) return;
    this.table.hidden = this.missing !== "" || this.session.state.focus < 0;
    if (this.missing) {
      this.told.textContent = this.missing;
      return;
    }
    if (changed.has("showing")) this.forget();
    if (changed.has("focus") || changed.has("picked")) this.session.soon("load", () => this.load());
    if (changed.has("weights")) this.weigh();
    if (anyOf(changed, "weights", "pictures", "frozen", "colours")) this.render();
  }

  /** Candidates of the other trace are no answer. */
  private forget(): void {
    this.loaded = null;
    this.place = -1;
    this.body.replaceChildren();
    this.told.textContent = "";
  }

  /** Fetch candidates of the selected retrievals, and pictures of the bands of one. */
  private async load(): Promise<void> {
    const { focus, picked } = this.session.state;
    if (focus < 0) {
      this.told.textContent = "Select a retrieval to see its candidates band by band.";
      return;
    }
    const places = [focus, ...Array.from(picked).filter((place) => place !== focus)].slice(0, MOST_QUERIES);
    const answer = await this.session.ask("candidates", { queries: places });
    if (!answer || this.session.state.focus !== focus) return;
    this.loaded = {
      places,
      k: this.session.scene.k,
      ids: answer.column("entry"),
      source: answer.column("source"),
      similarity: answer.column("similarity"),
      chosen: answer.column("chosen"),
      sourceBox: answer.column("source_box"),
      cosine: answer.column("bands"),
      entry: answer.column("entry_bands"),
      query: answer.column("query_bands"),
    };
    if (this.place !== focus) this.decoded = this.pixels = null;
    this.place = focus;
    this.table.hidden = false;
    this.render();
    void this.session.loadPictures([...new Set(this.slots().map((slot) => this.sourceAt(slot)))]);
    await this.decode(focus);
  }

  /** Of the retrieval that is shown, the first row. */
  private slots(): number[] {
    return [...this.loaded!.source.subarray(0, this.loaded!.k).keys()].filter(
      (slot) => this.sourceAt(slot) !== NO_SOURCE,
    );
  }

  private sourceAt(slot: number): number {
    return this.loaded!.source[slot];
  }

  private async decode(place: number): Promise<void> {
    if (!this.session.scene.about.can.decode) return;
    const entries = this.slots().map((slot) => this.loaded!.ids[slot]);
    const answer = await this.session.ask("bands", { queries: [place], entries });
    if (!answer?.has("decoded") || this.place !== place) return;
    this.decoded = await decodePicture(answer.column<Uint8Array>("decoded"));
    this.known = answer.column<Uint8Array>("known");
    this.pixels = answer.has("pixels") ? await decodePicture(answer.column<Uint8Array>("pixels")) : null;
    this.render();
  }

  private slid(): void {
    this.session.store.set({ weights: this.sliders.map((slider) => Number(slider.value)) });
  }

  private reset(): void {
    this.session.store.set({ weights: [...this.session.scene.weights] });
  }

  private retranslate(): void {
    void this.session.translate({ weights: [...this.session.state.weights] });
  }

  private weigh(): void {
    const { weights } = this.session.state;
    weights.forEach((weight, n) => {
      this.sliders[n].value = String(weight);
      this.outputs[n].textContent = weight.toFixed(2);
      this.heads[n].classList.toggle("kt-dropped", weight === 0);
      this.heads[n].title = weight > 0 ? "This band counts" : "This band does not count";
    });
  }

  /** Similarities of a row's candidates: as recorded for the recorded weights, from the bands for others. */
  private similarities(row: number): number[] {
    const { scene, state } = this.session;
    const { similarity, k } = this.loaded!;
    if (sameWeights(state.weights, scene.weights)) return Array.from(similarity.subarray(row * k, (row + 1) * k));
    return rescored(this.loaded!, row, state.weights);
  }

  private render(): void {
    const { scene, state, host } = this.session;
    this.translate.disabled = !host.canTranslate || state.frozen !== "" || sum(state.weights) === 0;
    if (!this.loaded || this.place < 0) return;
    const similarity = this.similarities(0);
    const ranked = order(similarity);
    const pixels = this.truePixels(0) ?? this.asked(scene.boxOf(this.place));
    this.body.replaceChildren(
      this.row(-1, ["Query", null], pixels, [Number.NaN, Number.NaN, Number.NaN, Number.NaN], Number.NaN),
      ...ranked.map((slot, rank) => this.candidate(slot, rank, similarity[slot])),
    );
    this.tell(ranked);
  }

  private candidate(slot: number, rank: number, similarity: number): HTMLTableRowElement {
    const { scene } = this.session;
    const at = 4 * slot;
    const source = this.sourceAt(slot);
    const picture = scene.pictureOf(source);
    const pixels =
      this.truePixels(slot + 1) ??
      (picture && cut(picture, inSource(scene, source, picture, wholeOrBox(boxAt(this.loaded!.sourceBox, slot)))));
    const moved = rank === slot ? null : `was ${slot + 1}`;
    const row = this.row(
      slot,
      [String(rank + 1), moved],
      pixels,
      Array.from(this.loaded!.cosine.subarray(at, at + 4)),
      similarity,
    );
    row.cells[0].prepend(chip(scene.palette.of(source)));
    row.title = scene.about.sources[source].name;
    row.classList.toggle("kt-chosen", slot === this.loaded!.chosen[0]);
    return row;
  }

  private row(
    slot: number,
    [name, moved]: [string, string | null],
    pixels: ImageData | null,
    cosine: number[],
    similarity: number,
  ): HTMLTableRowElement {
    const { weights } = this.session.state;
    const line = slot + 1; // of the sheet of decoded patches, whose first is the query
    const cells = cosine.map((value, band) =>
      h(
        "td",
        { class: weights[band] > 0 ? "" : "kt-dropped" },
        h(
          "div",
          { class: "kt-pair" },
          this.decodedPatch(line, band + 1, `${name} decoded with ${BANDS[band]} alone`),
          bandPatch(pixels, band, `${BANDS[band]} of the pixels of ${name}`),
        ),
        Number.isNaN(value) ? null : bar(value, `${BANDS[band]} cosine ${value.toFixed(2)}`),
      ),
    );
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, name, moved && h("small", {}, moved)),
      h("td", {}, Number.isNaN(similarity) ? null : bar(similarity, `similarity ${similarity.toFixed(3)}`, 3)),
      h(
        "td",
        {},
        h(
          "div",
          { class: "kt-pair" },
          this.decodedPatch(line, 0, `${name} decoded whole`),
          drawn(pixels, `${name} in pixels`),
        ),
      ),
      ...cells,
    );
  }

  /** A patch of the canvas. */
  private asked(box: Box): ImageData | null {
    const picture = this.session.scene.canvas;
    return picture ? cut(picture, inPicture(this.session.scene, picture, box)) : null;
  }

  /** The patch of a line of the sheet as it really is; null where only compressed pictures are there. */
  private truePixels(line: number): ImageData | null {
    const box = { x: 0, y: line * PATCH_PX, width: PATCH_PX, height: PATCH_PX };
    return this.pixels && box.y < this.pixels.height ? cut(this.pixels, box) : null;
  }

  private decodedPatch(line: number, column: number, label: string): HTMLCanvasElement {
    const canvas = patchCanvas(SIDE, label);
    const context = canvas.getContext("2d")!;
    context.imageSmoothingEnabled = false;
    if (this.decoded && this.known[line])
      context.drawImage(
        this.decoded,
        column * PATCH_PX,
        line * PATCH_PX,
        PATCH_PX,
        PATCH_PX,
        0,
        0,
        canvas.width,
        canvas.height,
      );
    else canvas.classList.add("kt-empty");
    return canvas;
  }

  private tell(ranked: number[]): void {
    const { scene, state } = this.session;
    const taken = this.loaded!.chosen[0];
    const coherent = scene.coherent[this.place] && ranked[0] !== taken;
    const counted = BANDS.filter((_, n) => state.weights[n] > 0).join(", ");
    const recorded = sameWeights(state.weights, scene.weights);
    const said = [
      counted ? `Counted: ${counted}${recorded ? ", with the recorded weights" : ""}.` : "No band counts.",
      recorded || !counted ? "" : this.consequence(),
      recorded && coherent ? "The marked candidate was taken because it continues a neighbour." : "",
      Array.from(this.known).every(Boolean) && this.known.length
        ? ""
        : "Where the left of a cell is empty, its decoded picture was left out of this page.",
      this.pixels ? "" : "The pixels are from compressed pictures.",
    ];
    this.told.textContent = said.filter(Boolean).join(" ");
  }

  /** How many retrievals would have another best candidate. */
  private consequence(): string {
    const { places } = this.loaded!;
    const changed = places.filter((_, row) => order(this.similarities(row))[0] !== 0).length;
    if (places.length === 1) return `${changed ? "Another" : "No other"} recorded candidate would be the best.`;
    const all = this.session.state.picked.length;
    const of = all > places.length ? `the first ${places.length} of ${count(all)}` : `the ${count(places.length)}`;
    return `${count(changed)} of ${of} selected retrievals would have another best candidate among those recorded.`;
  }
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** A bar from 0, with its value. */
function bar(value: number, label: string, digits = 2): HTMLElement {
  const fill = h("i");
  fill.style.left = `${Math.min(BAR(0), BAR(value))}%`;
  fill.style.width = `${Math.abs(BAR(value) - BAR(0))}%`;
  return h(
    "div",
    { class: "kt-cosine", role: "img", "aria-label": label },
    h("span", {}, fill),
    h("small", {}, value.toFixed(digits)),
  );
}

function cut(picture: ImageBitmap, box: Box): ImageData {
  const canvas = h("canvas", { width: PATCH_PX, height: PATCH_PX });
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.imageSmoothingEnabled = false;
  context.drawImage(picture, box.x, box.y, box.width, box.height, 0, 0, PATCH_PX, PATCH_PX);
  return context.getImageData(0, 0, PATCH_PX, PATCH_PX);
}

function bandPatch(pixels: ImageData | null, band: number, label: string): HTMLCanvasElement {
  return drawn(
    pixels && new ImageData(haarBand(pixels.data, PATCH_PX, PATCH_PX, band), PATCH_PX / 2, PATCH_PX / 2),
    label,
  );
}

function drawn(pixels: ImageData | null, label: string): HTMLCanvasElement {
  const canvas = patchCanvas(SIDE, label);
  if (!pixels) {
    canvas.classList.add("kt-empty");
    return canvas;
  }
  const small = h("canvas", { width: pixels.width, height: pixels.height });
  small.getContext("2d")!.putImageData(pixels, 0, 0);
  const context = canvas.getContext("2d")!;
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  return canvas;
}
