/**
 * From the spectrum of a frame to decibels in mel bands, in integers: statements of the loop
 * language.
 *
 * The Hann window is applied here, to the spectrum: three neighbouring bins, no multiplication, no
 * table and no rounding (equation 5). Powers and band sums are s64; the logarithm is a leading-zero
 * count and a table of 65 values. Numbered equations: docs/features.md.
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Statement,
  type Variable,
} from "../kernel/index.ts";
import type { Spectrum } from "./complex.ts";
import { gainBits } from "./fft.ts";
import { bandHeights, edgeBins, risingParts } from "./mel.ts";
import type { AudioSpec } from "./spec.ts";
import { q31, type Table, table } from "./table.ts";

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

/** Bands of one frame whose samples were shifted up by `shift`. */
export function logMel(
  spec: AudioSpec,
  { spectrum, shift }: { spectrum: Spectrum; shift: Expr },
): LogMel {
  const { mels } = spec;
  const rising = risingTable(spec);
  const edges = table("edges", "s16", { shape: [mels + 2], values: edgeBins(spec) });
  const bias = biasTable(spec);
  const logarithm = logarithmTable();
  const [carried, rise, total] = ["carried", "rise", "total"].map((n) => b.variable(n, "s64"));
  const [energy, decibels] = [b.variable("energy", "s64"), b.variable("decibels", "s32")];
  return {
    tables: [rising, edges, bias, logarithm],
    statements: (emit) => [
      b.declare(carried, 0),
      b.loop("segment", mels + 1, (segment) => [
        b.declare(rise, 0),
        b.declare(total, 0),
        b.loop(
          "k",
          b.load(edges.buffer, b.add(segment, 1)),
          (k) => addPower({ spectrum, rising: rising.buffer, k, rise, total }),
          { from: b.load(edges.buffer, segment) },
        ),
        b.set(rise, b.shl(rise, 2)),
        b.when(b.less(0, segment), [
          b.declare(energy, b.add(carried, b.sub(total, rise))),
          ...logarithmOf(energy, logarithm.buffer),
          b.declare(decibels, toDecibels(b.load(bias.buffer, b.sub(segment, 1)), shift)),
          ...emit(b.sub(segment, 1), decibels),
        ]),
        b.set(carried, rise),
      ]),
    ],
  };
}

interface Accumulation {
  readonly spectrum: Spectrum;
  readonly rising: Buffer;
  readonly k: Expr;
  readonly rise: Variable;
  readonly total: Variable;
}

/** Power of bin k under the Hann window (equations 5, 6), and a quarter of its rising part. */
function addPower({ spectrum, rising, k, rise, total }: Accumulation): Statement[] {
  const root = b.variable("root", "s32");
  const parts = (["re", "im"] as const).map((part) => {
    const bin = (at: Expr): Expr => b.load(spectrum[part], at);
    const twice = b.mul(bin(k), 2);
    const value = b.variable(`hann_${part}`, "s32");
    const risen = b.variable(`risen_${part}`, "s32");
    const neighbours = b.sub(b.sub(twice, bin(b.sub(k, 1))), bin(b.add(k, 1)));
    return [
      b.declare(value, neighbours),
      b.set(total, b.add(total, squared(value))),
      b.declare(risen, b.mulShift(value, root, 32)),
      b.set(rise, b.add(rise, squared(risen))),
    ];
  });
  return [b.declare(root, b.load(rising, k)), ...parts.flat()];
}

function squared(value: Variable): Expr {
  return b.mul(b.unary("toS64", value), b.unary("toS64", value));
}

const octaves = b.variable("octaves", "s32");
const mantissa = b.variable("mantissa", "s32");

/** log2 of max(energy, 1) as whole octaves and a mantissa in [2^30, 2^31) (equation 8). */
function logarithmOf(energy: Variable, logarithm: Buffer): Statement[] {
  const zeros = b.variable("zeros", "s32");
  const interval = b.variable("interval", "s32");
  const fraction = b.variable("fraction", "s32");
  const restBits = 30 - INTERVAL_BITS;
  const slope = b.sub(b.load(logarithm, b.add(interval, 1)), b.load(logarithm, interval));
  return [
    b.set(energy, b.max(energy, 1)),
    b.declare(zeros, b.unary("clz", energy)),
    b.declare(octaves, b.sub(63, zeros)),
    b.declare(mantissa, b.unary("toS32", b.shr(b.shl(energy, b.sub(zeros, 1)), 32))),
    b.declare(interval, b.sub(b.shr(mantissa, restBits), 2 ** INTERVAL_BITS)),
    b.declare(fraction, b.bitAnd(mantissa, 2 ** restBits - 1)),
    b.set(mantissa, b.add(b.load(logarithm, interval), b.mulShift(slope, fraction, restBits))),
  ];
}

/** The frame's shift and the band's constants taken out again, not below the floor (equation 9). */
function toDecibels(bias: Expr, shift: Expr): Expr {
  const whole = b.shl(b.sub(octaves, b.mul(shift, 2)), LOG_BITS);
  return b.max(b.mulShift(b.add(b.add(whole, mantissa), bias), DECIBELS, 32), FLOOR);
}

/** Square roots of the rising parts, which multiply amplitudes. */
function risingTable(spec: AudioSpec): Table {
  const values = risingParts(spec).map((part) => q31(Math.sqrt(part)));
  return table("rising", "s32", { shape: [values.length], values });
}

/**
 * log2 of what turns a band's integer sum into the sum of librosa, for samples in [-1, 1] and no
 * shift.
 */
function biasTable(spec: AudioSpec): Table {
  const { windowSamples: N, mels } = spec;
  const gain = 2 + gainBits(N) - Math.log2(N / 2);
  const common = -2 * (15 + gain);
  const values = bandHeights(spec).map((height) => (Math.log2(height) + common) * 2 ** LOG_BITS);
  return table("bias", "s32", { shape: [mels], values });
}

/**
 * log2(1 + i / 64), raised by half of what the chord there lies below the curve: error 6.6e-5 dB.
 */
function logarithmTable(): Table {
  const count = 2 ** INTERVAL_BITS;
  const values = Array.from({ length: count + 1 }, (_, i) => {
    const x = 1 + i / count;
    const raised = 1 / (16 * Math.LN2 * (x * count) ** 2);
    return (Math.log2(x) + raised) * 2 ** LOG_BITS;
  });
  return table("logarithm", "s32", { shape: [count + 1], values });
}
