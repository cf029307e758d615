// Entry: a module that anywidget loads in notebooks, and that starts itself in an exported page.

import { Explorer, type Part } from "./explorer";
import { h } from "./dom";
import { KernelHost, type Model } from "./kernel";
import { Packed } from "./packed";
import { startPage } from "./page";
import { Scene } from "./scene";
import type { Selected } from "./store";

/** A live view; draws from the model's state alone, so that it can be drawn again at any time. */
async function render({ model, el }: { model: Model; el: HTMLElement }): Promise<() => void> {
  const start = performance.now();
  const root = h("div");
  el.replaceChildren(root);
  let explorer: Explorer | null = null;
  try {
    const scene = new Scene(Packed.read(model.get("_scene")));
    await scene.decode();
    const host = new KernelHost(
      model,
      scene.about.live,
      (frozen) => explorer?.session.store.set({ frozen: frozen || scene.about.frozen }),
      (error) => explorer?.session.store.set({ error }),
    );
    explorer = new Explorer(root, scene, host, model.get("_parts") as Part[], start);
    const { session } = explorer;
    const compare = () => {
      const bytes = model.get("_after") as DataView | undefined;
      void session.compare(bytes?.byteLength ? Packed.read(bytes) : null);
    };
    const adopt = () => {
      if (JSON.stringify(model.get("_selected")) === session.told) return; // its own words come back
      const { node, showing, ...selected } = model.get("_selected");
      session.adopt(selected.kind ? (selected as Selected) : { kind: "none" }, node ?? null, showing);
    };
    compare();
    adopt();
    model.on("change:_after", compare);
    model.on("change:_selected", adopt);
    return () => {
      model.off("change:_after", compare);
      model.off("change:_selected", adopt);
      explorer?.close();
    };
  } catch (error) {
    root.replaceChildren(h("div", { class: "kt-error", role: "alert" }, `The view could not be drawn: ${error}`));
    root.dataset.state = "failed";
    return () => root.remove();
  }
}

void startPage();

export default { render };
