/**
 * A clip of samples to log-mel or MFCC features in one piece: one kernel, a loop over frames.
 *
 * Scratch is a frame's, not a clip's: a ring of N samples, N/2 + 1 bins and, for the cepstrum, one
 * column of decibels. Each sample goes through the ring once, as in a stream (audio-stream.ts).
 */

import { build as b, type Routine } from "../kernel/index.ts";
import { assemble } from "./assemble.ts";
import { audioFrame } from "./audio-frame.ts";
import { inRing, intoRing } from "./ring.ts";
import { type AudioSpec, featureShape } from "./spec.ts";

/**
 * The routine of an audio spec.
 *
 * modality  prefix of its storage; the input is s16 [samples] and bears this name
 * returns   output storage `${modality}.features`: s8 if the spec has a scaling, else s32 (dB in
 *           Q16)
 */
export function audioRoutine(modality: string, spec: AudioSpec): Routine {
  const { samples, windowSamples: N, hopSamples } = spec;
  const [frames] = featureShape(spec);
  const input = b.buffer("samples", "s16", [samples]);
  const ring = b.buffer("ring", "s16", [N]);
  const type = spec.scaling === undefined ? "s32" : "s8";
  const features = b.buffer("features", type, featureShape(spec));
  const frame = audioFrame(spec);

  const [fed, end] = [b.variable("fed", "s32"), b.variable("end", "s32")];
  const start = b.variable("start", "s32");
  const body = [
    b.loop("empty", N, (n) => [b.store(ring, [n], 0)]),
    b.declare(fed, 0),
    b.loop("f", frames, (f) => [
      b.declare(end, b.add(b.mul(f, hopSamples), reachSamples(spec))),
      ...intoRing("fed", ring, {
        input,
        from: fed,
        to: b.min(end, samples),
        ahead: b.s32(0),
      }),
      b.loop("after", end, (i) => [b.store(ring, [inRing(i, N)], 0)], {
        from: b.max(fed, samples),
      }),
      b.set(fed, end),
      b.declare(start, inRing(end, N)),
      ...frame.statements({ ring, start }, f, features),
    ]),
  ];
  const { kind: name } = spec;
  const scratch = [ring, ...frame.scratch];
  return assemble(modality, { name, input, tables: frame.tables, scratch, output: features, body });
}

/** Samples of the clip that frame 0 needs; frame f needs f hops more. */
export function reachSamples({ windowSamples, center }: AudioSpec): number {
  return center ? windowSamples / 2 : windowSamples;
}
