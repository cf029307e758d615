// What is told of an entry: its patch, its source with its place there, its way down the tree, and its neighbours.

import { button, chip, fitCanvas, h, words } from "../core/dom";
import { strokeTwice } from "../core/patches";
import type { Packed } from "../core/packed";
import { type Ask, decoded } from "./ask";
import { colourOf, type MapScene, type Neighbour } from "./scene";

const PATCH_PX = 72;

interface Told {
  source: { title: string; creator: string; licence: string; bank: string };
  group: number;
  place: [number, number];
  path: [string, number][];
  box: [number, number, number, number] | null;
  size: [number, number];
  neighbours: Neighbour[];
  side: number;
}

export class Card {
  readonly el = h("section", { class: "kt-mapcard", "aria-live": "polite" });
  private wanted = -1;

  constructor(
    private readonly scene: MapScene,
    private readonly ask: Ask,
    private readonly onChoose: (entry: number) => void,
    private readonly onPoint: (found: { place: [number, number] | null; near: readonly Neighbour[] }) => void,
  ) {
    this.nothing();
  }

  async show(entry: number): Promise<void> {
    this.wanted = entry;
    if (entry < 0) {
      this.onPoint({ place: null, near: [] });
      return this.nothing();
    }
    try {
      const packed = await this.ask.ask("entry", { entry });
      if (this.wanted !== entry) return;
      const told = packed.values as unknown as Told;
      this.onPoint({ place: told.place, near: told.neighbours });
      const whole = told.box && (await this.whole(packed, told));
      const { source } = told;
      this.el.replaceChildren(
        h("h3", {}, chip(colourOf(told.group)), words(source.title)),
        h("p", { class: "kt-faint" }, words([source.creator, source.licence, source.bank].filter(known).join(" · "))),
        h("div", { class: "kt-mappatches" }, this.picture(await decoded(packed, "picture"), 0, PATCH_PX), whole),
        h("p", { class: "kt-faint" }, pathOf(this.scene.what, entry, told.path)),
        await this.neighbours(packed, told),
      );
    } catch (error) {
      this.fail(error);
    }
  }

  /** What a search for a drawing found. */
  async found(search: Promise<Packed>): Promise<void> {
    this.wanted = -1;
    try {
      const packed = await search;
      const told = packed.values as unknown as Pick<Told, "neighbours" | "side">;
      this.onPoint({ place: null, near: told.neighbours });
      this.el.replaceChildren(h("h3", {}, "What the drawing finds"), await this.neighbours(packed, told));
    } catch (error) {
      this.fail(error);
    }
  }

  private nothing(): void {
    this.el.replaceChildren(h("p", { class: "kt-faint" }, "Click a point: what it is, and what is most like it."));
  }

  private fail(error: unknown): void {
    const said = error instanceof Error ? error.message : String(error);
    this.el.replaceChildren(h("p", { class: "kt-error", role: "alert" }, said));
  }

  private async neighbours(
    packed: Packed,
    { neighbours, side }: Pick<Told, "neighbours" | "side">,
  ): Promise<HTMLElement> {
    if (!neighbours.length) return h("p", { class: "kt-faint" }, "Nothing else is stored.");
    const sheet = await decoded(packed, "neighbours");
    const rows = neighbours.map(({ number, likeness, group }, row) => {
      const picture = this.picture(sheet, row * side, 44, side);
      picture.style.outline = `2px solid ${colourOf(group)}`;
      const label = `${this.scene.what === "sources" ? "Source" : "Entry"} ${number}, likeness ${likeness.toFixed(3)}`;
      const go = button("", () => this.onChoose(number), { class: "kt-mapnear", "aria-label": label, title: label });
      go.append(picture, h("span", {}, likeness.toFixed(2)));
      return go;
    });
    return h("div", { class: "kt-mapneighbours" }, h("h4", {}, "Most like it"), ...rows);
  }

  private picture(image: ImageBitmap, top: number, side: number, from = image.width): HTMLCanvasElement {
    const canvas = h("canvas", { role: "img", "aria-label": "Patch" });
    [canvas.style.width, canvas.style.height] = [`${side}px`, `${side}px`];
    fitCanvas(canvas, side, side).drawImage(image, 0, top, from, from, 0, 0, side, side);
    return canvas;
  }

  /** The source, with a frame where the entry lies. */
  private async whole(packed: Packed, { box, size, group }: Told): Promise<HTMLCanvasElement> {
    const image = await decoded(packed, "whole");
    const scale = Math.min(180 / image.width, 140 / image.height);
    const [width, height] = [image.width * scale, image.height * scale];
    const canvas = h("canvas", { role: "img", "aria-label": "Its source" });
    [canvas.style.width, canvas.style.height] = [`${width}px`, `${height}px`];
    const context = fitCanvas(canvas, width, height);
    context.drawImage(image, 0, 0, width, height);
    const [x, y, w, t] = box!;
    const [across, down] = [width / size[0], height / size[1]];
    strokeTwice(context, colourOf(group), 2, () => context.strokeRect(x * across, y * down, w * across, t * down));
    return canvas;
  }
}

function known(text: string): boolean {
  return text !== "unknown";
}

function pathOf(what: string, entry: number, path: readonly [string, number][]): string {
  const name = `${what === "sources" ? "Source" : "Entry"} ${entry.toLocaleString("en-US")}`;
  return path.length ? `${name} · down the tree: ${path.map(([, node]) => node).join(" → ")}` : name;
}
