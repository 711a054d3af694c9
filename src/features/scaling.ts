/**
 * Raw features to s8: each channel's mean becomes 0 and one standard deviation 32 steps.
 *
 *   s8 = clamp(((raw - offset) * multiplier + 2^23) >> 24, -128, 127)
 *
 * So a step is 1/32 of a deviation in every channel, and the net's input scale is the same for all:
 * FEATURE_SCALE.
 */

import { mismatch } from "../errors.ts";
import { build as b, type Expr } from "../kernel/index.ts";
import { channelCount, type FeatureSpec, type Scaling } from "./spec.ts";
import { type Table, table } from "./table.ts";

/** What one step of an s8 feature is worth to the net; zero is 0. */
export const FEATURE_SCALE: number = 1 / 32;

const SHIFT = 24;
const STEPS_PER_DEVIATION = 32;
/**
 * Raw steps. A smaller deviation is taken for this: a constant channel stays 0, and products fit
 * (equation 10).
 */
const LEAST_DEVIATION = 4;

export const MAX_MULTIPLIER: number = (STEPS_PER_DEVIATION / LEAST_DEVIATION) * 2 ** SHIFT;
export const MAX_OFFSET: number = 2 ** 27;

/**
 * The scaling under which the given clips or pictures have mean 0 and deviation 32 steps in each
 * channel.
 *
 * raw      features of the training samples, as the "raw" stage gives them; at least one
 * returns  integers; equal data in equal order give equal integers on every machine
 */
export function fitScaling(raw: readonly Int32Array[], spec: FeatureSpec): Scaling {
  if (raw.length === 0) {
    throw mismatch("fitScaling", "samples", { expected: "at least one", got: 0 });
  }
  const channels = channelCount(spec);
  const count = (raw.length * raw[0].length) / channels;
  const mean = channelSums(raw, channels).map((sum) => sum / count);
  const squares = channelSquares(raw, mean);
  return {
    offset: mean.map((value) => Math.round(value)),
    multiplier: squares.map((sum) => {
      const deviation = Math.max(Math.sqrt(sum / count), LEAST_DEVIATION);
      return Math.round((STEPS_PER_DEVIATION / deviation) * 2 ** SHIFT);
    }),
  };
}

function channelSums(raw: readonly Int32Array[], channels: number): number[] {
  const sums = new Array<number>(channels).fill(0);
  for (const features of raw) {
    for (let i = 0; i < features.length; i += channels) {
      for (let c = 0; c < channels; c++) sums[c] += features[i + c];
    }
  }
  return sums;
}

/** Sums of squared differences from the mean. */
function channelSquares(raw: readonly Int32Array[], mean: readonly number[]): number[] {
  const channels = mean.length;
  const sums = new Array<number>(channels).fill(0);
  for (const features of raw) {
    for (let i = 0; i < features.length; i += channels) {
      for (let c = 0; c < channels; c++) sums[c] += (features[i + c] - mean[c]) ** 2;
    }
  }
  return sums;
}

/** The scaling as tables of a kernel. */
export function scalingTables({ offset, multiplier }: Scaling): {
  tables: readonly Table[];
  apply(raw: Expr, channel: Expr): Expr;
} {
  const shape = [offset.length];
  const offsets = table("offset", "s32", { shape, values: offset });
  const multipliers = table("multiplier", "s32", { shape, values: multiplier });
  return {
    tables: [offsets, multipliers],
    apply: (raw, channel) => {
      const centred = b.sub(raw, b.load(offsets.buffer, channel));
      return b.clamp(b.mulShift(centred, b.load(multipliers.buffer, channel), SHIFT), -128, 127);
    },
  };
}
