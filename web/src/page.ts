// An exported page: the scene and all answers that were stored with it, and no Python.

import { Explorer, type Part } from "./explorer";
import { h } from "./dom";
import { fromText } from "./packed";
import { Scene } from "./scene";
import { PageHost } from "./stored";

export async function startPage(): Promise<void> {
  const root = document.getElementById("ktviz-page");
  const [scene, store] = ["ktviz-scene", "ktviz-store"].map((id) => document.getElementById(id)?.textContent);
  if (!root || !scene || !store || root.dataset.state) return;
  const start = performance.now();
  root.dataset.state = "drawing";
  try {
    const [first, second] = await Promise.all([fromText(scene), fromText(store)]);
    const drawn = new Scene(first);
    await drawn.decode();
    const parts = (root.dataset.parts ?? "").split(" ") as Part[];
    const { node, showing: _, ...selected } = JSON.parse(root.dataset.selected ?? "{}");
    new Explorer(root, drawn, new PageHost(drawn, second), parts, start).session.adopt(selected, node ?? null);
  } catch (error) {
    root.replaceChildren(h("p", { class: "kt-error", role: "alert" }, `The page could not be drawn: ${error}`));
    root.dataset.state = "failed";
  }
}
