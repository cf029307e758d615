// Questions to the Python behind a map, and their answers.

import type { Model } from "../core/kernel";
import { Packed } from "../core/packed";

export interface MapModel extends Model {
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
}

export class Ask {
  private next = 1 + Math.floor(Math.random() * 2 ** 31) * 2 ** 20;
  private readonly pending = new Map<number, { resolve(found: Packed): void; reject(error: Error): void }>();

  constructor(private readonly model: MapModel) {
    model.on("msg:custom", this.hear);
  }

  ask(kind: string, body: Record<string, unknown>, buffers: ArrayBuffer[] = []): Promise<Packed> {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.model.send({ id, kind, body }, undefined, buffers);
    });
  }

  close(): void {
    this.model.off("msg:custom", this.hear);
    this.pending.clear();
  }

  private readonly hear = (content: { id: number; ok: boolean; error?: string[] }, buffers: DataView[]): void => {
    const asked = this.pending.get(content?.id);
    if (!asked) return;
    this.pending.delete(content.id);
    if (content.ok) asked.resolve(Packed.read(buffers[0]));
    else asked.reject(new Error(`${content.error![0]}: ${content.error![1]}. ${content.error![2]}.`));
  };
}

/** A picture out of an answer. */
export function decoded(packed: Packed, name: string): Promise<ImageBitmap> {
  return createImageBitmap(new Blob([packed.column<Uint8Array>(name) as Uint8Array<ArrayBuffer>]));
}
