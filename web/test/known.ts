// What Python says (fixture.json, made by make_fixture.py), as the front end has it.

import { Packed } from "../src/core/packed";
import { Scene } from "../src/core/scene";
import { Kept } from "../src/core/stored";
import { PageHost } from "../src/page/host";
import { PANELS } from "../src/panels";
import { attributes } from "../src/panels/attributes";
import { codes } from "../src/panels/codes";
import { reuse } from "../src/panels/reuse";
import { space } from "../src/panels/space";
import fixture from "./fixture.json";

export const known = fixture;

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

export function sceneOf(text: string): Scene {
  return new Scene(Packed.read(bytesOf(text)));
}

export const world = (): Scene => sceneOf(fixture.world.scene);
export const after = (): Packed => Packed.read(bytesOf(fixture.after.scene));
export const uneven = (): Scene => sceneOf(fixture.uneven.scene);
/** With its label map, which takes a moment to unpack. */
export async function labelled(): Promise<Scene> {
  const scene = sceneOf(fixture.labelled.scene);
  await scene.decode();
  return scene;
}
export const store = (): Packed => Packed.read(bytesOf(fixture.world.store));

/** A page that keeps something about a scene, and no other site. */
export function pageOf(scene: Scene, kept: Packed): PageHost {
  return new PageHost([new Kept(scene, kept)], [...PANELS, attributes, codes, reuse, space], {
    has: () => false,
    show: () => {},
  });
}

/** Whether numbers are nearly those expected; null, which JSON has for NaN, only equals NaN. */
export function near(found: ArrayLike<number>, expected: readonly (number | null)[], tolerance: number): boolean {
  return (
    found.length === expected.length &&
    expected.every((value, n) => (value === null ? Number.isNaN(found[n]) : Math.abs(found[n] - value) <= tolerance))
  );
}
