// What a page answers about bands, from what Python stored (ktviz/widgets/panels/bands.py).

import { type Answer, Unanswered } from "../core/host";
import type { Column } from "../core/packed";
import type { StoredAnswers } from "../core/panel";
import { SHEET } from "../core/protocol";
import { decodePicture } from "../core/scene";
import { type Kept, Made, unstep } from "../core/stored";
import { Decoding } from "./decoding";

const PATCH_PX = 16;
const BANDS_PER_ROW = 5;

export function storedBands(kept: Kept): StoredAnswers {
  const pictures = Decoding.in(kept) ?? new Sheets(kept);
  return {
    candidates: ({ queries }) => candidates(kept, queries),
    bands: ({ queries, entries }) => pictures.together(queries[0], entries),
  };
}

function candidates(kept: Kept, places: number[]): Answer {
  kept.need("bands");
  const rows = <T extends Column>(name: string, found: T): T => {
    const values = kept.column(name);
    const width = found.length / places.length;
    places.forEach((place, n) => found.set(values.subarray(place * width, (place + 1) * width), n * width));
    return found;
  };
  const unstepped = (name: string, width: number) =>
    Float32Array.from(rows(name, new Int16Array(places.length * width)), unstep);
  const all = places.length * kept.scene.k;
  return new Made(
    {},
    {
      entry: rows("entry", new Int32Array(all)),
      source: rows("source", new Int32Array(all)),
      similarity: rows("similarity", new Float32Array(all)),
      source_box: rows("source_box", new Float32Array(4 * all)),
      bands: unstepped("bands", 4 * kept.scene.k),
      entry_bands: unstepped("entry_bands", 4 * kept.scene.k),
      query_bands: unstepped("query_bands", 4),
      chosen: rows("chosen", new Uint16Array(places.length)),
    },
  );
}

/** The stored sheets of decoded bands. */
class Sheets {
  private readonly sheets = new Map<number, Promise<ImageBitmap>>();
  private readonly rows = new Map<string, number>();

  constructor(private readonly kept: Kept) {
    if (!kept.has("decoded_query")) return;
    const entry = kept.column("decoded_entry");
    kept.column("decoded_query").forEach((query: number, row: number) => {
      this.rows.set(query >= 0 ? `query/${query}` : `entry/${entry[row]}`, row);
    });
  }

  /** The stored rows of a query and some entries, put together as one sheet; what is not stored stays empty. */
  async together(place: number, entries: number[]): Promise<Answer> {
    const names = [`query/${this.kept.scene.query[place]}`, ...entries.map((entry) => `entry/${entry}`)];
    const rows = names.map((name) => this.rows.get(name) ?? -1);
    if (rows.every((row) => row < 0)) throw new Unanswered("bands");
    const canvas = new OffscreenCanvas(BANDS_PER_ROW * PATCH_PX, rows.length * PATCH_PX);
    const context = canvas.getContext("2d")!;
    for (const [line, row] of rows.entries()) {
      if (row < 0) continue;
      const sheet = await this.sheet(Math.floor(row / SHEET));
      const top = (row % SHEET) * PATCH_PX;
      context.drawImage(sheet, 0, top, canvas.width, PATCH_PX, 0, line * PATCH_PX, canvas.width, PATCH_PX);
    }
    const blob = await canvas.convertToBlob();
    return new Made(
      {},
      { decoded: new Uint8Array(await blob.arrayBuffer()), known: Uint8Array.from(rows, (row) => Number(row >= 0)) },
    );
  }

  private sheet(number: number): Promise<ImageBitmap> {
    let sheet = this.sheets.get(number);
    if (!sheet) this.sheets.set(number, (sheet = decodePicture(this.kept.column<Uint8Array>(`decoded/${number}`))));
    return sheet;
  }
}
