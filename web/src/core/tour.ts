// The first minute: three things to do, one after the other; whoever has done or dismissed them is not asked again.

import { button, h } from "./dom";
import type { Session } from "./session";
import type { State } from "./store";

const DONE = "ktviz-tour-done";

interface Step {
  said: string;
  /** Whether it was done. */
  done(state: State): boolean;
}

const STEPS: Step[] = [
  {
    said: "Drag over a part of the output: who painted it?",
    done: ({ selected }) => selected.kind === "region",
  },
  {
    said: "Click a place in the output: what was asked there, and what won?",
    done: ({ selected }) => selected.kind === "queries",
  },
  {
    said: "Untick a source: the picture without it, and who takes over.",
    done: ({ change, making }) => making !== "" || change.without.length > 0,
  },
];

/** An offer to be shown around; nothing for those who were. */
export function tour(session: Session): HTMLElement | null {
  if (known()) return null;
  const el = h("span", { class: "kt-tour", role: "status" });
  const steps = STEPS.slice(0, session.host.canTranslate ? STEPS.length : 2);
  let at = -1;
  const end = () => {
    remember();
    el.remove();
  };
  const show = () => {
    const last = at === steps.length - 1;
    el.replaceChildren(
      at < 0
        ? button("New here? Three steps", () => turnTo(0))
        : h("b", {}, `${at + 1} of ${steps.length}: ${steps[at].said}`),
      ...(at >= 0 ? [button(last ? "Done" : "Next", () => (last ? end() : turnTo(at + 1)))] : []),
      button("Dismiss", end, { "aria-label": "Dismiss the first steps" }),
    );
  };
  const turnTo = (step: number) => {
    at = step;
    show();
  };
  session.store.listen(() => {
    if (at >= 0 && el.isConnected && steps[at].done(session.state)) {
      if (at === steps.length - 1) end();
      else turnTo(at + 1);
    }
  });
  show();
  return el;
}

function known(): boolean {
  try {
    return localStorage.getItem(DONE) !== null;
  } catch {
    return true; // where nothing is kept, nobody is asked on every visit
  }
}

function remember(): void {
  try {
    localStorage.setItem(DONE, "yes");
  } catch {
    // asked again the next time
  }
}
