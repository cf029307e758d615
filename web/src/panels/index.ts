// All panels, in the order of the Explorer; where they stand and when they appear is said by the scene.

import type { Panel } from "../core/panel";
import { attributes } from "./attributes";
import { bands } from "./bands";
import { codes } from "./codes";
import { reuse } from "./reuse";
import { sources } from "./sources";
import { space } from "./space";
import { table } from "./table";
import { translation } from "./translation";
import { tree } from "./tree";

export const PANELS: readonly Panel[] = [translation, sources, codes, attributes, reuse, space, tree, bands, table];
