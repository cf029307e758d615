// A part of a source, drawn on its picture: what a translation is to do without.

import { strokeTwice } from "../../core/patches";
import type { Box } from "../../core/scene";

/** Shorter ways of the pointer are clicks. */
const LEAST_PX = 5;

export class PartDrawing {
  /** The part, of a picture that is 1 wide and 1 high; null without one. */
  box: Box | null = null;
  private start: [number, number] | null = null;
  private moved = false;

  /**
   * @param can whether parts can be left out now
   * @param changed called when a part was drawn, or taken back
   */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly can: () => boolean,
    private readonly changed: () => void,
  ) {
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", () => (this.start = null));
    canvas.addEventListener("pointercancel", () => (this.start = null));
  }

  /** Whether the click that comes now ends a drawing, and is none of its own. */
  ended(): boolean {
    const { moved } = this;
    this.moved = false;
    if (!moved && this.box) this.clear();
    return moved;
  }

  clear(): void {
    this.box = null;
    this.changed();
  }

  /** Mark the part on the picture, which is drawn so large. */
  paint(context: CanvasRenderingContext2D, width: number, height: number): void {
    if (!this.box) return;
    const { x, y, width: across, height: down } = this.box;
    const box = [x * width, y * height, across * width, down * height] as const;
    context.fillStyle = "rgba(0, 0, 0, 0.45)";
    context.fillRect(...box);
    strokeTwice(context, "#fff", 1.5, () => context.strokeRect(...box), [4, 3]);
  }

  private begin(event: PointerEvent): void {
    // A finger scrolls the list.
    if (!this.can() || event.button !== 0 || event.pointerType === "touch") return;
    this.start = this.at(event);
    this.canvas.setPointerCapture(event.pointerId);
  }

  private move(event: PointerEvent): void {
    if (!this.start) return;
    const [from, to] = [this.start, this.at(event)];
    const { width, height } = this.canvas.getBoundingClientRect();
    const [across, down] = [Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])];
    if (Math.max(across * width, down * height) < LEAST_PX) return;
    this.moved = true;
    this.box = { x: Math.min(from[0], to[0]), y: Math.min(from[1], to[1]), width: across, height: down };
    this.changed();
  }

  private at(event: PointerEvent): [number, number] {
    const rect = this.canvas.getBoundingClientRect();
    const within = (value: number) => Math.min(1, Math.max(0, value));
    return [within((event.clientX - rect.left) / rect.width), within((event.clientY - rect.top) / rect.height)];
  }
}

/** A part of a picture of so many px, in whole px of it: at least one. */
export function wholePx({ x, y, width, height }: Box, across: number, down: number): Box {
  const [left, top] = [Math.min(across - 1, Math.floor(x * across)), Math.min(down - 1, Math.floor(y * down))];
  const [right, bottom] = [Math.ceil((x + width) * across), Math.ceil((y + height) * down)];
  return {
    x: left,
    y: top,
    width: Math.max(1, Math.min(across, right) - left),
    height: Math.max(1, Math.min(down, bottom) - top),
  };
}

/** Boxes that cover the same and no more, fewer where one lies within another. */
export function joined(boxes: readonly Box[]): Box[] {
  const within = (one: Box, other: Box) =>
    one.x >= other.x &&
    one.y >= other.y &&
    one.x + one.width <= other.x + other.width &&
    one.y + one.height <= other.y + other.height;
  const found: Box[] = [];
  const largest = [...boxes].sort((one, other) => other.width * other.height - one.width * one.height);
  for (const box of largest) if (!found.some((other) => within(box, other))) found.push(box);
  return found;
}
