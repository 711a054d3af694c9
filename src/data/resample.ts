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

/** Taps kept in memory, 16 MB; 44.1 to 16 kHz needs 60,000. */
const KEPT_TAPS = 2 ** 21;

/** Longest result, 1 GiB. */
const MAX_SAMPLES = 2 ** 28;

/**
 * Resamples one channel.
 *
 * samples  at `from` Hz; silence is assumed outside
 * from,to  positive integers, Hz
 * returns  ceil(samples.length * to / from) samples at `to` Hz; the input itself where the rates
 *          are equal
 * throws   RangeError if a rate is no positive integer or the result has more than 2^28 samples
 */
export type Resampler = (
  samples: Float32Array,
  { from, to }: { from: number; to: number },
) => Float32Array;

/**
 * A resampler that keeps the filters of the rates it has met, so that many clips share them.
 *
 * Rates without a common divisor have a phase for nearly every sample. What does not fit in 16 MB
 * is computed again, so a forged rate costs time in proportion to the sound, and no memory.
 */
export function openResampler(): Resampler {
  const banks = new Map<string, Map<number, Float64Array>>();
  let kept = 0;
  return (samples, { from, to }) => {
    for (const [what, rate] of Object.entries({ from, to })) {
      if (!(Number.isInteger(rate) && rate > 0)) {
        throw mismatch("resample", what, { expected: "a positive integer of Hz", got: rate });
      }
    }
    if (from === to) return samples;
    const divisor = greatestCommonDivisor(from, to);
    const [down, up] = [from / divisor, to / divisor];
    const bank = banks.get(`${down}/${up}`) ?? new Map<number, Float64Array>();
    banks.set(`${down}/${up}`, bank);
    const cutoff = Math.min(1, to / from) * ROLLOFF;
    const half = Math.ceil(ZERO_CROSSINGS / cutoff);
    const length = Math.ceil((samples.length * up) / down);
    if (length > MAX_SAMPLES) {
      throw mismatch("resample", "the result", { expected: "at most 2^28 samples", got: length });
    }
    const taps = (phase: number) => {
      const known = bank.get(phase);
      if (known !== undefined) return known;
      const made = phaseTaps(phase / up, { half, cutoff });
      if (kept + made.length <= KEPT_TAPS) {
        kept += made.length;
        bank.set(phase, made);
      }
      return made;
    };
    const out = new Float32Array(length);
    for (let m = 0; m < length; m++) {
      const first = Math.floor((m * down) / up) - half + 1; // input under the phase's first tap
      out[m] = dot(samples, first, taps((m * down) % up));
    }
    return out;
  };
}

function dot(samples: Float32Array, first: number, taps: Float64Array): number {
  const start = Math.max(0, -first);
  const end = Math.min(taps.length, samples.length - first);
  let sum = 0;
  for (let k = start; k < end; k++) sum += samples[first + k] * taps[k];
  return sum;
}

/** Taps at distances (k - half + 1) - offset, in input samples, with a sum of 1. */
function phaseTaps(
  offset: number,
  { half, cutoff }: { half: number; cutoff: number },
): Float64Array {
  const taps = new Float64Array(2 * half);
  let gain = 0;
  for (let k = 0; k < taps.length; k++) {
    taps[k] = windowedSinc((k - half + 1 - offset) * cutoff);
    gain += taps[k];
  }
  return taps.map((tap) => tap / gain);
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
