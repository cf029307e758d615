// What a source is called, the same everywhere: its title in its colour, and where a person points, its file.

import { chip, h, words } from "./dom";
import type { Scene, Source } from "./scene";

/** The title of a source behind a spot of its colour. */
export function named(scene: Scene, source: number): HTMLElement {
  const about: Source | undefined = scene.about.sources[source];
  return h(
    "span",
    { class: "kt-name", title: about ? fileOf(about) : null },
    chip(scene.palette.of(source)),
    h("span", { class: "kt-title" }, words(about?.title ?? "unknown")),
  );
}

/** Title and file of a source, where these differ. */
export function fileOf({ title, name }: Source): string {
  return title === name ? name : `${title} (${name})`;
}

/** Who made a source, and under which licence it is; what is not known is said once. */
export function creditOf({ creator, licence }: Source): string {
  const known = [creator, licence].filter((one) => one !== "unknown");
  return known.length ? known.join(" · ") : "creator and licence unknown";
}
