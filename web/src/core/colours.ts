// The same colours as ktviz/figures/colours.py: Okabe-Ito for sources, cividis for quantities.

export const SOURCE_COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000"];
export const OTHER = "#9A9A9A";

export function sourceColour(colour: number): string {
  return colour >= 0 ? SOURCE_COLOURS[colour] : OTHER;
}

export function rgb(hex: string): [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

// Every fifth of matplotlib's 256 colours; between them linear, at most four levels off.
const CIVIDIS = (
  "00224e002656002a5f002d68003070083370163770203a6f273e6e2e416d34456c3a486c3f4c6c444f6c49536c4e566c" +
  "535a6d575d6d5c616e60646f656870696b716d6f727272747676767a7a787e7d788381798885788d8878928c78969077" +
  "9b9476a09875a59c74aaa073afa471b5a86fbaac6dbfb06bc4b468c9b965cfbd62d4c15fdac65bdfca57e5cf52ead34c" +
  "f0d846f6dd3ffce236fee838"
)
  .match(/.{6}/g)!
  .map((hex) => rgb(`#${hex}`));

/** Colour of a quantity from 0 to 1. */
export function cividis(value: number): [number, number, number] {
  const at = Math.min(1, Math.max(0, value)) * (CIVIDIS.length - 1);
  const low = Math.min(CIVIDIS.length - 2, Math.floor(at));
  const part = at - low;
  const [one, other] = [CIVIDIS[low], CIVIDIS[low + 1]];
  return [0, 1, 2].map((n) => Math.round(one[n] * (1 - part) + other[n] * part)) as [number, number, number];
}
