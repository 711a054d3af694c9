/**
 * Power in mel bands from the bins of a frame, in integers: statements of the loop language.
 *
 * Between two edges the falling part of one band and the rising part of the next add up to 1, and
 * both are straight lines. So the sum of the powers and the sum of these sums, two additions a bin
 * and exact, are the whole filter bank (docs/features.md, 5 and 6).
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Statement,
  type Variable,
} from "../kernel/index.ts";
import { bandLines, edgeBins } from "./mel.ts";
import type { AudioSpec } from "./spec.ts";
import { q31, type Table, table } from "./table.ts";

/**
 * Bits by which bins must be shifted down so that a sum of sums fits s64: powers add up to
 * 3/4 * 2^(2 (30 - spare)), and each is counted once a bin of its segment; one bit is left, so that
 * the high word (timesFraction) is one of 31 bits (equation 7).
 */
export function spareBits(spec: AudioSpec): number {
  const edges = edgeBins(spec);
  const longest = edges.slice(1).reduce((most, edge, j) => Math.max(most, edge - edges[j]), 1);
  return Math.max(0, Math.ceil((Math.log2(0.75 * longest) - 2) / 2));
}

export interface MelSums {
  readonly tables: readonly Table[];
  /** `emit` gets each band and its power, unscaled triangles, bands in order. */
  statements(emit: (band: Expr, energy: Variable) => readonly Statement[]): Statement[];
}

/** Bands of the bins in `points`, s32 [N/2, 2]. */
export function melSums(spec: AudioSpec, points: Buffer): MelSums {
  const { mels } = spec;
  const edges = edgeBins(spec);
  const counts = edges.slice(1).map((edge, j) => edge - edges[j]);
  const bins = table("bins", "s16", { shape: [mels + 1], values: counts });
  const lines = bandLines(spec).flatMap(({ last, slope }) => [q31(last), q31(slope)]);
  const falling = table("falling", "s32", { shape: [mels + 1, 2], values: lines });
  const wide = (name: string): Variable => b.variable(name, "s64");
  const [total, moment, fall, carried, energy] = [
    ...[wide("total"), wide("moment"), wide("fall")],
    ...[wide("carried"), wide("energy")],
  ];
  const [last, slope, first, count] = ["last", "slope", "first", "count"].map((name) =>
    b.variable(name, "s32"),
  );
  return {
    tables: [bins, falling],
    statements: (emit) => [
      b.declare(carried, 0),
      b.declare(first, edges[0]),
      b.loop("segment", mels + 1, (segment) => [
        b.declare(count, b.load(bins.buffer, segment)),
        ...addPowers(points, { first, count, total, moment }),
        b.declare(last, b.load(falling.buffer, segment, 0)),
        b.declare(slope, b.load(falling.buffer, segment, 1)),
        ...timesFraction(fall, [
          [total, last],
          [moment, slope],
        ]),
        b.when(b.less(0, segment), [
          b.declare(energy, b.add(carried, fall)),
          ...emit(b.sub(segment, 1), energy),
        ]),
        b.set(carried, b.sub(total, fall)),
      ]),
    ],
  };
}

interface Segment {
  /** Moved on behind the segment. */
  readonly first: Variable;
  readonly count: Variable;
  readonly total: Variable;
  readonly moment: Variable;
}

/** The next `count` bins, two at a time, and the last one alone if their number is odd. */
function addPowers(points: Buffer, { first, count, total, moment }: Segment): Statement[] {
  const sums = { total, moment };
  const pairs = b.variable("pairs", "s32");
  return [
    b.declare(total, 0),
    b.declare(moment, 0),
    b.declare(pairs, b.shr(count, 1)),
    b.loop("pair", pairs, (pair) => {
      const k = b.add(first, b.mul(pair, 2));
      return [...addPower(points, k, "bin", sums), ...addPower(points, b.add(k, 1), "next", sums)];
    }),
    b.set(first, b.add(first, b.mul(pairs, 2))),
    b.when(b.bitAnd(count, 1), [
      ...addPower(points, first, "odd", sums),
      b.set(first, b.add(first, 1)),
    ]),
  ];
}

/** Bin k: each sum so far once more into the sum of sums, then its power into the sum. */
function addPower(
  points: Buffer,
  k: Expr,
  name: string,
  { total, moment }: Pick<Segment, "total" | "moment">,
): Statement[] {
  const parts = ["re", "im"].map((part) => b.variable(`${name}_${part}`, "s32"));
  const squared = (value: Variable): Expr =>
    b.mul(b.unary("toS64", value), b.unary("toS64", value));
  return [
    ...parts.map((part, i) => b.declare(part, b.load(points, k, i))),
    b.set(moment, b.add(moment, total)),
    ...parts.map((part) => b.set(total, b.add(total, squared(part)))),
  ];
}

/**
 * The sum of s64, at least 0 and below 2^62, times Q31: high words of 31 bits multiplied whole, of
 * the low ones what reaches the sum.
 */
function timesFraction(
  sum: Variable,
  terms: readonly (readonly [Variable, Variable])[],
): Statement[] {
  const words = terms.map(([value, fraction]) => {
    const [high, low] = [
      b.variable(`${value.name}_high`, "s32"),
      b.variable(`${value.name}_low`, "s32"),
    ];
    const declare = [
      b.declare(high, b.unary("toS32", b.shr(value, 31))),
      b.declare(low, b.unary("toS32", b.sub(value, b.shl(b.unary("toS64", high), 31)))),
    ];
    const product = b.mul(b.unary("toS64", high), b.unary("toS64", fraction));
    return { declare, product, carry: b.mulShift(low, fraction, 32) };
  });
  const [first, second] = words;
  const carry = b.variable(`${sum.name}_carry`, "s32");
  return [
    ...words.flatMap(({ declare }) => declare),
    b.declare(carry, b.add(first.carry, second.carry)),
    b.declare(sum, b.add(b.add(b.mul(b.unary("toS64", carry), 2), first.product), second.product)),
  ];
}
