// What Python says of a map before anything is asked for (ktviz/widgets/library_map/library_map.py).

import { OTHER, SOURCE_COLOURS } from "../core/colours";
import { Packed } from "../core/packed";

export interface MapSource {
  source: number;
  title: string;
  creator: string;
  licence: string;
  bank: string;
  count: number;
  group: number;
}

export interface MapScene {
  title: string;
  what: string;
  count: number;
  sources: MapSource[];
  unlisted: number;
  deepest: number;
  /** Whether drawings can be searched for. */
  draws: boolean;
  traced: boolean;
}

export interface Neighbour {
  number: number;
  likeness: number;
  place: [number, number];
  group: number;
}

export function sceneOf(bytes: DataView): MapScene {
  return Packed.read(bytes).values as unknown as MapScene;
}

export function colourOf(group: number): string {
  return SOURCE_COLOURS[group] ?? OTHER;
}
