// The library map: an anywidget module of its own.

import { h } from "../core/dom";
import { followTheme } from "../core/theme";
import { Ask, type MapModel } from "./ask";
import { Card } from "./card";
import { Pad } from "./pad";
import { sceneOf } from "./scene";
import { SourceList } from "./sources";
import { MapView } from "./view";

function render({ model, el }: { model: MapModel; el: HTMLElement }): () => void {
  const scene = sceneOf(model.get("_scene"));
  const ask = new Ask(model);
  let chosen: number | null = null;
  const choose = (entry: number) => {
    turnTo(entry);
    model.set("_entry", entry);
    model.save_changes();
  };
  const turnTo = (entry: number) => {
    if (entry === chosen) return; // its own words come back
    chosen = entry;
    view.select(entry);
    void card.show(entry);
  };
  const card = new Card(scene, ask, choose, (near) => view.point(near));
  const view = new MapView(scene, ask, choose);
  const list = new SourceList(scene, (group) => view.only(group));
  const pad = scene.draws ? new Pad(ask, (found) => card.found(found)) : null;
  const side = h("div", { class: "kt-mapside" }, card.el, list.el, pad?.el);
  const said = `${scene.count.toLocaleString("en-US")} ${scene.what}`;
  const head = h(
    "header",
    { class: "kt-header" },
    h("strong", {}, scene.title),
    h("span", { class: "kt-faint" }, said),
  );
  const root = h("div", { class: "kt-view kt-map" }, head, h("div", { class: "kt-mapbody" }, view.el, side));
  el.replaceChildren(root);
  const calls = {
    _marked: () => view.mark(model.get("_marked")),
    _entry: () => turnTo(model.get("_entry")),
  };
  for (const [name, call] of Object.entries(calls)) {
    model.on(`change:${name}`, call);
    call();
  }
  const ends = [followTheme(root), view.start(), () => ask.close()];
  return () => {
    for (const [name, call] of Object.entries(calls)) model.off(`change:${name}`, call);
    for (const end of ends) end();
  };
}

export default { render };
