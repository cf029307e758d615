// The retrieval under the pointer: which is nearest to each cell of the grid that all boxes span; of regions, whose it is.

import { rounded, type Scene } from "./scene";

/** Place of the retrieval nearest to each cell of the grid that the boxes span. */
export class Cells {
  readonly width: number;
  readonly height: number;
  readonly place: Int32Array;
  /** Side of a cell in px of the image. */
  readonly side: number;

  constructor(scene: Scene) {
    const { regions } = scene;
    this.side = regions ? 1 : cellSide(scene);
    this.width = Math.ceil(scene.width / this.side);
    this.height = Math.ceil(scene.height / this.side);
    this.place = new Int32Array(this.width * this.height).fill(-1);
    regions?.map.forEach((region, cell) => (this.place[cell] = regions.places[region][0] ?? -1));
    if (regions) return;
    // First all of every box, then its middle, which no neighbour has a better claim to.
    for (const part of [1, 0.5]) {
      for (let place = 0; place < scene.count; place++) this.fill(scene, place, part);
    }
  }

  /** The retrieval nearest to a pixel of the image, -1 for none. */
  at(x: number, y: number): number {
    const [column, row] = [Math.floor(x / this.side), Math.floor(y / this.side)];
    const inside = column >= 0 && row >= 0 && column < this.width && row < this.height;
    return inside ? this.place[row * this.width + column] : -1;
  }

  private fill(scene: Scene, place: number, part: number): void {
    const box = scene.boxOf(place);
    const edge = (start: number, length: number, sign: number) =>
      rounded((start + (length * (1 + sign * part)) / 2) / this.side);
    const [left, right] = [edge(box.x, box.width, -1), Math.min(this.width, edge(box.x, box.width, 1))];
    const [top, bottom] = [edge(box.y, box.height, -1), Math.min(this.height, edge(box.y, box.height, 1))];
    for (let y = Math.max(0, top); y < bottom; y++)
      this.place.fill(place, y * this.width + left, y * this.width + right);
  }
}

/** The largest side, in whole px, of which all boxes' quarters are multiples; 1 if there is none. */
function cellSide(scene: Scene): number {
  let side = 0;
  for (let at = 0; at < scene.box.length; at += 4) {
    const right = scene.box[at] + scene.box[at + 2];
    if (right < scene.width) side = greatestDivisor(side, scene.box[at + 2] / 4);
    side = greatestDivisor(side, scene.box[at]);
    if (side <= 1) return 1;
  }
  return side || 1;
}

function greatestDivisor(one: number, other: number): number {
  if (!Number.isInteger(one) || !Number.isInteger(other)) return 1;
  return other === 0 ? one : greatestDivisor(other, one % other);
}
