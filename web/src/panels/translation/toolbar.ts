// What stands at the output: overlays, wipe, other pictures, zoom.

import { button, h } from "../../core/dom";
import { saving } from "./export";
import { OVERLAYS, overlaysOf } from "./overlay";
import type { Session } from "../../core/session";
import type { Overlay } from "../../core/store";

/** What the view itself does when it is asked. */
export type Actions = { move: () => void; zoom: (factor: number) => void; fit: () => void; row: () => HTMLElement };

/** The toolbar of a translation view. */
export function toolbar(session: Session, actions: Actions): HTMLElement {
  const { store } = session;
  const wipe = button("Wipe", () => store.set({ wipe: !store.state.wipe }), {
    "aria-pressed": "false",
    class: "kt-wipe",
    title: "Input and output in one picture, on either side of a line",
  });
  const move = button("Move", actions.move, {
    "aria-pressed": "false",
    class: "kt-move",
    title: "Drag moves the picture instead of selecting",
  });
  store.listen((changed) => {
    if (changed.has("wipe")) wipe.setAttribute("aria-pressed", String(store.state.wipe));
  });
  return h(
    "div",
    { class: "kt-toolbar", role: "toolbar", "aria-label": "Translation view" },
    h("span", { class: "kt-tools" }, overlays(session), wipe, ...others(session), saving(session, actions.row)),
    h(
      "span",
      { class: "kt-group" },
      button("−", () => actions.zoom(0.5), { "aria-label": "Zoom out" }),
      button("+", () => actions.zoom(2), { "aria-label": "Zoom in" }),
      button("Fit", actions.fit, { "aria-label": "Fit the whole picture" }),
      move,
    ),
  );
}

function overlays({ store, scene }: Session): HTMLElement {
  const choice = h(
    "select",
    {
      "aria-label": "Overlay",
      onchange: (e: Event) => store.set({ overlay: (e.target as HTMLSelectElement).value as Overlay }),
    },
    ...overlaysOf(scene).map((name) => h("option", { value: name }, OVERLAYS[name].label)),
  );
  store.listen((changed) => {
    if (changed.has("overlay")) choice.value = store.state.overlay;
  });
  return choice;
}

/** A switch for each picture that can stand beside input and output. */
function others({ store, scene }: Session): HTMLElement[] {
  return scene.about.beside.map(({ name, title }) => {
    const show = () => store.set({ beside: store.state.beside === name ? "" : name });
    const shown = button(title, show, { class: "kt-beside", title: "Show it beside input and output" });
    store.listen((changed) => {
      if (changed.has("beside")) shown.setAttribute("aria-pressed", String(store.state.beside === name));
    });
    return shown;
  });
}
