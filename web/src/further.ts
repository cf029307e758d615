// Files that stand before the bundle where a view needs them (web/build.mjs): panels that only some systems have, what only
// an exported page does, and several views as one.

import type { Model } from "./core/kernel";
import type { Panel } from "./core/panel";
import * as shared from "./core/shared";

/** What such a file makes: from what hands it the shared modules, its exports. */
type Factory<Exports> = (require: () => typeof shared) => Exports;
type Page = { startPage(panels: readonly Panel[], frames?: unknown): Promise<void> };
type Compare = { render(model: Model, el: HTMLElement, panels: () => Panel[]): Promise<() => void> };

declare global {
  var ktvizFiles: Record<string, Factory<Record<string, unknown>>> | undefined;
}

const [PAGE, COMPARE] = ["page", "compare"];

/** The panels that are here. */
export function further(): Panel[] {
  const files = Object.entries(globalThis.ktvizFiles ?? {}).filter(([name]) => name !== PAGE && name !== COMPARE);
  return files.map(([name, make]) => make(() => shared)[name] as Panel);
}

/** What draws several views as one, if that is here. */
export function comparing(): Compare | undefined {
  return globalThis.ktvizFiles?.[COMPARE]?.(() => shared) as Compare | undefined;
}

/** Draw the exported page that this is, if it is one. */
export async function startPage(panels: readonly Panel[]): Promise<void> {
  const page = globalThis.ktvizFiles?.[PAGE]?.(() => shared) as Page | undefined;
  await page?.startPage(panels, comparing());
}
