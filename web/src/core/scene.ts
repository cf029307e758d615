// What a view draws: the scene that Python made (ktviz/widgets/scene.py), with its pictures decoded.

import type { Change } from "./change";
import type { Column, Packed } from "./packed";
import { Palette } from "./palette";
import { Regions } from "./regions";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Source {
  name: string;
  bank: string;
  title: string;
  creator: string;
  year: string;
  licence: string;
  url: string;
  width: number | null;
  height: number | null;
  share: number;
  retrievals: number;
  /** Its number among the colours in the whole picture, -1 for none of its own: see `Palette`. */
  colour: number;
  /** Whether the site that is shown could choose it. */
  here: boolean;
}

export interface Bank {
  name: string;
  nodes: number;
  depth: number;
  entries: number;
  /** What the nodes of its tree are called; empty where a number is all there is. */
  words: string[];
  /** What tells how near a retrieval is to a node. */
  measure: string;
}

/** What a node is called in the middle of a sentence. */
export function wordFor(bank: Bank, node: number): string {
  return bank.words[node] ?? String(node);
}

/** A picture that the site of a scene states. */
export interface Canvas {
  name: string;
  /** The name in words. */
  title: string;
  width: number;
  height: number;
  /** Whether it is shown smaller than it is. */
  shrunk: boolean;
}

/** One of several places in a system where it chose from what is stored. */
export interface Site {
  name: string;
  retrievals: number;
  /** Where the trace says one: which of two pictures was made from the other. */
  direction: string | null;
}

/** Where a panel stands in the Explorer, and whether it has something to show there. */
export interface PanelPlace {
  name: string;
  row: number;
  appears: boolean;
}

export interface About {
  protocol: number;
  /** The picture in which the queries lie: all boxes and regions of a scene are in its px. */
  canvas: Canvas;
  /** The picture that the retrievals paint; places on it lie in proportion. */
  output: Canvas;
  queries: number;
  candidates: number;
  preset: string | null;
  /** Of the bands, where they were compared. */
  weights?: number[];
  without: string[];
  /** Part of the picture that the recorded candidates do not explain. */
  left_over: number;
  /** Part of the winners that continue a neighbour. */
  coherent: number;
  /** Part of the winners that are the best there was; null where only winners were recorded. */
  best: number | null;
  /** The winners' similarity as a part of that of the best there was. */
  kept: number | null;
  causal: boolean;
  /** The site that this is the scene of, and all sites of the trace. */
  site: string;
  sites: Site[];
  /** Of the site, by name. */
  measures: Record<string, number>;
  /** For what nothing was taken: parts of the picture, by why. */
  lacking: Record<string, number>;
  digest: string;
  live: boolean;
  frozen: string;
  panels: PanelPlace[];
  can: Record<
    | "bands"
    | "decode"
    | "regret"
    | "tree"
    | "soft"
    | "exclude"
    | "codes"
    | "restyle"
    | "reuse"
    | "attributes"
    | "space",
    boolean
  >;
  /** Other pictures of the run that lie over the output, px upon px. */
  beside: { name: string; title: string }[];
  /** Where entries are the cells of one source: their grid, sides in px of the source. */
  cells?: { source: number; rows: number; columns: number; down: number; across: number };
  /** Where pictures of any code can be made: the code of the run, and the map of those that are stored. */
  space?: SpaceAbout;
  sources: Source[];
  /** How many more there are: of very many, those that gave nothing are not listed. */
  unlisted: number;
  banks: Bank[];
  /** Of a counterfactual alone: what changed (ktviz/widgets/after.py). */
  comparison?: {
    headline: string;
    /** How many times the picture of the difference is brightened. */
    gain: number;
    /** Numbers of the sources that were left out as a whole. */
    removed: number[];
    /** Part of the picture that went to another source. */
    moved: number;
    /** From, to, retrievals, share: largest share first. */
    heirs: [number, number, number, number][];
    /** What was asked for. */
    change: Change;
    /** What that changed within each of them and beyond it, in levels. */
    effects: { place: number; said: string; inside: number; outside: number | null }[];
  };
}

/** What Python says of the space of a run (ktviz/widgets/panels/space.py). */
export interface SpaceAbout {
  /** What a code is of. */
  kind: string;
  /** Where the used code is from, as a clause. */
  origin: string;
  /** Codes in all, of which the map may show a part. */
  stored: number;
  /** Part of the variance of the stored codes along each axis. */
  explained: [number, number];
  /** Both axes, each as long as a code. */
  axes: number[][];
  /** The code of the run, and its place on the map. */
  used: number[];
  place: Place;
  /** Entries with a part in the used code, and that part. */
  parts: [number, number][];
  /** How many times pictures of differences are brightened. */
  gain: number;
}

/** To the right and up, in units of the codes. */
export type Place = readonly [number, number];

/** Numbers of sources; in four bytes each where there are very many. */
type Numbers = Int16Array | Int32Array;

/** All candidates, (retrievals, `k`); no source where there are fewer. */
export interface Mixed {
  readonly entry: Int32Array;
  readonly source: Numbers;
  readonly weight: Float32Array;
}

export class Scene {
  readonly about: About;
  readonly count: number;
  /** Of the canvas. */
  readonly width: number;
  readonly height: number;
  /** Candidates per retrieval. */
  readonly k: number;
  readonly query: Int32Array;
  readonly box: Float32Array;
  readonly sourceBox: Float32Array;
  readonly margin: Float32Array;
  readonly coherent: Uint8Array;
  /** Of the winners. */
  readonly entry: Int32Array;
  readonly source: Numbers;
  readonly similarity: Float32Array;
  /** Where several candidates have a part in a result. */
  readonly mixed: Mixed | null;
  /** Where queries are regions of a label map; null where they are boxes. */
  regions: Regions | null = null;
  readonly palette: Palette;
  private readonly bitmaps = new Map<string, ImageBitmap>();
  private readonly place = new Map<number, number>();

  /** A scene; that of a counterfactual, or of another site in a page, has the pictures of the first. */
  constructor(
    private readonly packed: Packed,
    private readonly first: Scene | null = null,
  ) {
    this.about = packed.values as unknown as About;
    this.palette = new Palette(this.about.sources);
    this.count = this.about.queries;
    this.width = this.about.canvas.width;
    this.height = this.about.canvas.height;
    this.k = this.about.candidates;
    this.query = packed.column("query");
    this.box = packed.column("box");
    this.sourceBox = packed.column("source_box");
    this.margin = packed.column("margin");
    this.coherent = packed.column("coherent");
    this.entry = packed.column("entry");
    this.source = packed.column("source");
    this.similarity = packed.column("similarity");
    const weight = this.column<Float32Array>("mixed/weight");
    this.mixed = weight && { entry: packed.column("mixed/entry"), source: packed.column("mixed/source"), weight };
    this.query.forEach((query, place) => this.place.set(query, place));
  }

  /** A column that a panel draws; null where the trace has none. */
  column<T extends Column>(name: string): T | null {
    return this.packed.has(name) ? this.packed.column<T>(name) : null;
  }

  shape(name: string): number[] {
    return this.packed.shape(name);
  }

  /** Decode the label map and all pictures: canvases, difference, the small ones of sources and of entries. */
  async decode(): Promise<void> {
    const names = ["canvas/", "difference", "thumb/", "tile/"].flatMap((prefix) => this.packed.names(prefix));
    await Promise.all([
      this.readRegions(),
      ...names.map((name) => this.keep(name, this.packed.column<Uint8Array>(name))),
    ]);
  }

  private async readRegions(): Promise<void> {
    const [labels, region] = [this.column<Uint8Array>("labels"), this.column<Int32Array>("region")];
    if (labels && region) this.regions = await Regions.read(labels, this.width, this.height, region);
  }

  /** Decode a picture and keep it under a name. */
  async keep(name: string, bytes: Uint8Array): Promise<void> {
    this.bitmaps.set(name, await decodePicture(bytes));
  }

  /** Recorded weights of the bands; none where they were not compared. */
  get weights(): number[] {
    return this.about.weights ?? [];
  }

  picture(name: string): ImageBitmap | null {
    return this.bitmaps.get(name) ?? this.first?.picture(name) ?? null;
  }

  /** The picture in which the queries lie. */
  get canvas(): ImageBitmap | null {
    return this.picture(`canvas/${this.about.canvas.name}`);
  }

  /** The picture that the retrievals paint. */
  get output(): ImageBitmap | null {
    return this.picture(`canvas/${this.about.output.name}`);
  }

  close(): void {
    for (const bitmap of this.bitmaps.values()) bitmap.close();
  }

  /** Place among the retrievals of a query number, -1 for none. */
  placeOf(query: number): number {
    return this.place.get(query) ?? -1;
  }

  /** The entries that fed each retrieval, in rows of `k`: all candidates where several have a part, else the winner. */
  get fed(): { k: number; entry: Int32Array; weight: Float32Array | null } {
    return this.mixed ? { k: this.k, ...this.mixed } : { k: 1, entry: this.entry, weight: null };
  }

  winnerSource(place: number): number {
    return this.source[place];
  }

  /** The colour of the winner's source. */
  winnerColour(place: number): string {
    return this.palette.of(this.winnerSource(place));
  }

  winnerSimilarity(place: number): number {
    return this.similarity[place];
  }

  boxOf(place: number): Box {
    return boxAt(this.box, place);
  }

  /** The outline of a query that is a region, in px of the canvas; null of one that is a box. */
  outlineOf(place: number): Path2D | null {
    return this.regions?.outline(place, this.boxOf(place)) ?? null;
  }

  /** A point within a query, in its middle where that is within. */
  middleOf(place: number): [number, number] {
    const box = this.boxOf(place);
    return this.regions?.inside(place, box) ?? [box.x + box.width / 2, box.y + box.height / 2];
  }

  sourceBoxOf(place: number): Box | null {
    return wholeOrBox(boxAt(this.sourceBox, place));
  }

  /** The box of an entry in its source, where entries are cells; cut off where the source ends. */
  cellBox(entry: number): Box | null {
    const { cells, sources } = this.about;
    if (!cells || entry < 0) return null;
    const [x, y] = [(entry % cells.columns) * cells.across, Math.floor(entry / cells.columns) * cells.down];
    const { width, height } = sources[cells.source];
    return {
      x,
      y,
      width: Math.min(cells.across, (width ?? x + cells.across) - x),
      height: Math.min(cells.down, (height ?? y + cells.down) - y),
    };
  }

  /** Number of the bank that the winner is of; the only one where it is of no bank of its own, but of their centres. */
  bankOf(place: number): number {
    const name = this.about.sources[this.winnerSource(place)]?.bank;
    const found = this.about.banks.findIndex((bank) => bank.name === name);
    return found < 0 && this.about.banks.length === 1 ? 0 : found;
  }

  /** A source's picture: as its bank saw it where it has come, else the small one. */
  pictureOf(source: number): ImageBitmap | null {
    return this.picture(`picture/${source}`) ?? this.picture(`thumb/${source}`);
  }
}

export function decodePicture(bytes: Uint8Array): Promise<ImageBitmap> {
  return createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]));
}

export function boxAt(values: Float32Array, place: number): Box {
  const at = 4 * place;
  return { x: values[at], y: values[at + 1], width: values[at + 2], height: values[at + 3] };
}

export function boxFrom([x, y, width, height]: readonly number[]): Box {
  return { x, y, width, height };
}

/** A box in a source; null where an entry is the source as a whole. */
export function wholeOrBox(box: Box): Box | null {
  return Number.isNaN(box.x) ? null : box;
}

/** The nearest whole number, halves to the even one: as Python and NumPy round. */
export function rounded(value: number): number {
  const up = Math.round(value);
  return up - value === 0.5 && up % 2 !== 0 ? up - 1 : up;
}
