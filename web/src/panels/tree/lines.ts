// The lines of the tree, and a dash for every node while cards are too small to be read.

import type { ZoomTransform } from "d3-zoom";
import { bend } from "../../core/bend";
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
  for (const lit of [false, true]) {
    context.beginPath();
    for (const one of placed) {
      if (!one.parent || isLit(one) !== lit) continue;
      const [from, to] = [one.parent.x * k + y, one.x * k + y];
      if (Math.max(from, to) < 0 || Math.min(from, to) > height) continue;
      const start = [(one.parent.y + CARD) * k + x, from] as const;
      context.moveTo(...start);
      context.bezierCurveTo(...bend(start, [one.y * k + x, to]));
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
