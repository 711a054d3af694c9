/**
 * Change of sample rate by a polyphase windowed sinc.
 *
 *   y[m] = g * sum_n x[n] h((m * from / to - n) * g),   h(t) = sinc(t) * kaiser(t / Z)
 *   g = rolloff * min(1, to / from)
 *
 * Z = 64 zero crossings, Kaiser beta 14.77 and roll-off 0.9476 are resampy's "kaiser_best" (more
 * than 100 dB of stop band). from/to is reduced to lowest terms, so the filter has `to` phases,
 * each computed once; each phase is scaled to a gain of exactly 1 at 0 Hz.
 *
 * Source: J. O. Smith, "Digital Audio Resampling Home Page", Stanford CCRMA.
 */

import { mismatch } from "../errors.ts";

const ZERO_CROSSINGS = 64;
const KAISER_BETA = 14.769656459379492;
const ROLLOFF = 0.9475937167399596;

/**
 * Resample one channel.
 *
 * samples  at `from` Hz; silence is assumed outside
 * from,to  positive integers, Hz
 * returns  ceil(samples.length * to / from) samples at `to` Hz; the input itself where the rates
 *          are equal
 */
export function resample(
  samples: Float32Array,
  { from, to }: { from: number; to: number },
): Float32Array {
  for (const [what, rate] of Object.entries({ from, to })) {
    if (!(Number.isInteger(rate) && rate > 0)) {
      throw mismatch("resample", what, { expected: "a positive integer of Hz", got: rate });
    }
  }
  if (from === to) return samples;
  const divisor = greatestCommonDivisor(from, to);
  const down = from / divisor;
  const up = to / divisor;
  const taps = phaseTaps(up, Math.min(1, to / from) * ROLLOFF);
  const out = new Float32Array(Math.ceil((samples.length * up) / down));
  const half = taps[0].length / 2;
  for (let m = 0; m < out.length; m++) {
    const phase = (m * down) % up;
    const first = Math.floor((m * down) / up) - half + 1; // input under the phase's first tap
    out[m] = dot(samples, first, taps[phase]);
  }
  return out;
}

function dot(samples: Float32Array, first: number, taps: Float64Array): number {
  const start = Math.max(0, -first);
  const end = Math.min(taps.length, samples.length - first);
  let sum = 0;
  for (let k = start; k < end; k++) sum += samples[first + k] * taps[k];
  return sum;
}

/** For each phase p the taps at distances (k - half + 1) - p / up, in input samples. */
function phaseTaps(up: number, cutoff: number): Float64Array[] {
  const half = Math.ceil(ZERO_CROSSINGS / cutoff);
  return Array.from({ length: up }, (_, phase) => {
    const taps = new Float64Array(2 * half);
    let gain = 0;
    for (let k = 0; k < taps.length; k++) {
      taps[k] = windowedSinc((k - half + 1 - phase / up) * cutoff);
      gain += taps[k];
    }
    return taps.map((tap) => tap / gain);
  });
}

function windowedSinc(t: number): number {
  const edge = 1 - (t / ZERO_CROSSINGS) ** 2;
  if (edge <= 0) return 0;
  const sinc = t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
  return (sinc * besselI0(KAISER_BETA * Math.sqrt(edge))) / besselI0(KAISER_BETA);
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
