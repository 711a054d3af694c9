/**
 * Candidates for likeness without comparing all pairs: what has a key in common (locality sensitive
 * hashing; Indyk and Motwani, STOC 1998).
 */

/** A drawer with more entries than this holds what is common, not what is copied. */
const DRAWER_SIZE = 96;

/** Bits of a key for so many entries: about one entry a drawer, in at most 16 MB of drawers. */
export function keyBitsFor(entries: number, { least }: { least: number }): number {
  return Math.min(Math.max(Math.ceil(Math.log2(entries + 1)), least), 22);
}

/**
 * Pairs with equal keys, as indices into `stored` and `queries`.
 *
 * Stored entries are sorted into 2^keyBits drawers by counting; overfull ones stay shut, so the time
 * is linear in the entries whatever the keys are.
 */
export function* sharedKeys(
  stored: ArrayLike<number>,
  queries: ArrayLike<number>,
  { keyBits }: { keyBits: number },
): Iterable<readonly [stored: number, query: number]> {
  const start = new Uint32Array(2 ** keyBits + 1);
  for (let i = 0; i < stored.length; i++) start[stored[i] + 1]++;
  for (let key = 0; key < 2 ** keyBits; key++) start[key + 1] += start[key];
  const filled = start.slice(0, -1);
  const order = new Uint32Array(stored.length);
  for (let i = 0; i < stored.length; i++) order[filled[stored[i]]++] = i;
  for (let query = 0; query < queries.length; query++) {
    const key = queries[query];
    if (start[key + 1] - start[key] > DRAWER_SIZE) continue;
    for (let i = start[key]; i < start[key + 1]; i++) yield [order[i], query];
  }
}

/** Two items that are copies of one another; a < b. */
export interface Match {
  readonly a: number;
  readonly b: number;
  /** More is liker. */
  readonly likeness: number;
}

/** Keeps the likest match of each pair. */
export function collectMatches<M extends Match>(): { add(match: M): void; list(): M[] } {
  const best = new Map<number, Map<number, M>>();
  return {
    add(match) {
      const known = best.get(match.a) ?? new Map<number, M>();
      best.set(match.a, known);
      const other = known.get(match.b);
      if (other === undefined || match.likeness > other.likeness) known.set(match.b, match);
    },
    list: () =>
      [...best.values()]
        .flatMap((row) => [...row.values()])
        .sort((m, n) => m.b - n.b || n.likeness - m.likeness || m.a - n.a),
  };
}
