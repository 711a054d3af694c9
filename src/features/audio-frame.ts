/**
 * One frame of sound, from N samples in a ring to its features: statements of the loop language that
 * a clip in one piece and a stream share.
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Statement,
  type Variable,
} from "../kernel/index.ts";
import { dctBasis } from "./audio-definition.ts";
import { type Frame, realFft, sampleBits } from "./fft.ts";
import { logMel } from "./log-mel.ts";
import { scalingTables } from "./scaling.ts";
import { type AudioSpec, channelCount } from "./spec.ts";
import { type Table, table } from "./table.ts";

export interface AudioFrame {
  readonly tables: readonly Table[];
  readonly scratch: readonly Buffer[];
  /** Features of the samples in the frame, stored at [row, channel, 0]. */
  statements(frame: Frame, row: Expr, features: Buffer): Statement[];
}

/**
 * The computation of one frame.
 *
 * spec   with a scaling: features are s8, else s32 (dB in Q16)
 */
export function audioFrame(spec: AudioSpec): AudioFrame {
  const { windowSamples: N, mels } = spec;
  const spectrum = {
    re: b.buffer("re", "s32", [N / 2 + 1]),
    im: b.buffer("im", "s32", [N / 2 + 1]),
  };
  const column = b.buffer("column", "s32", [mels]);
  const [peak, shift] = [b.variable("peak", "s32"), b.variable("shift", "s32")];
  const fft = realFft(N, spectrum);
  const bands = logMel(spec, { spectrum, shift });
  const scaling = spec.scaling && scalingTables(spec.scaling);
  const dct = spec.kind === "mfcc" ? cepstrum(channelCount(spec), column) : undefined;
  return {
    tables: [...fft.tables, ...bands.tables, ...(dct?.tables ?? []), ...(scaling?.tables ?? [])],
    scratch: [spectrum.re, spectrum.im, ...(dct ? [column] : [])],
    statements: (frame, row, features) => {
      const emit = (c: Expr, raw: Expr): Statement =>
        b.store(features, [row, c, 0], scaling ? scaling.apply(raw, c) : raw);
      return [
        ...peakOf(frame, peak),
        b.declare(shift, b.add(b.unary("clz", peak), sampleBits(N) - 32)),
        ...fft.statements(frame, shift),
        ...bands.statements((band, decibels) =>
          dct ? [b.store(column, [band], decibels)] : [emit(band, decibels)],
        ),
        ...(dct ? dct.statements(emit) : []),
      ];
    },
  };
}

/** Samples in a step of the loop over a window, whose length is a multiple of it. */
const UNROLLED = 4;

/** A value with as many leading zeros as the largest magnitude, x or -x - 1. */
function peakOf({ ring }: Frame, peak: Variable): Statement[] {
  const steps = Array.from({ length: UNROLLED }, (_, i) => i);
  const body = (n: Variable): Statement[] =>
    steps.flatMap((i) => {
      const x = b.variable(`x${i}`, "s32");
      const magnitude = b.bitXor(x, b.shr(x, 31));
      return [b.declare(x, b.load(ring, b.add(n, i))), b.set(peak, b.bitOr(peak, magnitude))];
    });
  return [b.declare(peak, 0), b.loop("n", ring.shape[0], body, { step: UNROLLED })];
}

interface Cepstrum {
  readonly tables: readonly Table[];
  statements(emit: (coefficient: Expr, raw: Expr) => Statement): Statement[];
}

/** The orthonormal DCT-II of a column of decibels (equation 11). */
function cepstrum(coefficients: number, column: Buffer): Cepstrum {
  const [mels] = column.shape;
  const basis = dctBasis(coefficients, mels).flat();
  const largest = basis.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  const bits = Math.floor(Math.log2(32767 / largest));
  const values = basis.map((weight) => weight * 2 ** bits);
  const dct = table("dct", "s16", { shape: [coefficients, mels], values });
  const sum = b.variable("sum", "s64");
  return {
    tables: [dct],
    statements: (emit) => [
      b.loop("coefficient", coefficients, (i) => [
        b.declare(sum, 2 ** (bits - 1)),
        b.loop("m", mels, (m) => {
          const [decibels, weight] = [b.load(column, m), b.load(dct.buffer, i, m)];
          const product = b.mul(b.unary("toS64", decibels), b.unary("toS64", weight));
          return [b.set(sum, b.add(sum, product))];
        }),
        emit(i, b.unary("toS32", b.shr(sum, bits))),
      ]),
    ],
  };
}
