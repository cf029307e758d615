// The keyboard's way over the pictures: arrows walk from retrieval to retrieval, Enter selects, Shift draws a region.

import type { Session } from "../../core/session";

const STEPS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Move the focus, or select; false for keys that mean nothing here. */
export function moveFocus(session: Session, event: KeyboardEvent): boolean {
  const { scene, store, state } = session;
  if (event.key === "Enter" || event.key === " ") {
    if (state.focus >= 0) session.selectPlace(state.focus);
    return true;
  }
  const step = STEPS[event.key];
  if (!step) return false;
  const from = state.focus >= 0 ? state.focus : session.cells.at(scene.width / 2, scene.height / 2);
  if (from < 0) return true;
  if (event.shiftKey) growRegion(session, from, step);
  else store.set({ focus: neighbour(session, from, step), hover: -1 });
  return true;
}

/** The retrieval a step further; the same at the border. Regions, which may lie anyhow, come in their order. */
function neighbour({ scene }: Session, from: number, [across, down]: [number, number]): number {
  if (scene.regions) return Math.min(scene.count - 1, Math.max(0, from + across + down));
  let best = from;
  let nearest = Number.POSITIVE_INFINITY;
  const box = scene.boxOf(from);
  for (let place = 0; place < scene.count; place++) {
    const other = scene.boxOf(place);
    const [dx, dy] = [other.x - box.x, other.y - box.y];
    const ahead = dx * across + dy * down;
    const aside = Math.abs(dx * down) + Math.abs(dy * across);
    const distance = ahead + 4 * aside;
    if (ahead > 0 && distance < nearest) [best, nearest] = [place, distance];
  }
  return best;
}

/** Move the lower right corner of the region by one retrieval; a new region begins at the focus. */
function growRegion(session: Session, from: number, [across, down]: [number, number]): void {
  const { selected } = session.state;
  const cell = session.scene.boxOf(from);
  const [x, y, width, height] = selected.kind === "region" ? selected.box : [cell.x, cell.y, cell.width, cell.height];
  const right = x + Math.max(1, width + (across * cell.width) / 2);
  const bottom = y + Math.max(1, height + (down * cell.height) / 2);
  session.selectBox(x, y, right, bottom);
}
