/**
 * The orthonormal DCT-II of a column of decibels in integers: statements of the loop language
 * (equation 11).
 *
 * Its rows are symmetric about the middle of the bands, the even ones, or antisymmetric, the odd
 * ones: bands are first added to their mirrors and subtracted from them, then half of each row is
 * left.
 */

import { type Buffer, build as b, type Expr, type Statement } from "../kernel/index.ts";
import { dctBasis } from "./audio-definition.ts";
import { type Table, table } from "./table.ts";

/** Bits by which decibels are raised: two of them add up to less than 2^24, and fill a word. */
const RAISED_BITS = 6;

/** Fraction bits of a cosine, and those of a sum of high words beyond the unit of decibels. */
const COSINE_BITS = 30;
const SUM_BITS = RAISED_BITS + COSINE_BITS - 32;

export interface Cepstrum {
  readonly tables: readonly Table[];
  readonly scratch: readonly Buffer[];
  /** Take the decibels of a band. */
  keep(band: Expr, decibels: Expr): Statement;
  /** `emit` gets each coefficient, in the unit of decibels. */
  statements(emit: (coefficient: Expr, raw: Expr) => Statement): Statement[];
}

export function cepstrum(coefficients: number, mels: number): Cepstrum {
  const half = Math.ceil(mels / 2);
  const column = b.buffer("column", "s32", [mels]);
  const values = dctBasis(coefficients, mels).flatMap((row, i) =>
    (i % 2 === 0 ? row.slice(0, half) : row.slice(0, half).reverse()).map(
      (weight) => weight * 2 ** COSINE_BITS,
    ),
  );
  const cosines = table("dct", "s32", { shape: [coefficients, half], values });
  const sum = b.variable("sum", "s32");
  return {
    tables: [cosines],
    scratch: [column],
    keep: (band, decibels) => b.store(column, [band], b.shl(decibels, RAISED_BITS)),
    statements: (emit) => [
      ...mirrored(column),
      b.loop("coefficient", coefficients, (i) => [
        b.declare(sum, 2 ** (SUM_BITS - 1)),
        b.loop("m", half, (m) => addProducts(sum, { column, cosines: cosines.buffer, i, m }), {
          step: stepOf(half),
        }),
        emit(i, b.shr(sum, SUM_BITS)),
      ]),
    ],
  };
}

/** Sums with the mirror in the first half, differences from it in the second. */
function mirrored(column: Buffer): Statement[] {
  const [mels] = column.shape;
  if (mels < 2) return [];
  const [near, far] = [b.variable("near_band", "s32"), b.variable("far_band", "s32")];
  return [
    b.loop("m_near", Math.floor(mels / 2), (m) => {
      const mirror = b.sub(mels - 1, m);
      return [
        b.declare(near, b.load(column, m)),
        b.declare(far, b.load(column, mirror)),
        b.store(column, [m], b.add(near, far)),
        b.store(column, [mirror], b.sub(near, far)),
      ];
    }),
  ];
}

/** Products in a step of a sum of `count`. */
function stepOf(count: number): number {
  return [4, 2].find((step) => count % step === 0) ?? 1;
}

/** The next products of row i; odd rows lie in the second half. */
function addProducts(
  sum: ReturnType<typeof b.variable>,
  { column, cosines, i, m }: { column: Buffer; cosines: Buffer; i: Expr; m: Expr },
): Statement[] {
  const [mels] = column.shape;
  const [, half] = cosines.shape;
  const steps = Array.from({ length: stepOf(half) }, (_, step) => step);
  const first = b.add(b.mul(b.bitAnd(i, 1), mels - half), m);
  const bands = steps.map((step) => b.variable(`band${step}`, "s32"));
  const weights = steps.map((step) => b.variable(`cosine${step}`, "s32"));
  return [
    ...bands.map((band, step) => b.declare(band, b.load(column, b.add(first, step)))),
    ...weights.map((weight, step) => b.declare(weight, b.load(cosines, i, b.add(m, step)))),
    ...steps.map((step) => b.set(sum, b.add(sum, b.mulShift(bands[step], weights[step], 32)))),
  ];
}
