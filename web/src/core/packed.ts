// The container that Python packs (ktviz/widgets/packing.py): a JSON header, then aligned arrays and files.

export type Column = Uint8Array | Int16Array | Uint16Array | Int32Array | Float32Array;

const TYPES = {
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  float32: Float32Array,
} as const;
const ALIGNMENT = 8;

interface Described {
  type: keyof typeof TYPES;
  shape: number[];
  at: number;
  bytes: number;
  differences?: boolean;
  column?: Column;
}

export class Packed {
  private constructor(
    readonly values: Record<string, unknown>,
    private readonly parts: Record<string, Described>,
    private readonly buffer: ArrayBuffer,
    private readonly start: number,
  ) {}

  /** Read a container; the bytes may lie anywhere in a larger buffer. */
  static read(bytes: Uint8Array | DataView | ArrayBuffer): Packed {
    const view = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
    const whole = new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
    // Typed arrays begin at multiples of their size: what lies askew in a message is copied once.
    const aligned = whole.byteOffset % ALIGNMENT === 0 ? whole : whole.slice();
    const length = new DataView(aligned.buffer, aligned.byteOffset).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(aligned.subarray(4, 4 + length)));
    const { parts, ...values } = header;
    return new Packed(values, parts, aligned.buffer, aligned.byteOffset + 4 + length);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.parts, name);
  }

  names(prefix = ""): string[] {
    return Object.keys(this.parts).filter((name) => name.startsWith(prefix));
  }

  shape(name: string): number[] {
    return this.part(name).shape;
  }

  column<T extends Column = Column>(name: string): T {
    const part = this.part(name);
    return (part.column ??= this.unpacked(part)) as T;
  }

  private unpacked(part: Described): Column {
    const Type = TYPES[part.type];
    const stored = new Type(this.buffer, this.start + part.at, part.bytes / Type.BYTES_PER_ELEMENT);
    return part.differences ? summed(stored, part.shape) : stored;
  }

  private part(name: string): Described {
    const part = this.parts[name];
    if (!part) throw new Error(`no part ${name} in what Python sent`);
    return part;
  }
}

/** A part from the differences of its rows: their bits are whole numbers, whose sums wrap around as in Python. */
function summed(stored: Column, shape: number[]): Column {
  const Bits = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[stored.BYTES_PER_ELEMENT as 1 | 2 | 4];
  const found = stored.slice();
  const bits = new Bits(found.buffer);
  const across = shape.slice(1).reduce((product, length) => product * length, 1);
  for (let n = across; n < bits.length; n++) bits[n] += bits[n - across];
  return found;
}

/** Bytes of a base64 text, unpacked from gzip. */
export async function fromText(text: string): Promise<Packed> {
  const raw = Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0));
  return Packed.read(await unzipped(raw));
}

/** What gzip made small. */
export function unzipped(zipped: Uint8Array): Promise<ArrayBuffer> {
  const stream = new Blob([zipped as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
