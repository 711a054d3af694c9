/**
 * Sound as another take of it would be: shifted, with noise at a given ratio, louder or softer.
 *
 * Acts on what a microphone hands the device, s16 [samples], padding included.
 */

import type { Random } from "../../tensor/index.ts";
import type { NoiseSource } from "./noise.ts";
import type { AudioAugment } from "./spec.ts";

const [LOWEST, HIGHEST] = [-32768, 32767];

/**
 * An altered copy of a clip: shift, then noise, then gain; rounded once, saturated by the gain only.
 *
 * input    s16 [samples]
 * noise    where augment.noise is given
 */
export function alterSound(
  input: Int16Array,
  augment: AudioAugment,
  {
    sampleRateHz,
    generator,
    noise,
  }: { sampleRateHz: number; generator: Random; noise?: NoiseSource | undefined },
): Int16Array {
  const { gainDb = 0, shiftS = 0, noise: mixing } = augment;
  const reach = Math.round(shiftS * sampleRateHz);
  let clip = shifted(input, generator.integer(2 * reach + 1) - reach);
  if (mixing !== undefined && noise !== undefined && generator.next() < mixing.share) {
    const [low, high] = mixing.snrDb;
    const snrDb = low + (high - low) * generator.next();
    clip = withNoise(clip, noise(clip.length, generator), snrDb);
  }
  const gain = 10 ** ((gainDb * (2 * generator.next() - 1)) / 20);
  const altered = new Int16Array(clip.length);
  for (let i = 0; i < clip.length; i++) {
    altered[i] = Math.max(LOWEST, Math.min(HIGHEST, Math.round(clip[i] * gain)));
  }
  return altered;
}

/** Later by some samples, or earlier where negative; zeros enter. */
function shifted(input: Int16Array, by: number): Float64Array {
  const { length } = input;
  const clip = new Float64Array(length);
  clip.set(
    input.subarray(Math.max(0, -by), Math.max(0, length - by)),
    Math.min(length, Math.max(0, by)),
  );
  return clip;
}

/**
 * A clip with noise, at a ratio of mean powers over the whole clip. Where the sum would not fit s16
 * both are softer, so that the ratio holds; a silent clip or silent noise leaves it as it is.
 */
export function withNoise(
  clip: Float64Array,
  noise: ArrayLike<number>,
  snrDb: number,
): Float64Array {
  const [signal, other] = [clip, noise].map(energy);
  if (signal === 0 || other === 0) return clip;
  const level = Math.sqrt(signal / (other * 10 ** (snrDb / 10)));
  const sum = new Float64Array(clip.length);
  let peak = 0;
  for (let i = 0; i < sum.length; i++) {
    sum[i] = clip[i] + level * noise[i];
    peak = Math.max(peak, Math.abs(sum[i]));
  }
  return peak <= HIGHEST ? sum : sum.map((x) => (x * HIGHEST) / peak);
}

function energy(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return sum;
}
