/**
 * One axis of a resize, in whole numbers: what an output pixel is made of.
 *
 * area      output o covers [o F/T, (o+1) F/T) of F pixels; a pixel counts by what of it is covered
 * bilinear  pixel centres at (i + 1/2); the two nearest pixels, by nearness, edges repeated
 *
 * Weights are integers with the same sum for every output; equal sizes are left as they are.
 */

export interface Axis {
  /** First pixel of each output. */
  readonly first: readonly number[];
  /** For each output the weights of `taps` pixels from the first; 0 where it needs fewer. */
  readonly weights: readonly (readonly number[])[];
  readonly taps: number;
  /** Sum of weights of every output. */
  readonly total: number;
}

/** Largest product of two axes' totals whose mean is still rounded exactly (equation 13). */
export const MAX_TOTAL: number = 2 ** 21;

/** Weights by pixel of one output. */
type Parts = ReadonlyMap<number, number>;

/** The axis from `from` to `to` pixels. */
export function axisFor(
  resize: "area" | "bilinear",
  { from, to }: { from: number; to: number },
): Axis {
  const part = resize === "area" ? areaPart : bilinearPart;
  const outputs = Array.from({ length: to }, (_, o) => part(o, from, to));
  const divisor = outputs.flatMap((parts) => [...parts.values()]).reduce(greatestCommonDivisor);
  const spans = outputs.map((parts) => {
    const pixels = [...parts.keys()];
    return { low: Math.min(...pixels), taps: Math.max(...pixels) - Math.min(...pixels) + 1 };
  });
  const taps = spans.reduce((most, span) => Math.max(most, span.taps), 1);
  const first = spans.map(({ low }) => Math.min(low, from - taps));
  const weights = outputs.map((parts, o) =>
    Array.from({ length: taps }, (_, tap) => (parts.get(first[o] + tap) ?? 0) / divisor),
  );
  const total = weights[0].reduce((sum, weight) => sum + weight, 0);
  return { first, weights, taps, total };
}

/** In units of 1/to pixels. */
function areaPart(o: number, from: number, to: number): Parts {
  const [start, end] = [o * from, (o + 1) * from];
  const parts = new Map<number, number>();
  for (let i = Math.floor(start / to); i * to < end; i++) {
    parts.set(i, Math.min(end, (i + 1) * to) - Math.max(start, i * to));
  }
  return parts;
}

/** In units of 1/(2 to) pixels. */
function bilinearPart(o: number, from: number, to: number): Parts {
  const position = (2 * o + 1) * from - to;
  const low = Math.floor(position / (2 * to));
  const high = position - low * 2 * to;
  const parts = new Map<number, number>();
  for (const [pixel, weight] of [
    [low, 2 * to - high],
    [low + 1, high],
  ]) {
    const inside = Math.max(0, Math.min(from - 1, pixel));
    if (weight > 0) parts.set(inside, (parts.get(inside) ?? 0) + weight);
  }
  return parts;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
