// Pictures of bands that a page makes itself: a patch is encoded, split into its bands, and each is decoded alone
// (ktviz/systems/kt/band_pictures.py).

import { type Answer, Stale, Unanswered } from "../core/host";
import { type Box, boxAt, decodePicture } from "../core/scene";
import { type Kept, Made } from "../core/stored";
import { type Layer, type Planes, planes, run, type Weights } from "./networks";

const PATCH_PX = 16;
const CELL_PX = 4;
const CELLS = PATCH_PX / CELL_PX;
/** What the four cells of a 2x2 block have of each band (LL, LH, HL, HH): a half of it, with this sign. */
const SIGNS = [
  [1, 1, 1, 1],
  [-1, 1, -1, 1],
  [-1, -1, 1, 1],
  [1, -1, -1, 1],
];

interface Said {
  encoder: Layer[];
  decoder: Layer[];
  reach: number;
  gain: number;
  grey: number;
}

export class Decoding {
  private readonly said: Said;
  private readonly weights: Weights;
  private readonly known = new Map<string, Promise<ImageData | null>>();
  private nothing: Planes | null = null;
  /** How often pictures were asked for: of the earlier retrievals they come too late. */
  private asked = 0;

  constructor(private readonly kept: Kept) {
    this.said = JSON.parse(new TextDecoder().decode(kept.column<Uint8Array>("networks")));
    this.weights = {
      weight: (name) => {
        const bytes = kept.column<Uint8Array>(`networks/${name}`);
        return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
      },
      numbers: (name) => kept.column<Float32Array>(`networks/${name}`),
    };
  }

  static in(kept: Kept): Decoding | null {
    return kept.has("networks") ? new Decoding(kept) : null;
  }

  /** A query and some of its candidates, whole and band by band, as one sheet; empty where a source is not there. */
  async together(place: number, entries: number[]): Promise<Answer> {
    const turn = ++this.asked;
    const rows = [await this.query(place)];
    for (const entry of entries) {
      await new Promise((resolve) => setTimeout(resolve)); // between patches the page listens
      if (turn !== this.asked) throw new Stale();
      rows.push(await this.entry(place, entry));
    }
    if (rows.every((row) => row === null)) throw new Unanswered("bands");
    const canvas = new OffscreenCanvas(5 * PATCH_PX, rows.length * PATCH_PX);
    const context = canvas.getContext("2d")!;
    rows.forEach((row, line) => row?.forEach((one, n) => context.putImageData(one, n * PATCH_PX, line * PATCH_PX)));
    const blob = await canvas.convertToBlob();
    return new Made(
      {},
      {
        decoded: new Uint8Array(await blob.arrayBuffer()),
        known: Uint8Array.from(rows, (row) => Number(row !== null)),
      },
    );
  }

  private async query(place: number): Promise<ImageData[] | null> {
    const { scene } = this.kept;
    const pixels = await this.pixels("canvas", async () => scene.canvas);
    const features = pixels && this.features(pixels, scene.boxOf(place));
    return features && this.pictures(this.seen(features));
  }

  /** A candidate of a retrieval: its source, in the size in which its bank saw it, and its place there. */
  private async entry(place: number, entry: number): Promise<ImageData[] | null> {
    const { kept } = this;
    const { k, about } = kept.scene;
    const slot = kept
      .column<Int32Array>("entry")
      .subarray(place * k, (place + 1) * k)
      .indexOf(entry);
    if (slot < 0) return null;
    const at = place * k + slot;
    const number = kept.column("source")[at];
    const name = [`bank/${number}`, `picture/${number}`].find((one) => kept.has(one));
    const pixels = name && (await this.pixels(name, () => decodePicture(kept.column(name))));
    if (!pixels) return null;
    const { x, y } = boxAt(kept.column<Float32Array>("source_box"), at);
    const { width, height } = about.sources[number];
    const cell = (value: number, have: number, of: number | null) =>
      CELL_PX * Math.round((value * have) / (of ?? have) / CELL_PX);
    const box = {
      x: cell(x, pixels.width, width),
      y: cell(y, pixels.height, height),
      width: PATCH_PX,
      height: PATCH_PX,
    };
    return this.pictures(this.features(pixels, box));
  }

  private pixels(name: string, find: () => Promise<ImageBitmap | null>): Promise<ImageData | null> {
    let found = this.known.get(name);
    if (!found) this.known.set(name, (found = find().then((picture) => picture && read(picture))));
    return found;
  }

  /** Features of a patch, (C, 4, 4); of its surroundings as much is encoded as has a part in them. */
  private features(pixels: ImageData, box: Box): Planes {
    const [left, top] = [box.x, box.y].map((at) => Math.max(0, at - this.margin));
    const right = Math.min(pixels.width, box.x + PATCH_PX + this.margin);
    const bottom = Math.min(pixels.height, box.y + PATCH_PX + this.margin);
    const window = planes(3, bottom - top, right - left);
    let to = 0;
    for (let channel = 0; channel < 3; channel++)
      for (let y = top; y < bottom; y++)
        for (let x = left; x < right; x++) window.data[to++] = pixels.data[4 * (y * pixels.width + x) + channel] / 255;
    const whole = run(this.said.encoder, window, this.weights);
    const patch = planes(whole.channels, CELLS, CELLS);
    to = 0;
    for (let channel = 0; channel < whole.channels; channel++)
      for (let y = 0; y < CELLS; y++)
        for (let x = 0; x < CELLS; x++) {
          const row = Math.min(whole.height - 1, (box.y - top) / CELL_PX + y);
          const column = Math.min(whole.width - 1, (box.x - left) / CELL_PX + x);
          patch.data[to++] = whole.data[(channel * whole.height + row) * whole.width + column];
        }
    return patch;
  }

  private get margin(): number {
    return CELL_PX * Math.ceil(this.said.reach / CELL_PX);
  }

  /** Features of the canvas as the site saw them. */
  private seen(features: Planes): Planes {
    if (!this.kept.has("networks/matrix")) return features;
    const [matrix, offset] = ["matrix", "offset"].map((name) => this.kept.column<Float32Array>(`networks/${name}`));
    const { channels } = features;
    const cells = CELLS * CELLS;
    const found = planes(channels, CELLS, CELLS);
    for (let to = 0; to < channels; to++)
      for (let cell = 0; cell < cells; cell++) {
        let sum = offset[to];
        for (let from = 0; from < channels; from++)
          sum += features.data[from * cells + cell] * matrix[from * channels + to];
        found.data[to * cells + cell] = sum;
      }
    return found;
  }

  /** The patch and its four bands, each decoded alone; details around mid-grey, less what is painted from nothing. */
  private pictures(patch: Planes): ImageData[] {
    this.nothing ??= this.decoded(planes(patch.channels, CELLS, CELLS));
    const { gain, grey } = this.said;
    return [patch, ...SIGNS.map((signs) => band(patch, signs))].map((part, n) => {
      const made = this.decoded(part);
      return picture(made, (value, at) => (n < 2 ? 255 * value : grey + gain * 255 * (value - this.nothing!.data[at])));
    });
  }

  private decoded(patch: Planes): Planes {
    return run(this.said.decoder, patch, this.weights);
  }
}

function read(picture: ImageBitmap): ImageData {
  const context = new OffscreenCanvas(picture.width, picture.height).getContext("2d", { willReadFrequently: true })!;
  context.drawImage(picture, 0, 0);
  return context.getImageData(0, 0, picture.width, picture.height);
}

/** What a patch has in one band. */
function band(patch: Planes, signs: readonly number[]): Planes {
  const found = planes(patch.channels, CELLS, CELLS);
  for (let channel = 0; channel < patch.channels; channel++)
    for (let y = 0; y < CELLS; y += 2)
      for (let x = 0; x < CELLS; x += 2) {
        const at = [0, 1, CELLS, CELLS + 1].map((by) => (channel * CELLS + y) * CELLS + x + by);
        const sum = at.reduce((total, place, n) => total + signs[n] * patch.data[place], 0) / 4;
        at.forEach((place, n) => (found.data[place] = signs[n] * sum));
      }
  return found;
}

function picture({ data, height, width }: Planes, level: (value: number, at: number) => number): ImageData {
  const found = new ImageData(width, height);
  const area = height * width;
  for (let place = 0; place < area; place++) {
    for (let channel = 0; channel < 3; channel++)
      found.data[4 * place + channel] = Math.round(level(data[channel * area + place], channel * area + place));
    found.data[4 * place + 3] = 255;
  }
  return found;
}
