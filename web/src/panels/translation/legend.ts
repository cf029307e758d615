// What the colours of an overlay mean: its scale, or the sources.

import { OTHER } from "../../core/colours";
import { button, chip, counted, h, percent } from "../../core/dom";
import { named } from "../../core/naming";
import { scaleBar } from "../../core/scale";
import { OVERLAYS, overlaysOf } from "./overlay";
import { scaleOf } from "./quantities";
import type { Scene } from "../../core/scene";
import type { Session } from "../../core/session";

/** The legend of the overlay that is shown; nothing where there is none. */
export function legendOf({ scene, state, store }: Session): (Node | string)[] {
  const { overlay, whole } = state;
  const { tells } = OVERLAYS[overlay];
  if (!tells) return [];
  if (!overlaysOf(scene).includes(overlay)) return [`Not known of this translation: ${tells.toLowerCase()}`];
  const said = overlay === "similarity" && !scene.about.can.bands ? "Similarity of the winner" : tells;
  const scale = scaleOf(scene, overlay, whole);
  if (!scale) return [h("span", {}, said), ...(overlay === "source" ? sources(scene) : [])];
  const turn = button(whole ? "Stretch to these" : "Whole scale", () => store.set({ whole: !whole }), {
    class: "kt-whole",
    title: whole ? "From the least to the most of this translation" : "The same scale for every translation",
  });
  const bar = scaleBar(scale.low, scale.high);
  return [h("span", {}, said), h("span", { class: "kt-key" }, scale.low, bar, scale.high), turn];
}

/** Those with a colour of their own by their shares of the picture, and the others as one. */
function sources(scene: Scene): HTMLElement[] {
  const { about, palette } = scene;
  const gave = [...about.sources.keys()].filter((source) => about.sources[source].share !== 0);
  gave.sort((one, other) => about.sources[other].share - about.sources[one].share);
  const others = gave.filter((source) => palette.isOther(source));
  const share = others.reduce((sum, source) => sum + about.sources[source].share, 0);
  const rest = h("span", { class: "kt-key" }, chip(OTHER), `${counted(others.length, "other")} ${percent(share)}`);
  return [
    ...gave
      .filter((source) => !palette.isOther(source))
      .map((source) => h("span", { class: "kt-key" }, named(scene, source), percent(about.sources[source].share))),
    ...(others.length ? [rest] : []),
  ];
}
