// One selection for several traces: what is selected in one, in the words of another.

import type { Scene } from "../core/scene";
import type { Session } from "../core/session";
import type { Selected } from "../core/store";

const NONE: Selected = { kind: "none" };

export class Linked {
  private readonly sessions: Session[] = [];
  /** What each was told last, as JSON: when it says so itself, nobody else needs to hear it. */
  private readonly told: string[] = [];

  add(number: number, session: Session): void {
    this.sessions[number] = session;
    this.told[number] = JSON.stringify(session.state.selected);
    session.store.listen((changed) => {
      if (this.sessions[number] !== session) return; // it was drawn anew since
      if (changed.has("selected")) this.spread(number);
      if (changed.has("overlay") || changed.has("whole")) this.dress(number);
    });
  }

  /** Select a source in all traces that have it. */
  selectSource(name: string): void {
    for (const [number, { before, state }] of this.sessions.entries()) {
      const source = before.about.sources.findIndex((one) => one.name === name);
      const again = state.selected.kind === "source" && state.selected.source === source;
      this.say(number, source < 0 || again ? NONE : { kind: "source", source });
    }
  }

  private spread(from: number): void {
    const { state, before } = this.sessions[from];
    const said = JSON.stringify(state.selected);
    if (said === this.told[from]) return;
    this.told[from] = said;
    for (const [number, session] of this.sessions.entries()) {
      if (session && number !== from) this.say(number, inWordsOf(session.before, state.selected, before));
    }
  }

  private say(number: number, selected: Selected): void {
    const session = this.sessions[number];
    if (!session || JSON.stringify(session.state.selected) === JSON.stringify(selected)) return;
    this.told[number] = JSON.stringify(selected);
    session.select(selected);
  }

  private dress(from: number): void {
    const { overlay, whole } = this.sessions[from].state;
    for (const session of this.sessions) {
      if (session && (session.state.overlay !== overlay || session.state.whole !== whole))
        session.store.set({ overlay, whole });
    }
  }
}

/** A selection in one scene as the same in another: places in proportion, sources by name. */
export function inWordsOf(scene: Scene, selected: Selected, from: Scene): Selected {
  if (selected.kind === "source") {
    const name = from.about.sources[selected.source]?.name;
    const source = scene.about.sources.findIndex((one) => one.name === name);
    return source < 0 ? NONE : { kind: "source", source };
  }
  if (selected.kind === "region") return { kind: "region", box: scaled(selected.box, from, scene) };
  if (selected.kind === "queries" && selected.queries.length) {
    if (alike(scene, from)) return selected;
    const boxes = selected.queries.map((query) => from.boxOf(from.placeOf(query)));
    const [x, y] = [Math.min(...boxes.map((box) => box.x)), Math.min(...boxes.map((box) => box.y))];
    const right = Math.max(...boxes.map((box) => box.x + box.width));
    const bottom = Math.max(...boxes.map((box) => box.y + box.height));
    return { kind: "region", box: scaled([x, y, right - x, bottom - y], from, scene) };
  }
  return NONE;
}

/** Whether two scenes have their retrievals at the same places. */
export function alike(one: Scene, other: Scene): boolean {
  if (one.count !== other.count || one.width !== other.width || one.height !== other.height) return false;
  return one.box.every((value, n) => value === other.box[n]) && one.query.every((value, n) => value === other.query[n]);
}

function scaled([x, y, width, height]: readonly number[], from: Scene, to: Scene): number[] {
  const [across, down] = [to.width / from.width, to.height / from.height];
  const left = Math.min(to.width - 1, Math.max(0, Math.round(x * across)));
  const top = Math.min(to.height - 1, Math.max(0, Math.round(y * down)));
  const right = Math.min(to.width, Math.max(left + 1, Math.round((x + width) * across)));
  const bottom = Math.min(to.height, Math.max(top + 1, Math.round((y + height) * down)));
  return [left, top, right - left, bottom - top];
}
