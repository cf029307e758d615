// Which of the selected retrievals get a curve: the sources by share, and from each the clearest, far from each other.

import type { Scene } from "./scene";

export const MOST_PICKS = 8;
const MOST_SOURCES = 6;

/** Places of at most eight retrievals, grouped by source. */
export function picksOf(scene: Scene, picked: ArrayLike<number>): number[] {
  const groups = [...bySource(scene, picked).values()]
    .sort((one, other) => other.length - one.length)
    .slice(0, MOST_SOURCES);
  const total = groups.reduce((sum, group) => sum + group.length, 0);
  const taken: number[] = [];
  for (const group of groups) {
    const wanted = Math.max(1, Math.floor((MOST_PICKS * group.length) / Math.max(1, total)));
    taken.push(...spacedOut(scene, group, wanted, taken));
  }
  return taken.slice(0, MOST_PICKS);
}

/** Places of retrievals by their winner's source. */
export function bySource(scene: Scene, picked: ArrayLike<number>): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (let n = 0; n < picked.length; n++) {
    const source = scene.winnerSource(picked[n]);
    const group = found.get(source);
    if (group) group.push(picked[n]);
    else found.set(source, [picked[n]]);
  }
  return found;
}

/** Some of a group: always the one that is similar and far from those taken, of whatever group. */
function spacedOut(scene: Scene, group: number[], wanted: number, others: number[]): number[] {
  const taken: number[] = [];
  const reach = Math.hypot(scene.width, scene.height) / 4;
  while (taken.length < Math.min(wanted, group.length)) {
    let best = -1;
    let merit = Number.NEGATIVE_INFINITY;
    for (const place of group) {
      const distance = Math.min(reach, ...[...others, ...taken].map((other) => apart(scene, place, other)));
      const value = distance / reach + scene.winnerSimilarity(place);
      if (distance > 0 && value > merit) [best, merit] = [place, value];
    }
    if (best < 0) break;
    taken.push(best);
  }
  return taken;
}

function apart(scene: Scene, one: number, other: number): number {
  const [a, b] = [scene.middleOf(one), scene.middleOf(other)];
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/** What is shown before anything is selected: picks from the whole picture. */
export function overview(scene: Scene): number[] {
  return picksOf(scene, [...scene.query.keys()]);
}
