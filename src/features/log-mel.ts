/**
 * From the bins of a frame to decibels in mel bands, in integers: statements of the loop language.
 *
 * The logarithm is a leading-zero count and a table of 65 values. Numbered equations:
 * docs/features.md.
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Statement,
  type Variable,
} from "../kernel/index.ts";
import { gainBits } from "./fft.ts";
import { bandHeights } from "./mel.ts";
import { melSums } from "./mel-sums.ts";
import type { AudioSpec } from "./spec.ts";
import { type Table, table } from "./table.ts";

/** Fraction bits of decibels, the raw unit of log-mel and MFCC features. */
export const DECIBEL_BITS = 16;

/** librosa's amin, 1e-10, in raw units. */
const FLOOR = -100 * 2 ** DECIBEL_BITS;

/** Fraction bits of log2, and intervals of its table as a power of two. */
const LOG_BITS = 20;
const INTERVAL_BITS = 6;

/** 10 log10(2) decibels an octave of power, from LOG_BITS to DECIBEL_BITS through a shift by 32. */
const DECIBELS = Math.round(10 * Math.log10(2) * 2 ** (32 + DECIBEL_BITS - LOG_BITS));

export interface LogMel {
  readonly tables: readonly Table[];
  /** `emit` gets each band and its decibels, bands in order. */
  statements(emit: (band: Expr, decibels: Variable) => readonly Statement[]): Statement[];
}

/**
 * Bands of one frame.
 *
 * points  its bins, s32 [N/2, 2], shifted down by `spare`
 */
export function logMel(
  spec: AudioSpec,
  { points, spare }: { points: Buffer; spare: number },
): LogMel {
  const sums = melSums(spec, points);
  const bias = biasTable(spec, spare);
  const logarithm = logarithmTable();
  const decibels = b.variable("decibels", "s32");
  return {
    tables: [...sums.tables, bias, logarithm],
    statements: (emit) =>
      sums.statements((band, energy) => [
        ...logarithmOf(energy, logarithm.buffer),
        b.declare(decibels, toDecibels(b.load(bias.buffer, band))),
        ...emit(band, decibels),
      ]),
  };
}

const octaves = b.variable("octaves", "s32");
const mantissa = b.variable("mantissa", "s32");

/** log2 of max(energy, 1) as whole octaves and a mantissa in [2^30, 2^31) (equation 8). */
function logarithmOf(energy: Variable, logarithm: Buffer): Statement[] {
  const [interval, value, slope] = ["interval", "value", "slope_log"].map((name) =>
    b.variable(name, "s32"),
  );
  const restBits = 30 - INTERVAL_BITS;
  const fraction = b.shl(b.bitAnd(mantissa, 2 ** restBits - 1), INTERVAL_BITS + 1);
  return [
    ...normalized(energy),
    b.declare(interval, b.shr(mantissa, restBits)),
    b.declare(value, b.load(logarithm, b.add(interval, -(2 ** INTERVAL_BITS)), 0)),
    b.declare(slope, b.load(logarithm, b.add(interval, -(2 ** INTERVAL_BITS)), 1)),
    b.set(mantissa, b.add(value, b.mulShift(slope, fraction, 32))),
  ];
}

/** Of two words of 31 bits, by the higher one if it is not 0; roundings may leave an energy of -1. */
function normalized(energy: Variable): Statement[] {
  const [high, low, zeros] = ["high", "low", "zeros"].map((name) => b.variable(name, "s32"));
  const rest = b.sub(energy, b.shl(b.unary("toS64", high), 31));
  const raised = (word: Expr): Expr => b.shl(word, b.sub(zeros, 1));
  return [
    b.declare(high, b.unary("toS32", b.shr(energy, 31))),
    b.when(
      b.less(0, high),
      [
        b.declare(low, b.unary("toS32", rest)),
        b.declare(zeros, b.unary("clz", high)),
        b.declare(octaves, b.sub(62, zeros)),
        b.declare(mantissa, b.bitOr(raised(high), b.shr(low, b.sub(32, zeros)))),
      ],
      [
        b.declare(low, b.unary("toS32", b.max(energy, 1))),
        b.declare(zeros, b.unary("clz", low)),
        b.declare(octaves, b.sub(31, zeros)),
        b.declare(mantissa, raised(low)),
      ],
    ),
  ];
}

/** The band's constants taken out, not below the floor (equation 9). */
function toDecibels(bias: Expr): Expr {
  const whole = b.shl(octaves, LOG_BITS);
  return b.max(b.mulShift(b.add(b.add(whole, mantissa), bias), DECIBELS, 32), FLOOR);
}

/** log2 of what turns a band's integer sum into the sum of librosa, for samples in [-1, 1]. */
function biasTable(spec: AudioSpec, spare: number): Table {
  const { windowSamples, mels } = spec;
  const common = -2 * (15 + gainBits(windowSamples, spare));
  const values = bandHeights(spec).map((height) => (Math.log2(height) + common) * 2 ** LOG_BITS);
  return table("bias", "s32", { shape: [mels], values });
}

/**
 * log2(1 + i / 64), raised by half of what the chord there lies below the curve: error 6.6e-5 dB.
 * With each what the next is more, twice: a fraction of the interval has 31 bits, the product's high
 * word is taken.
 */
function logarithmTable(): Table {
  const count = 2 ** INTERVAL_BITS;
  const at = (i: number): number => {
    const x = 1 + i / count;
    const raised = 1 / (16 * Math.LN2 * (x * count) ** 2);
    return Math.round((Math.log2(x) + raised) * 2 ** LOG_BITS);
  };
  const values = Array.from({ length: count }, (_, i) => [at(i), 2 * (at(i + 1) - at(i))]);
  return table("logarithm", "s32", { shape: [count, 2], values: values.flat() });
}
