// The lines of the tree, and a dash for every node while cards are too small to be read.

import { linkHorizontal } from "d3-shape";
import type { ZoomTransform } from "d3-zoom";
import type { Placed } from "./model";

/** Width of a card, in px before zooming. */
export const CARD = 208;
/** Cards are drawn from this zoom on. */
export const CARDS_FROM = 0.45;

/** Draw what is placed; the lit way over all others. */
export function drawLines(
  context: CanvasRenderingContext2D,
  height: number,
  placed: Placed[],
  isLit: (one: Placed) => boolean,
  { x, y, k }: ZoomTransform,
  [line, accent]: [string, string],
): void {
  const link = linkHorizontal<unknown, [number, number]>().context(context);
  for (const lit of [false, true]) {
    context.beginPath();
    for (const one of placed) {
      if (!one.parent || isLit(one) !== lit) continue;
      const [from, to] = [one.parent.x * k + y, one.x * k + y];
      if (Math.max(from, to) < 0 || Math.min(from, to) > height) continue;
      link({ source: [(one.parent.y + CARD) * k + x, from], target: [one.y * k + x, to] });
    }
    context.strokeStyle = lit ? accent : line;
    context.lineWidth = lit ? 3 : 1;
    context.stroke();
  }
  if (k >= CARDS_FROM) return;
  for (const one of placed) {
    const [left, top] = [one.y * k + x, one.x * k + y];
    if (top < 0 || top > height) continue;
    context.fillStyle = isLit(one) ? accent : line;
    context.fillRect(left, top - 1.5, Math.max(3, 120 * k), 3);
  }
}
