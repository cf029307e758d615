// Small networks of convolutions that a page runs itself (ktviz/networks/portable.py).

/** Channels of a picture or of features, one after the other: (channels, height, width). */
export interface Planes {
  data: Float32Array;
  channels: number;
  height: number;
  width: number;
}

interface Conv {
  kind: "conv";
  weights: string;
  in: number;
  out: number;
  size: number;
  stride: number;
}
export type Layer =
  | Conv
  | { kind: "relu" }
  | { kind: "silu" }
  | { kind: "shuffle"; factor: number }
  | { kind: "residual"; first: Conv; second: Conv };

/** Weights by name: a byte each, and the scale and bias of every output channel. */
export interface Weights {
  weight(name: string): Int8Array;
  numbers(name: string): Float32Array;
}

export function planes(channels: number, height: number, width: number): Planes {
  return { data: new Float32Array(channels * height * width), channels, height, width };
}

export function run(layers: readonly Layer[], input: Planes, weights: Weights): Planes {
  return layers.reduce((at, layer) => step(layer, at, weights), input);
}

function step(layer: Layer, input: Planes, weights: Weights): Planes {
  switch (layer.kind) {
    case "conv":
      return convolved(layer, input, weights);
    case "relu":
      return mapped(input, (value) => (value > 0 ? value : 0));
    case "silu":
      return mapped(input, silu);
    case "shuffle":
      return shuffled(input, layer.factor);
    case "residual": {
      const inner = convolved(layer.first, mapped(input, silu), weights);
      const outer = convolved(layer.second, mapped(inner, silu), weights);
      for (let n = 0; n < outer.data.length; n++) outer.data[n] += input.data[n];
      return outer;
    }
  }
}

function silu(value: number): number {
  return value / (1 + Math.exp(-value));
}

function mapped(input: Planes, change: (value: number) => number): Planes {
  return { ...input, data: input.data.map(change) };
}

/** Borders are reflected, as the networks learned it. */
function padded({ data, channels, height, width }: Planes, by: number): Planes {
  if (!by) return { data, channels, height, width };
  const found = planes(channels, height + 2 * by, width + 2 * by);
  const mirror = (at: number, length: number) => {
    const turned = Math.abs(at);
    return Math.max(0, turned < length ? turned : 2 * (length - 1) - turned);
  };
  const columns = Int32Array.from({ length: found.width }, (_, x) => mirror(x - by, width));
  let to = 0;
  for (let channel = 0; channel < channels; channel++)
    for (let y = 0; y < found.height; y++) {
      const row = (channel * height + mirror(y - by, height)) * width;
      for (let x = 0; x < found.width; x++) found.data[to++] = data[row + columns[x]];
    }
  return found;
}

function convolved(layer: Conv, input: Planes, weights: Weights): Planes {
  const { size, stride } = layer;
  const from = padded(input, size >> 1);
  const found = planes(
    layer.out,
    Math.floor((from.height - size) / stride) + 1,
    Math.floor((from.width - size) / stride) + 1,
  );
  const weight = weights.weight(`${layer.weights}/weight`);
  const [scale, bias] = [weights.numbers(`${layer.weights}/scale`), weights.numbers(`${layer.weights}/bias`)];
  const area = found.height * found.width;
  let tap = 0;
  for (let out = 0; out < layer.out; out++) {
    const plane = found.data.subarray(out * area, (out + 1) * area);
    plane.fill(bias[out]);
    for (let channel = 0; channel < layer.in; channel++)
      for (let dy = 0; dy < size; dy++)
        for (let dx = 0; dx < size; dx++) {
          const by = weight[tap++] * scale[out];
          if (by) add(plane, found, from, by, channel, dy, dx, stride);
        }
  }
  return found;
}

/** One tap of a convolution, for all places of a plane. */
function add(
  plane: Float32Array,
  to: Planes,
  from: Planes,
  by: number,
  channel: number,
  dy: number,
  dx: number,
  stride: number,
): void {
  const { data, width } = from;
  let at = 0;
  for (let y = 0; y < to.height; y++) {
    let source = (channel * from.height + y * stride + dy) * width + dx;
    for (const end = at + to.width; at < end; at++, source += stride) plane[at] += by * data[source];
  }
}

/** Channels become places: (C f f, h, w) to (C, h f, w f). */
function shuffled({ data, channels, height, width }: Planes, factor: number): Planes {
  const found = planes(channels / factor ** 2, height * factor, width * factor);
  let from = 0;
  for (let channel = 0; channel < channels; channel++) {
    const [out, part] = [Math.floor(channel / factor ** 2), channel % factor ** 2];
    const [down, across] = [Math.floor(part / factor), part % factor];
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        found.data[(out * found.height + y * factor + down) * found.width + x * factor + across] = data[from++];
  }
  return found;
}
