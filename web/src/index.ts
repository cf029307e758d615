// Entry: a module that anywidget loads in notebooks, and that starts itself in an exported page.

import type { Model } from "./core/kernel";
import { drawLive } from "./core/live";
import type { Panel } from "./core/panel";
import { comparing, further, startPage } from "./further";
import { PANELS } from "./panels";

/** A live view; draws from the model's state alone, so that it can be drawn again at any time. */
function render({ model, el }: { model: Model; el: HTMLElement }): Promise<() => void> {
  const compare = model.get("_views") ? comparing() : undefined;
  return compare ? compare.render(model, el, panels) : drawLive(model, el, panels);
}

/** All that are here. */
function panels(): Panel[] {
  return [...PANELS, ...further()];
}

void startPage(panels());

export default { render };
