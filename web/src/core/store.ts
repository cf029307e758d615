// One state for all parts of a view. Parts read it, ask for changes, and are told which of its fields changed.

import type { Showing } from "./host";
import { type Change, unchanged } from "./change";
import type { Box, Scene } from "./scene";

export type Selected =
  | { kind: "none" }
  | { kind: "region"; box: number[] }
  | { kind: "queries"; queries: number[] }
  | { kind: "source"; source: number };

/** A counterfactual that can be shown again. */
export interface Tried {
  digest: string;
  change: Change;
  /** Part of the pixels that changed. */
  changed: number;
  picture: ImageBitmap | null;
}

export type Overlay = "none" | "source" | "share" | "similarity" | "margin" | "regret" | "entropy" | "piece";

export interface State {
  selected: Selected;
  /** [bank, node] of the selected node of a cluster tree. */
  node: [number, number] | null;
  /** Places of the selected retrievals. */
  picked: Int32Array;
  /** Share of every source in the selection; null without one. */
  shares: Float32Array | null;
  /** Place of the retrieval that tree and bands show, -1 for none. */
  focus: number;
  hover: number;
  hoverSource: number;
  /** Whether sources are shown one by one ("source"), or together: by creator, licence, bank or year. */
  by: string;
  overlay: Overlay;
  /** Whether overlays have the scale of whatever translation, instead of one that is stretched to this one's numbers. */
  whole: boolean;
  wipe: boolean;
  /** Whether the picture that was translated is shown. */
  inputs: boolean;
  /** Name of the picture that is shown beside input and output; empty for none. */
  beside: string;
  /** How bright some retrievals are, from 0 to 1, while all others are dark; null where nothing is pointed out. */
  lit: ReadonlyMap<number, number> | null;
  /** For what the next click on an object is meant, in words; empty where it selects. */
  picking: string;
  weights: number[];
  /** What is to be otherwise in the counterfactual. */
  change: Change;
  /** The counterfactual beside the recorded translation. */
  after: Scene | null;
  showing: Showing;
  /** Counterfactuals that can be shown again, the oldest first. */
  tried: readonly Tried[];
  /** How often sources were given other colours. */
  colours: number;
  /** Sources whose full picture has come. */
  pictures: number;
  /** Requests under way. */
  waiting: number;
  /** What is being made, in words; empty for nothing. */
  making: string;
  error: string;
  frozen: string;
}

export type Changed = ReadonlySet<keyof State>;
export type Listener = (changed: Changed) => void;

/** Whether one of some fields changed. */
export function anyOf(changed: Changed, ...names: (keyof State)[]): boolean {
  return names.some((name) => changed.has(name));
}

export class Store {
  private listeners: Listener[] = [];
  private changed = new Set<keyof State>();
  private scheduled = false;
  private ended = false;

  constructor(
    readonly state: State,
    private readonly onSettled: (settled: boolean) => void,
  ) {}

  /** Call a listener after every change; it is called once at first for everything. */
  listen(listener: Listener): void {
    this.listeners.push(listener);
    listener(everything(this.state));
  }

  set(change: Partial<State>): void {
    for (const name of Object.keys(change) as (keyof State)[]) {
      if (this.state[name] !== change[name]) this.changed.add(name);
    }
    Object.assign(this.state, change);
    if (this.changed.size && !this.scheduled && !this.ended) {
      this.scheduled = true;
      this.onSettled(false);
      afterFrame(() => this.flush());
    }
  }

  private flush(): void {
    this.scheduled = false;
    if (this.ended) return;
    // Another trace: nothing that is drawn may stay.
    const another = this.changed.has("after") || this.changed.has("showing");
    const changed = another ? everything(this.state) : this.changed;
    this.changed = new Set();
    for (const listener of this.listeners) listener(changed);
    if (!this.scheduled) this.onSettled(this.state.waiting === 0);
  }

  end(): void {
    this.ended = true;
    this.listeners = [];
  }
}

function everything(state: State): Changed {
  return new Set(Object.keys(state) as (keyof State)[]);
}

/** With the next frame; frames do not come while a page is hidden, so a timer stands behind them. */
export function afterFrame(call: () => void): void {
  let done = false;
  const once = () => {
    if (!done) call();
    done = true;
  };
  requestAnimationFrame(once);
  setTimeout(once, 100);
}

export function initialState(weights: number[], frozen: string): State {
  return {
    selected: { kind: "none" },
    node: null,
    picked: new Int32Array(),
    shares: null,
    focus: -1,
    hover: -1,
    hoverSource: -1,
    by: "source",
    overlay: "none",
    whole: false,
    wipe: false,
    inputs: true,
    beside: "",
    lit: null,
    picking: "",
    weights: [...weights],
    change: unchanged(weights),
    after: null,
    showing: "before",
    tried: [],
    colours: 0,
    pictures: 0,
    waiting: 0,
    making: "",
    error: "",
    frozen,
  };
}

export function asList(box: Box): number[] {
  return [box.x, box.y, box.width, box.height];
}
