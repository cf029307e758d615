// A patch to be drawn, 16 x 16 px, and searched for.

import { button, h } from "../core/dom";
import type { Packed } from "../core/packed";
import type { Ask } from "./ask";

const SIDE = 16;
const BRUSHES = { fine: 0.7, broad: 2.2 };

export class Pad {
  readonly el: HTMLElement;
  private readonly canvas = h("canvas", {
    class: "kt-mappad",
    width: SIDE,
    height: SIDE,
    role: "img",
    "aria-label": "A patch to draw on",
  });
  private readonly colour = h("input", { type: "color", value: "#2b5f9e", "aria-label": "Colour" });
  private readonly brush = h(
    "select",
    { "aria-label": "Brush" },
    ...Object.keys(BRUSHES).map((name) => h("option", { value: name }, name)),
  );
  private drawing = false;

  constructor(ask: Ask, onFound: (search: Promise<Packed>) => void) {
    const search = () => onFound(ask.ask("drawing", {}, [this.pixels()]));
    this.fill("#d8d2c4");
    const fill = button("Fill", () => this.fill(this.colour.value));
    const tools = h("div", { class: "kt-mappadtools" }, this.colour, this.brush, fill, button("Search", search));
    this.el = h(
      "section",
      { class: "kt-mapdraw", "aria-label": "Draw a patch" },
      h("h3", {}, "Draw a patch"),
      this.canvas,
      tools,
    );
    this.canvas.addEventListener("pointerdown", (event) => {
      this.drawing = true;
      this.canvas.setPointerCapture(event.pointerId);
      this.paint(event);
    });
    this.canvas.addEventListener("pointermove", (event) => this.drawing && this.paint(event));
    for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => (this.drawing = false));
  }

  private get context(): CanvasRenderingContext2D {
    return this.canvas.getContext("2d", { willReadFrequently: true })!;
  }

  private fill(colour: string): void {
    this.context.fillStyle = colour;
    this.context.fillRect(0, 0, SIDE, SIDE);
  }

  private paint(event: PointerEvent): void {
    const box = this.canvas.getBoundingClientRect();
    const at = (value: number, start: number, size: number) => ((value - start) / size) * SIDE;
    const [x, y] = [at(event.clientX, box.left, box.width), at(event.clientY, box.top, box.height)];
    this.context.fillStyle = this.colour.value;
    this.context.beginPath();
    this.context.arc(x, y, BRUSHES[this.brush.value as keyof typeof BRUSHES], 0, 2 * Math.PI);
    this.context.fill();
  }

  /** Red, green and blue of every pixel. */
  private pixels(): ArrayBuffer {
    const { data } = this.context.getImageData(0, 0, SIDE, SIDE);
    return Uint8Array.from({ length: 3 * SIDE * SIDE }, (_, n) => data[4 * Math.floor(n / 3) + (n % 3)]).buffer;
  }
}
