// The whole tree as bars, level below level, each as wide as its part of the entries: a map that zooms to what is clicked.

import { cividis } from "../../core/colours";
import { counted, fitCanvas, h } from "../../core/dom";
import type { Answer } from "../../core/host";

const [ROW, GAP] = [22, 1];
/** Bars that are narrower, in px, are not drawn one by one. */
const NARROW = 0.4;

/** A node as it lies in the whole tree: from 0 to 1 across. */
interface Bar {
  node: number;
  level: number;
  from: number;
  to: number;
}

export class Icicle {
  readonly canvas = h("canvas", { class: "kt-icicle", role: "img" });
  private bars: Bar[] = [];
  private depth = 0;
  /** What is shown, from 0 to 1 across. */
  private shown: [number, number] = [0, 1];

  /**
   * @param pick called with the node that a person chose
   * @param point called with the node under the pointer, -1 for none
   */
  constructor(
    private readonly pick: (node: number) => void,
    private readonly point: (node: number) => void,
  ) {
    this.canvas.addEventListener("click", (event) => {
      const bar = this.at(event);
      if (!bar) return;
      this.shown = [bar.from, bar.to];
      this.pick(bar.node);
    });
    this.canvas.addEventListener("pointermove", (event) => this.point(this.at(event)?.node ?? -1));
    this.canvas.addEventListener("pointerleave", () => this.point(-1));
  }

  /** Take in a tree: parent, level and size of its nodes, which are numbered level by level. */
  learn(answer: Answer): void {
    const [level, size] = [answer.column<Int32Array>("level"), answer.column<Int32Array>("size")];
    const above = answer.column<Int32Array>("above").subarray(0, level.length);
    this.bars = layout(above, level, size);
    this.depth = level[level.length - 1] ?? 0;
    this.shown = [0, 1];
    this.canvas.setAttribute("aria-label", `The whole tree: ${counted(level.length, "node")}`);
  }

  private at(event: MouseEvent): Bar | null {
    const box = this.canvas.getBoundingClientRect();
    const [from, to] = this.shown;
    const across = from + ((event.clientX - box.left) / box.width) * (to - from);
    const level = Math.floor((event.clientY - box.top) / (ROW + GAP));
    return this.bars.find((bar) => bar.level === level && across >= bar.from && across < bar.to) ?? null;
  }

  /**
   * @param visits of every node
   * @param lit nodes on ways, with the colours of these
   */
  draw(visits: ArrayLike<number>, lit: ReadonlyMap<number, string>, paper: string): void {
    const width = this.canvas.parentElement?.clientWidth ?? 0;
    if (!width || !this.bars.length) return;
    const height = (this.depth + 1) * (ROW + GAP) + 2;
    [this.canvas.style.width, this.canvas.style.height] = ["100%", `${height}px`];
    const context = fitCanvas(this.canvas, width, height);
    context.fillStyle = paper;
    context.fillRect(0, 0, width, height);
    const [from, to] = this.shown;
    const place = (at: number) => ((at - from) / (to - from)) * width;
    const most = new Float64Array(this.depth + 1);
    for (const { node, level } of this.bars) most[level] = Math.max(most[level], visits[node] ?? 0);
    for (const { node, level, from: left, to: right } of this.bars) {
      const [x, end] = [place(left), place(right)];
      if (end < 0 || x > width || end - x < NARROW) continue;
      context.fillStyle = `rgb(${cividis(Math.sqrt((visits[node] ?? 0) / Math.max(1, most[level]))).join(",")})`;
      context.fillRect(x, 1 + level * (ROW + GAP), Math.max(0.5, end - x - (end - x > 3 ? 0.75 : 0)), ROW);
    }
    for (const bar of this.bars) {
      const colour = lit.get(bar.node);
      if (!colour) continue;
      const [x, end] = [place(bar.from), place(bar.to)];
      const [left, wide] = [Math.max(0, x), Math.max(3, Math.min(width, end) - Math.max(0, x))];
      for (const [style, line] of [["#fff", 4] as const, [colour, 2] as const]) {
        [context.strokeStyle, context.lineWidth] = [style, line];
        context.strokeRect(left + 1, 2 + bar.level * (ROW + GAP), Math.max(1, wide - 2), ROW - 2);
      }
    }
  }

  /** Show all of it again. */
  fit(): void {
    this.shown = [0, 1];
  }
}

/** Every node below its parent, as wide as its part of what lies there. */
export function layout(above: ArrayLike<number>, level: ArrayLike<number>, size: ArrayLike<number>): Bar[] {
  const below = new Float64Array(level.length);
  for (let node = 1; node < level.length; node++) below[above[node]] += size[node];
  const bars: Bar[] = [{ node: 0, level: 0, from: 0, to: 1 }];
  const next = new Float64Array(level.length);
  for (let node = 1; node < level.length; node++) {
    const parent = bars[above[node]];
    const from = next[above[node]] || parent.from;
    const to = from + ((parent.to - parent.from) * size[node]) / Math.max(1, below[above[node]]);
    next[above[node]] = to;
    bars.push({ node, level: level[node], from, to });
  }
  return bars;
}
