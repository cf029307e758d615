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
  planes?: boolean;
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
    const [buffer, at] = part.planes
      ? [whole(new Uint8Array(this.buffer, this.start + part.at, part.bytes), Type.BYTES_PER_ELEMENT), 0]
      : [this.buffer, this.start + part.at];
    const stored = new Type(buffer, at, part.bytes / Type.BYTES_PER_ELEMENT);
    return part.differences ? summed(stored, part.shape) : stored;
  }

  private part(name: string): Described {
    const part = this.parts[name];
    if (!part) throw new Error(`no part ${name} in what Python sent`);
    return part;
  }
}

/** Numbers from their first bytes, their second bytes, and so on. */
function whole(planes: Uint8Array, width: number): ArrayBuffer {
  const found = new Uint8Array(planes.length);
  const count = planes.length / width;
  for (let byte = 0; byte < width; byte++)
    for (let n = 0; n < count; n++) found[n * width + byte] = planes[byte * count + n];
  return found.buffer;
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

/** A container within gzip, as base64. */
export function fromText(text: string): Promise<Packed> {
  return fromZip(Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0)));
}

/** A container within gzip. */
export async function fromZip(zipped: Uint8Array | DataView): Promise<Packed> {
  return Packed.read(await unzipped(zipped));
}

/** What gzip made small. */
export function unzipped(zipped: Uint8Array | DataView): Promise<ArrayBuffer> {
  const stream = new Blob([zipped as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
