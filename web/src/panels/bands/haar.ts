// Haar bands of pixels, as ktviz/systems/kt/band_pictures.py makes them: one level, details four times as strong around mid-grey.

const GAIN = 4;
const MID_GREY = 128;
/** One row per band over a 2x2 block (top left, top right, bottom left, bottom right), for means. */
const HAAR = [
  [1, 1, 1, 1],
  [-1, 1, -1, 1],
  [-1, -1, 1, 1],
  [1, -1, -1, 1],
].map((row) => row.map((sign) => sign / 4));

/** The band (0 to 3: LL, LH, HL, HH) of RGBA pixels with even sides, as RGBA pixels of half the side. */
export function haarBand(
  pixels: Uint8ClampedArray,
  width: number,
  height: number,
  band: number,
): Uint8ClampedArray<ArrayBuffer> {
  const found = new Uint8ClampedArray(width * height);
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      const corners = [y * width + x, y * width + x + 1, (y + 1) * width + x, (y + 1) * width + x + 1];
      const to = (y / 2) * (width / 2) + x / 2;
      for (let channel = 0; channel < 3; channel++) {
        const value = corners.reduce((sum, at, n) => sum + HAAR[band][n] * pixels[4 * at + channel], 0);
        found[4 * to + channel] = band === 0 ? value : MID_GREY + GAIN * value;
      }
      found[4 * to + 3] = 255;
    }
  }
  return found;
}
