/**
 * The front-end of a modality as a routine: what the trainer runs, the browser runs and the device
 * runs.
 */

import { mismatch } from "../errors.ts";
import { compile, plan, type Routine, type TypedArray } from "../kernel/index.ts";
import { audioRoutine } from "./audio-routine.ts";
import { audioStream } from "./audio-stream.ts";
import { checkSpec } from "./check-spec.ts";
import { imageRoutine } from "./image-routine.ts";
import { seriesRoutine } from "./series-routine.ts";
import type { FeatureSpec } from "./spec.ts";

/** raw: s32, before scaling (decibels in Q16, grey levels); scaled: the s8 that the net eats. */
export type Stage = "raw" | "scaled";

/**
 * The routine that computes the features of one modality.
 *
 * modality  names the input storage (s16 [samples] or [samples, channels], u8 [height, width,
 *           channels]) and prefixes all others;
 *           the result is `${modality}.features`, role output, of featureShape(spec)
 * throws    UserError for a spec from which nothing can be built, RangeError if a scaling is asked
 *           for and missing
 */
export function frontendRoutine(
  modality: string,
  spec: FeatureSpec,
  stage: Stage = "scaled",
): Routine {
  const wanted = specOf(modality, spec, stage);
  if (wanted.kind === "image") return imageRoutine(modality, wanted);
  return wanted.kind === "series"
    ? seriesRoutine(modality, wanted)
    : audioRoutine(modality, wanted);
}

/**
 * The routine that takes one hop of sound a run and keeps the last frames' features as state.
 *
 * After frameCount + delayHops hops they equal those of the clip in one piece, zeros following it
 * (audio-stream.ts).
 *
 * throws    UserError for a spec from which nothing can be built, RangeError for pictures and for a
 *           missing scaling
 */
export function streamRoutine(
  modality: string,
  spec: FeatureSpec,
  stage: Stage = "scaled",
): Routine {
  const wanted = specOf(modality, spec, stage);
  if (wanted.kind !== "mfcc" && wanted.kind !== "log-mel") {
    const expected = "sound: mfcc or log-mel";
    throw mismatch("streamRoutine", `features of ${modality}`, { expected, got: wanted.kind });
  }
  return audioStream(modality, wanted);
}

function specOf(modality: string, spec: FeatureSpec, stage: Stage): FeatureSpec {
  checkSpec(spec, modality);
  if (stage === "raw") {
    const { scaling: _, ...raw } = spec;
    return raw;
  }
  if (spec.scaling !== undefined) return spec;
  throw mismatch("frontendRoutine", `scaling of ${modality}`, { expected: "fitted", got: "none" });
}

/**
 * A function that computes features with WebAssembly; compiled once, for many inputs.
 *
 * returns  from s16 samples or u8 pixels of exactly the input's size to a new array: s8, or s32 for
 *          the raw stage
 */
export function extractor(spec: FeatureSpec, stage: "raw"): (input: TypedArray) => Int32Array;
export function extractor(spec: FeatureSpec, stage?: "scaled"): (input: TypedArray) => Int8Array;
export function extractor(
  spec: FeatureSpec,
  stage: Stage = "scaled",
): (input: TypedArray) => TypedArray {
  const runner = compile(plan(frontendRoutine("input", spec, stage)));
  const [source, features] = [runner.view("input"), runner.view("input.features")];
  return (input) => {
    if (input.length !== source.length) {
      throw mismatch("extractor", "input length", {
        expected: `${source.length}`,
        got: input.length,
      });
    }
    source.set(input);
    runner.run();
    return features.slice();
  };
}
