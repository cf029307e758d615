// Panels that only some systems have: each in a file of its own (web/build.mjs), which stands before the bundle where a
// view needs it.

import type { Panel } from "./core/panel";
import * as shared from "./core/shared";

/** What such a file makes: from what hands it the shared modules, its exports. */
type Factory = (require: () => typeof shared) => Record<string, Panel>;

declare global {
  var ktvizPanels: Record<string, Factory> | undefined;
}

/** Those that are here. */
export function further(): Panel[] {
  return Object.entries(globalThis.ktvizPanels ?? {}).map(([name, make]) => make(() => shared)[name]);
}
