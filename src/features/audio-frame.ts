/**
 * One frame of sound, from N samples in a ring to its features: statements of the loop language that
 * a clip in one piece and a stream share.
 */

import { type Buffer, build as b, type Expr, type Statement } from "../kernel/index.ts";
import { cepstrum } from "./cepstrum.ts";
import { pointsOf, realFft } from "./fft.ts";
import type { Frame } from "./first-stages.ts";
import { logMel } from "./log-mel.ts";
import { spareBits } from "./mel-sums.ts";
import { scalingTables } from "./scaling.ts";
import { type AudioSpec, channelCount } from "./spec.ts";
import type { Table } from "./table.ts";

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
  const points = pointsOf(N);
  const spare = spareBits(spec);
  const fft = realFft(N, points, spare);
  const bands = logMel(spec, { points, spare });
  const scaling = spec.scaling && scalingTables(spec.scaling);
  const dct = spec.kind === "mfcc" ? cepstrum(channelCount(spec), mels) : undefined;
  return {
    tables: [...fft.tables, ...bands.tables, ...(dct?.tables ?? []), ...(scaling?.tables ?? [])],
    scratch: [points, ...(dct?.scratch ?? [])],
    statements: (frame, row, features) => {
      const emit = (c: Expr, raw: Expr): Statement =>
        b.store(features, [row, c, 0], scaling ? scaling.apply(raw, c) : raw);
      return [
        ...fft.statements(frame),
        ...bands.statements((band, decibels) =>
          dct ? [dct.keep(band, decibels)] : [emit(band, decibels)],
        ),
        ...(dct ? dct.statements(emit) : []),
      ];
    },
  };
}
