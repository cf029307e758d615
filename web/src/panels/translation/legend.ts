// What the colours of an overlay mean: its scale, or the sources.

import { cividis } from "../../core/colours";
import { chip, h, percent, words } from "../../core/dom";
import { OVERLAYS, overlaysOf, scaleOf } from "./overlay";
import type { Scene } from "../../core/scene";
import type { Overlay } from "../../core/store";

const WIDTH = 120;

/** The legend of an overlay; nothing where there is none. */
export function legendOf(scene: Scene, overlay: Overlay): (Node | string)[] {
  const { tells } = OVERLAYS[overlay];
  if (!tells) return [];
  if (!overlaysOf(scene).includes(overlay)) return [`Not known of this translation: ${tells.toLowerCase()}`];
  const { low, high } = scaleOf(scene, overlay);
  const said = overlay === "similarity" && !scene.about.can.bands ? "Similarity of the winner" : tells;
  const scale = high ? [h("span", { class: "kt-key" }, low, bar(low, high), high)] : [];
  return [h("span", {}, said), ...scale, ...(!high && overlay === "source" ? sources(scene) : [])];
}

function bar(low: string, high: string): HTMLCanvasElement {
  const made = h("canvas", {
    width: WIDTH,
    height: 1,
    class: "kt-scale",
    role: "img",
    "aria-label": `Scale from ${low} to ${high}`,
  });
  const context = made.getContext("2d")!;
  for (let x = 0; x < WIDTH; x++) {
    context.fillStyle = `rgb(${cividis(x / (WIDTH - 1)).join(",")})`;
    context.fillRect(x, 0, 1, 1);
  }
  return made;
}

function sources(scene: Scene): HTMLElement[] {
  return scene.about.sources
    .filter((source) => source.share !== 0 && source.colour >= 0)
    .map((source) =>
      h("span", { class: "kt-key" }, chip(source.colour), words(source.title), ` ${percent(source.share)}`),
    );
}
