// What is said of a space of codes, and of a point in it.

import { count, percent } from "../../core/dom";
import { type Point, type Space, still } from "./model";

/** How much of what stored codes differ in is on the map. */
export function explained({ about, count: shown }: Space): string {
  const { stored, used, kind } = about;
  const [right, up] = about.explained;
  const all = `${count(stored)} stored ${kind} ${stored === 1 ? "code" : "codes"} of ${used.length} numbers`;
  const part = shown < stored ? ` Of them the ${count(shown)} nearest to the used one are on it.` : "";
  if (right + up === 0) return `No variance: the ${all} do not differ, and the map shows nothing of them.${part}`;
  const axes = `${percent(right)} from left to right, ${percent(up)} from bottom to top`;
  return `The map shows ${percent(right + up)} of the variance of ${all}: ${axes}.${part}`;
}

/** What a point is. */
export function told(space: Space, point: Point): string {
  const { kind, origin, parts, place } = space.about;
  const base = point.entry < 0 ? "the used code" : `the code of ${space.credits[space.rowOf(point.entry)].title}`;
  const away = space.fromUsed(point).toFixed(2);
  if (!still(point)) {
    const [x, y] = space.placeOf(point);
    const [right, up] = [x - place[0], y - place[1]];
    const where = `${Math.abs(right).toFixed(2)} ${right < 0 ? "left" : "right"}, ${Math.abs(up).toFixed(2)} ${up < 0 ? "down" : "up"}`;
    const rest = `What the map does not show is as in ${base}.`;
    return `${away} from the used code (on the map ${where}). ${rest}`;
  }
  if (point.entry >= 0) return `All of ${base}, ${away} from the used one.`;
  const cause = parts.length ? "" : " Nothing stored has a part in it: the nearest are like it, not its cause.";
  return `The ${kind} that was used: ${origin}.${cause}`;
}
