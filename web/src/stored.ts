// The host of an exported page: answers from what Python stored (ktviz/widgets/stored.py), in the form Python gives them.

import { type Answer, type Host, type Kind, type Requests, Unanswered } from "./host";
import type { Column, Packed } from "./packed";
import { decodePicture, type Scene } from "./scene";
import type { Descent } from "./descent";

const STEPS = 10_000;
const SHEET = 256;
const PATCH_PX = 16;
const BANDS_PER_ROW = 5;

/** Values and parts that were put together here. */
class Made implements Answer {
  constructor(
    readonly values: Record<string, unknown>,
    private readonly parts: Record<string, Column>,
  ) {}

  has(name: string): boolean {
    return name in this.parts;
  }

  column<T extends Column>(name: string): T {
    return this.parts[name] as T;
  }
}

export class PageHost implements Host {
  readonly canTranslate = false;
  private readonly sheets = new Map<number, Promise<ImageBitmap>>();
  private readonly rows = new Map<string, number>();

  constructor(
    private readonly scene: Scene,
    private readonly store: Packed,
  ) {
    if (!store.has("decoded_query")) return;
    const entry = store.column("decoded_entry");
    store.column("decoded_query").forEach((query: number, row: number) => {
      this.rows.set(query >= 0 ? `query/${query}` : `entry/${entry[row]}`, row);
    });
  }

  async ask<K extends Kind>(kind: K, body: Requests[K]): Promise<Answer> {
    const answers: { [Known in Kind]?: (body: Requests[Known]) => Promise<Answer> | Answer } = {
      candidates: (asked) => this.candidates(asked.queries),
      pictures: (asked) => this.pictures(asked.sources),
      children: (asked) => this.children(asked.bank, asked.nodes),
      thumbs: (asked) => this.thumbs(asked.bank, asked.nodes),
      descent: (asked) => this.descent(asked.queries),
      bands: (asked) => this.bands(asked.queries, asked.entries),
    };
    const answer = answers[kind] as ((body: Requests[K]) => Promise<Answer> | Answer) | undefined;
    if (!answer) throw new Unanswered(kind);
    return answer(body);
  }

  select(): void {}

  close(): void {}

  private need(...names: string[]): void {
    for (const name of names) if (!this.store.has(name)) throw new Unanswered(name);
  }

  private candidates(places: number[]): Answer {
    this.need("bands");
    const rows = (name: string, width: number, scale: number) => {
      const values = this.store.column(name);
      const found = new Float32Array(places.length * width);
      places.forEach((place, n) => {
        for (let at = 0; at < width; at++) found[n * width + at] = scaled(values[place * width + at], scale);
      });
      return found;
    };
    const { k } = this.scene;
    return new Made(
      {},
      {
        source_box: rows("source_box", 4 * k, 1),
        bands: rows("bands", 4 * k, STEPS),
        entry_bands: rows("entry_bands", 4 * k, STEPS),
        query_bands: rows("query_bands", 4, STEPS),
      },
    );
  }

  private pictures(sources: number[]): Answer {
    const names = sources.map((source) => `picture/${source}`).filter((name) => this.store.has(name));
    return new Made({}, Object.fromEntries(names.map((name) => [name, this.store.column(name)])));
  }

  private children(bank: number, nodes: number[]): Answer {
    this.need(`tree/${bank}/node`);
    const names = ["node", "parent", "level", "size", "children", "spread"];
    const columns = names.map((name) => this.store.column(`tree/${bank}/${name}`));
    const rows: number[] = [];
    columns[0].forEach((node: number, row: number) => {
      if (nodes.includes(node) || nodes.includes(columns[1][row])) rows.push(row);
    });
    return new Made(
      {},
      Object.fromEntries(names.map((name, n) => [name, Float32Array.from(rows, (row) => columns[n][row])])),
    );
  }

  private thumbs(bank: number, nodes: number[]): Answer {
    this.need(`tree/${bank}/sheet`);
    const known = this.store.column(`tree/${bank}/node`);
    const count = this.store.column(`tree/${bank}/count`);
    const rows = nodes.map((node) => known.indexOf(node));
    return new Made(
      {},
      {
        node: Int32Array.from(nodes),
        count: Int32Array.from(rows, (row) => (row < 0 ? 0 : count[row])),
        row: Int32Array.from(rows),
        sheet: this.store.column(`tree/${bank}/sheet`),
      },
    );
  }

  private descent(places: number[]): Answer {
    this.need("roads");
    return new Made({ descents: places.map((place) => this.descentOf(place)) }, {});
  }

  private descentOf(place: number): Descent {
    const { scene, store } = this;
    const bank = scene.bankOf(place);
    const path = scene.pathOf(place);
    const [, depth, width] = store.shape("roads");
    const values = store.column("roads");
    const roads = path.map((taken, level) => {
      const nodes = this.childrenOf(bank, level ? path[level - 1] : 0);
      const at = (scene.query[place] * depth + level) * width;
      const similarity = nodes.map((_, n) => scaled(values[at + n], STEPS));
      return { nodes, similarity, taken, greedy: nodes[similarity.indexOf(Math.max(...similarity))] };
    });
    const visited = this.visitedBy(scene.query[place]);
    return {
      query: scene.query[place],
      bank: scene.about.banks[bank].name,
      path,
      roads,
      greedy_leaf: store.column("greedy_leaf")[scene.query[place]],
      visited,
      ranked: false,
      passed: this.above(bank, visited),
    };
  }

  /** All children of a node, also those that the page does not describe, in the order of their numbers. */
  private childrenOf(bank: number, node: number): number[] {
    const found: number[] = [];
    this.store.column(`tree/${bank}/above`).forEach((parent: number, child: number) => {
      if (parent === node) found.push(child);
    });
    return found;
  }

  private visitedBy(query: number): number[] {
    const [, bytes] = this.store.shape("visited");
    const bits = this.store.column("visited").subarray(query * bytes, (query + 1) * bytes);
    const found: number[] = [];
    bits.forEach((byte: number, at: number) => {
      for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) found.push(8 * at + bit);
    });
    return found;
  }

  /** How many of some leaves lie below each node above them. */
  private above(bank: number, leaves: number[]): [number, number][] {
    const parents = this.store.column(`tree/${bank}/above`);
    const counts = new Map<number, number>();
    for (const leaf of leaves) {
      for (let node = parents[leaf]; node > 0; node = parents[node]) counts.set(node, (counts.get(node) ?? 0) + 1);
    }
    return [...counts];
  }

  /** The stored rows of decoded bands, put together as one sheet; what is not stored stays empty. */
  private async bands(places: number[], entries: number[]): Promise<Answer> {
    const names = [`query/${this.scene.query[places[0]]}`, ...entries.map((entry) => `entry/${entry}`)];
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
    if (!sheet) this.sheets.set(number, (sheet = decodePicture(this.store.column<Uint8Array>(`decoded/${number}`))));
    return sheet;
  }
}

function scaled(value: number, scale: number): number {
  return scale === STEPS && value < -STEPS ? Number.NaN : value / scale;
}
