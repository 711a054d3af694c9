/** Noise to be mixed into sound: white, pink, or from recordings; at any level, as mixing sets it. */

import type { Random } from "../../tensor/index.ts";

/** `length` samples of noise, at any level. */
export type NoiseSource = (length: number, generator: Random) => ArrayLike<number>;

/** Uniform, so that no logarithm of the machine's is in it; the spectrum is flat all the same. */
export const whiteNoise: NoiseSource = (length, generator) => {
  const noise = new Float64Array(length);
  for (let i = 0; i < length; i++) noise[i] = 2 * generator.next() - 1;
  return noise;
};

/**
 * White noise through Kellet's filter: power falls by 3 dB an octave, within 0.05 dB from 9.2 Hz up
 * at 44.1 kHz; at other rates that frequency scales with the rate.
 *
 * Source: Paul Kellet's "refined" filter, musicdsp.org, Filters 76
 */
export const pinkNoise: NoiseSource = (length, generator) => {
  const POLES = [0.99886, 0.99332, 0.969, 0.8665, 0.55, -0.7616];
  const GAINS = [0.0555179, 0.0750759, 0.153852, 0.3104856, 0.5329522, -0.016898];
  const states = new Float64Array(POLES.length);
  const noise = new Float64Array(length);
  let late = 0;
  for (let i = 0; i < length; i++) {
    const white = 2 * generator.next() - 1;
    let sum = white * 0.5362 + late;
    late = white * 0.115926;
    for (let k = 0; k < POLES.length; k++) {
      states[k] = POLES[k] * states[k] + GAINS[k] * white;
      sum += states[k];
    }
    noise[i] = sum;
  }
  return noise;
};

/** Any part of any recording; a shorter one is repeated. */
export function recordedNoise(recordings: readonly Int16Array[]): NoiseSource {
  return (length, generator) => {
    const recording = recordings[generator.integer(recordings.length)];
    const start = generator.integer(Math.max(1, recording.length - length + 1));
    return Int16Array.from({ length }, (_, i) => recording[(start + i) % recording.length]);
  };
}
