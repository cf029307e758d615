// How pictures share the room there is: beside each other, one under the other, or both, whichever shows them largest.

/** A picture's sides, in any unit. */
export interface Sides {
  readonly width: number;
  readonly height: number;
}

export interface Arrangement {
  /** How many stand beside each other. */
  columns: number;
  /** Of each, in px of the screen. */
  width: number;
}

/**
 * @param pictures in the order in which they are shown; all get the same width
 * @param room for all of them, in px of the screen
 * @param between what lies between two, and what stands above each (its caption), in px
 */
export function arrange(
  pictures: readonly Sides[],
  room: Sides,
  between: { gap: number; caption: number },
): Arrangement {
  let best: Arrangement = { columns: 1, width: 0 };
  for (let columns = 1; columns <= pictures.length; columns++) {
    const rows = rowsOf(pictures, columns);
    const across = (room.width - between.gap * (columns - 1)) / columns;
    const rest = room.height - between.gap * (rows.length - 1) - between.caption * rows.length;
    const tall = rows.reduce((sum, row) => sum + Math.max(...row.map(({ width, height }) => height / width)), 0);
    const width = Math.floor(Math.min(across, rest / tall));
    if (width >= best.width) best = { columns, width }; // of equal ones the one that is less tall
  }
  return { ...best, width: Math.max(1, best.width) };
}

function rowsOf(pictures: readonly Sides[], columns: number): Sides[][] {
  const rows: Sides[][] = [];
  for (let first = 0; first < pictures.length; first += columns) rows.push(pictures.slice(first, first + columns));
  return rows;
}
