// The panels of the bundle; where they stand and when they appear is said by the scene. Those of single systems are in
// files of their own: see `further.ts`.

import type { Panel } from "../core/panel";
import { bands } from "./bands";
import { sources } from "./sources";
import { table } from "./table";
import { translation } from "./translation";
import { tree } from "./tree";

export const PANELS: readonly Panel[] = [translation, sources, tree, bands, table];
