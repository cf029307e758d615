// What the colours of an overlay mean: its scale, or the sources.

import { chip, h, percent, words } from "../../core/dom";
import { scaleBar } from "../../core/scale";
import { OVERLAYS, overlaysOf, scaleOf } from "./overlay";
import type { Scene } from "../../core/scene";
import type { Overlay } from "../../core/store";

/** The legend of an overlay; nothing where there is none. */
export function legendOf(scene: Scene, overlay: Overlay): (Node | string)[] {
  const { tells } = OVERLAYS[overlay];
  if (!tells) return [];
  if (!overlaysOf(scene).includes(overlay)) return [`Not known of this translation: ${tells.toLowerCase()}`];
  const { low, high } = scaleOf(scene, overlay);
  const said = overlay === "similarity" && !scene.about.can.bands ? "Similarity of the winner" : tells;
  const scale = high ? [h("span", { class: "kt-key" }, low, scaleBar(low, high), high)] : [];
  return [h("span", {}, said), ...scale, ...(!high && overlay === "source" ? sources(scene) : [])];
}

function sources(scene: Scene): HTMLElement[] {
  return scene.about.sources
    .filter((source) => source.share !== 0 && source.colour >= 0)
    .map((source) =>
      h("span", { class: "kt-key" }, chip(source.colour), words(source.title), ` ${percent(source.share)}`),
    );
}
