// Ranking candidates by other band weights: the same formula as ktviz/explain/bands.py.

export const BANDS = ["LL", "LH", "HL", "HH"] as const;

/**
 * Similarity of a query and an entry for some band weights: with q and p the parts of norm in each band and c the cosine
 * within it, Σ w c q p / (√Σ w q² √Σ w p²); 0 where the weighted bands hold nothing.
 */
export function similarity(
  weights: ArrayLike<number>,
  cosine: ArrayLike<number>,
  query: ArrayLike<number>,
  entry: ArrayLike<number>,
): number {
  let dot = 0;
  let [normQuery, normEntry] = [0, 0];
  for (let band = 0; band < 4; band++) {
    dot += weights[band] * cosine[band] * query[band] * entry[band];
    normQuery += weights[band] * query[band] ** 2;
    normEntry += weights[band] * entry[band] ** 2;
  }
  const norm = Math.sqrt(normQuery * normEntry);
  return norm > 0 ? dot / norm : 0;
}

export interface Bands {
  /** (n, k, 4) cosine within each band. */
  cosine: Float32Array;
  /** (n, k, 4) parts of norm of the candidates. */
  entry: Float32Array;
  /** (n, 4) parts of norm of the queries. */
  query: Float32Array;
  k: number;
}

/** Similarities of the candidates of one of some retrievals, in the order of ranks; NaN where there are fewer. */
export function rescored(bands: Bands, row: number, weights: ArrayLike<number>): number[] {
  const query = bands.query.subarray(4 * row, 4 * row + 4);
  return Array.from({ length: bands.k }, (_, slot) => {
    const at = 4 * (row * bands.k + slot);
    const cosine = bands.cosine.subarray(at, at + 4);
    return Number.isNaN(cosine[0]) ? Number.NaN : similarity(weights, cosine, query, bands.entry.subarray(at, at + 4));
  });
}

/** Slots by falling similarity; equal ones stay in the order of ranks; missing ones are left out. */
export function order(similarities: ArrayLike<number>): number[] {
  return Array.from({ length: similarities.length }, (_, slot) => slot)
    .filter((slot) => !Number.isNaN(similarities[slot]))
    .sort((one, other) => similarities[other] - similarities[one] || one - other);
}

export function sameWeights(one: ArrayLike<number>, other: ArrayLike<number>): boolean {
  return [0, 1, 2, 3].every((band) => one[band] === other[band]);
}
