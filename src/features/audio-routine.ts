/**
 * A clip of samples to log-mel or MFCC features: one kernel, a loop over frames.
 *
 * Scratch is a frame's, not a clip's: N samples, N/2 + 1 bins and, for the cepstrum, one column of
 * decibels.
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Routine,
  type Statement,
  type Variable,
} from "../kernel/index.ts";
import { assemble } from "./assemble.ts";
import { dctBasis } from "./audio-definition.ts";
import { realFft, sampleBits } from "./fft.ts";
import { logMel } from "./log-mel.ts";
import { scalingTables } from "./scaling.ts";
import { type AudioSpec, featureShape } from "./spec.ts";
import { type Table, table } from "./table.ts";

/** What happens to a raw feature: stored as it is, or scaled to s8. */
type Emit = (frame: Expr, channel: Expr, raw: Expr) => Statement;

/**
 * The routine of an audio spec.
 *
 * modality  prefix of its storage; the input is s16 [samples] and bears this name
 * returns   output storage `${modality}.features`: s8 if the spec has a scaling, else s32 (dB in
 *           Q16)
 */
export function audioRoutine(modality: string, spec: AudioSpec): Routine {
  const { samples, windowSamples: N, mels } = spec;
  const [frames, channels] = featureShape(spec);
  const input = b.buffer("samples", "s16", [samples]);
  const frame = b.buffer("frame", "s16", [N]);
  const spectrum = {
    re: b.buffer("re", "s32", [N / 2 + 1]),
    im: b.buffer("im", "s32", [N / 2 + 1]),
  };
  const column = b.buffer("column", "s32", [mels]);
  const type = spec.scaling === undefined ? "s32" : "s8";
  const features = b.buffer("features", type, featureShape(spec));

  const [peak, shift] = [b.variable("peak", "s32"), b.variable("shift", "s32")];
  const fft = realFft(N, spectrum);
  const bands = logMel(spec, { spectrum, shift });
  const scaling = spec.scaling && scalingTables(spec.scaling);
  const emit: Emit = (f, c, raw) =>
    b.store(features, [f, c, 0], scaling ? scaling.apply(raw, c) : raw);
  const dct = spec.kind === "mfcc" ? cepstrum(channels, column) : undefined;

  const body = b.loop("f", frames, (f) => [
    ...copyFrame(spec, { input, frame, f, peak }),
    b.declare(shift, b.add(b.unary("clz", peak), sampleBits(N) - 32)),
    ...fft.statements(frame, shift),
    ...bands.statements((band, decibels) =>
      dct ? [b.store(column, [band], decibels)] : [emit(f, band, decibels)],
    ),
    ...(dct ? dct.statements((coefficient, raw) => emit(f, coefficient, raw)) : []),
  ]);

  const tables = [
    ...fft.tables,
    ...bands.tables,
    ...(dct?.tables ?? []),
    ...(scaling?.tables ?? []),
  ];
  const scratch = [frame, spectrum.re, spectrum.im, ...(dct ? [column] : [])];
  const { kind: name } = spec;
  return assemble(modality, { name, input, tables, scratch, output: features, body: [body] });
}

interface FrameCopy {
  readonly input: Buffer;
  readonly frame: Buffer;
  readonly f: Variable;
  readonly peak: Variable;
}

/** Frame f of the clip, zeros outside it, and a peak that has the bits of its largest magnitude. */
function copyFrame(spec: AudioSpec, { input, frame, f, peak }: FrameCopy): Statement[] {
  const { samples, windowSamples: N, hopSamples, center } = spec;
  const [start, from, to] = ["start", "from", "to"].map((name) => b.variable(name, "s32"));
  const x = b.variable("x", "s32");
  const copy = (n: Variable): Statement[] => [
    b.declare(x, b.load(input, b.add(start, n))),
    b.store(frame, [n], x),
    b.set(peak, b.max(peak, b.bitXor(x, b.shr(x, 31)))),
  ];
  const declare = [
    b.declare(start, b.sub(b.mul(f, hopSamples), center ? N / 2 : 0)),
    b.declare(peak, 0),
  ];
  if (!center) return [...declare, b.loop("n", N, copy)];
  return [
    ...declare,
    b.declare(from, b.max(b.sub(0, start), 0)),
    b.declare(to, b.min(b.sub(samples, start), N)),
    b.loop("before", from, (n) => [b.store(frame, [n], 0)]),
    b.loop("n", to, copy, { from }),
    b.loop("after", N, (n) => [b.store(frame, [n], 0)], { from: to }),
  ];
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
