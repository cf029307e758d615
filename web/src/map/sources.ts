// The sources of a map: the largest with their colours; one of these can be shown alone.

import { chip, count, h, words } from "../core/dom";
import { colourOf, type MapScene } from "./scene";

const OTHERS = 255;

export class SourceList {
  readonly el: HTMLElement;
  private chosen: number | null = null;

  constructor(
    scene: MapScene,
    private readonly onGroup: (group: number | null) => void,
  ) {
    const named = scene.sources.filter(({ group }) => group !== OTHERS);
    const rest = scene.sources.length - named.length + scene.unlisted;
    const rows = named.map(({ group, title, count: size }) => this.row(group, title, count(size)));
    if (rest) rows.push(this.row(OTHERS, `${count(rest)} others`, ""));
    this.el = h("section", { class: "kt-maplegend", "aria-label": "Sources" }, h("h3", {}, "Sources"), ...rows);
  }

  private row(group: number, title: string, size: string): HTMLElement {
    const turn = () => {
      this.chosen = this.chosen === group ? null : group;
      for (const el of this.el.querySelectorAll("button"))
        el.setAttribute("aria-pressed", String(el === row && this.chosen === group));
      this.onGroup(this.chosen);
    };
    const row = h(
      "button",
      { type: "button", class: "kt-mapsource", "aria-pressed": "false", title: "Show alone", onclick: turn },
      chip(colourOf(group)),
      h("span", {}, words(title)),
      h("span", { class: "kt-faint" }, size),
    );
    return row;
  }
}
