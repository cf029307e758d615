// What a panel is to the rest of the view: something that is drawn, and what a page answers for it without Python.

import type { Answer } from "./host";
import type { Kind, Requests } from "./protocol";
import type { Session } from "./session";
import type { Kept } from "./stored";

/** A panel in a view. */
export interface Drawn {
  readonly el: HTMLElement;
  /** Take the room there is. */
  resize?(): void;
  /** See what else is drawn, by name, and the row that this panel stands in. */
  join?(others: ReadonlyMap<string, Drawn>, row: HTMLElement): void;
}

export type StoredAnswers = { [K in Kind]?: (body: Requests[K]) => Answer | Promise<Answer> };

/** A part of the Explorer, one module in `panels/`, named as in `ktviz/widgets/panels/`. */
export interface Panel {
  readonly name: string;
  /** The panel that is drawn beside it, even where a view has this one alone. */
  readonly needs?: string;
  /** Draw it among the parts of a view. */
  draw(session: Session, parts: readonly string[]): Drawn;
  /** What it answers from what Python stored in a page. */
  stored?(kept: Kept): StoredAnswers;
}
