// Where each cell of every output comes from: what the page of a bench holds, and what it says of a cell.

export interface SystemOrigins {
  // Per cell of the output, row by row, which of the distributions is its own.
  rows: number[];
  // Each distribution: places and their parts in 10,000, by turns, largest first.
  parts: number[][];
  // Per cell, in 10,000, what came from sources that are not shown.
  elsewhere: number[];
  // Per cell, in 10,000, what is the input's own; all other parts are of the rest.
  own: number[];
}

export interface Origins {
  cells: number;
  // Titles of the sources that are shown, in the order of their places.
  sources: string[];
  systems: Record<string, SystemOrigins>;
}

// A place (source by source, row by row) and its part in 10,000.
export type Part = [number, number];

export function partsOf(origins: Origins, system: string, cell: number): Part[] {
  const known = origins.systems[system];
  const found = known?.parts[known.rows[cell] ?? -1] ?? [];
  return Array.from({ length: found.length / 2 }, (_, n) => [found[2 * n]!, found[2 * n + 1]!]);
}

export function said(origins: Origins, system: string, cell: number): string {
  const known = origins.systems[system];
  const own = known?.own[cell] ?? 0;
  const elsewhere = known?.elsewhere[cell] ?? 0;
  const found = partsOf(origins, system, cell);
  const words = found.length ? [largest(origins, found)] : [];
  if (elsewhere) words.push(`${percent(elsewhere)} from other sources`);
  if (!words.length) return own ? `${percent(own)} is the input's own` : "of no known place";
  return (own ? `${percent(own)} is the input's own; of the rest ` : "") + words.join("; ");
}

function largest(origins: Origins, found: Part[]): string {
  const [place, part] = found[0]!;
  const inside = place % origins.cells ** 2;
  const source = origins.sources.length > 1 ? `${origins.sources[Math.floor(place / origins.cells ** 2)]}, ` : "";
  const where = `${source}${(inside % origins.cells) + 1} across, ${Math.floor(inside / origins.cells) + 1} down`;
  return `${percent(part)} from ${where}${found.length > 1 ? `, the largest of ${found.length} places` : ""}`;
}

export function percent(part: number): string {
  if (part < 5) return "less than 0.1 %";
  return part >= 995 ? `${Math.round(part / 100)} %` : `${(part / 100).toFixed(1)} %`;
}

// How dark each cell of a source is, from 0 to 255: not at all where most comes from, `deepest` where nothing does.
export function shades(origins: Origins, system: string, source: number, cell: number, deepest: number): number[] {
  const each = origins.cells ** 2;
  const found = partsOf(origins, system, cell);
  const most = found[0]?.[1] ?? 1;
  const dark = new Array<number>(each).fill(deepest);
  for (const [place, part] of found) {
    const inside = place - source * each;
    if (inside >= 0 && inside < each) dark[inside] = Math.round(deepest * (1 - part / most));
  }
  return dark;
}

// The cell at a point of a picture, in parts of its sides.
export function cellAt(cells: number, x: number, y: number): number {
  const [across, down] = [x, y].map((part) => Math.min(cells - 1, Math.max(0, Math.floor(part * cells))));
  return down! * cells + across!;
}

const STEPS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

// The cell that a key leads to: the same at an edge; null for a key that leads nowhere.
export function stepped(cells: number, cell: number, key: string): number | null {
  const step = STEPS[key];
  if (!step) return null;
  const [across, down] = [(cell % cells) + step[0], Math.floor(cell / cells) + step[1]];
  return across < 0 || across >= cells || down < 0 || down >= cells ? cell : down * cells + across;
}
