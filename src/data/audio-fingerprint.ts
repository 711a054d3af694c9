/**
 * A fingerprint of sound that survives another level, another coding, another rate and a shift:
 * signs of how the energy of neighbouring bands changes.
 *
 *   D[n, m] = L[n, m] - L[n, m+1] - (L[n-4, m] - L[n-4, m+1]),   bit = D > 0                  (2)
 *
 * L[n, m] is the log energy of band m in frame n (128 ms Hann window, 16 ms hop), m = 0..32 over
 * 300 to 3400 Hz on a logarithmic scale. A gain and a fixed filter cancel in D. Frames overlap so
 * much that a shift by half a hop hardly changes them. D is sure where it is 3 dB or more and all four
 * energies are within 50 dB of the loudest band. Only what is sure in both recordings is compared:
 * words of bits to find what may be alike, D itself to tell.
 *
 * Source: Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002; theirs are
 * linear energies and a 370 ms window, for three seconds of music. Here are single words.
 */

import type { Audio } from "./dataset.ts";
import { type PowerSpectrum, powerSpectrum } from "./power-spectrum.ts";

const WINDOW_S = 0.128;
export const HOP_S = 0.016;
const LAG_FRAMES = 4;
/** Of a word. */
export const BITS = 32;
const LOWEST_HZ = 300;
const HIGHEST_HZ = 3400;
const SURE_LOG = (3 * Math.LN10) / 10;
const RANGE_LOG = (50 * Math.LN10) / 10;

/** Sounds at this rate or above are halved first: nothing above 4 kHz is looked at. */
const HALVED_FROM_HZ = 16_000;

/** Steps of a decibel in which D is kept: s8 hold 25 dB, beyond which a change is not measured well. */
const STEPS_PER_DB = 5;
const MOST_STEPS = 127;

/** One word a frame, bit m for the bands m and m + 1. */
export interface AudioFingerprint {
  readonly bits: Uint32Array;
  /** D of every bit, [words, 32], in fifths of a decibel; 0 where it is not sure. */
  readonly changes: Int8Array;
  /** Which of the bits are sure. */
  readonly sure: Uint32Array;
  /** The least sure bit of the lower and of the upper half: the first to be wrong in a copy. */
  readonly weakest: Uint32Array;
}

/** Fingerprint one recording; no words where it is shorter than 192 ms. */
export type AudioFingerprinter = (audio: Audio) => AudioFingerprint;

/** A fingerprinter that keeps the tables of the rates it has met. */
export function audioFingerprinter(): AudioFingerprinter {
  const analyses = new Map<number, Analysis>();
  return (audio) => {
    let { samples, sampleRateHz } = audio;
    while (sampleRateHz >= HALVED_FROM_HZ) {
      samples = halved(samples);
      sampleRateHz /= 2;
    }
    const analysis = analyses.get(sampleRateHz) ?? analysisAt(sampleRateHz);
    analyses.set(sampleRateHz, analysis);
    return signs(logEnergies(samples, analysis));
  };
}

interface Analysis {
  readonly rateHz: number;
  readonly window: Float64Array;
  readonly transform: PowerSpectrum;
  /** Scratch of the transform. */
  readonly frame: Float64Array;
  readonly power: Float64Array;
  /** First bin of each band, and one past the last. */
  readonly edges: readonly number[];
}

function analysisAt(rateHz: number): Analysis {
  const length = Math.round(WINDOW_S * rateHz);
  const N = 2 ** Math.ceil(Math.log2(Math.max(length, 4)));
  const window = Float64Array.from(
    { length },
    (_, n) => Math.sin((Math.PI * (n + 0.5)) / length) ** 2,
  );
  const ratio = HIGHEST_HZ / LOWEST_HZ;
  const edges = Array.from({ length: BITS + 2 }, (_, m) =>
    Math.min(Math.round((LOWEST_HZ * ratio ** (m / (BITS + 1)) * N) / rateHz), N / 2),
  );
  const transform = powerSpectrum(N);
  const [frame, power] = [new Float64Array(N), new Float64Array(N / 2)];
  return { rateHz, window, transform, frame, power, edges };
}

/** Half-band taps at 0, +-1, +-3, +-5, +-7 (Hamming): -50 dB where it would alias below 3.4 kHz. */
const HALF_BAND = [1, 3, 5, 7].map(
  (n) =>
    (Math.sin((Math.PI * n) / 2) / (Math.PI * n)) * (0.54 + 0.46 * Math.cos((Math.PI * n) / 8)),
);

function halved(x: Float32Array): Float32Array {
  const out = new Float32Array(Math.floor(x.length / 2));
  const [a, b, c, d] = HALF_BAND;
  const at = (i: number) => (i < 0 || i >= x.length ? 0 : x[i]);
  for (let m = 0; m < out.length; m++) {
    const n = 2 * m;
    const isInside = n >= 7 && n + 7 < x.length;
    out[m] = isInside
      ? 0.5 * x[n] +
        a * (x[n - 1] + x[n + 1]) +
        b * (x[n - 3] + x[n + 3]) +
        c * (x[n - 5] + x[n + 5]) +
        d * (x[n - 7] + x[n + 7])
      : 0.5 * x[n] +
        a * (at(n - 1) + at(n + 1)) +
        b * (at(n - 3) + at(n + 3)) +
        c * (at(n - 5) + at(n + 5)) +
        d * (at(n - 7) + at(n + 7));
  }
  return out;
}

/** L[n, m], frame by frame; minus infinity where a band holds nothing. */
function logEnergies(samples: Float32Array, analysis: Analysis): Float64Array {
  const { rateHz, window, transform, frame, power, edges } = analysis;
  const bands = BITS + 1;
  const hops = Math.floor((samples.length - window.length) / (HOP_S * rateHz));
  const energies = new Float64Array(Math.max(0, hops + 1) * bands);
  for (let n = 0; n * bands < energies.length; n++) {
    const start = Math.round(n * HOP_S * rateHz);
    const length = Math.min(window.length, samples.length - start);
    for (let i = 0; i < length; i++) frame[i] = samples[start + i] * window[i];
    frame.fill(0, length);
    transform(frame, power);
    for (let m = 0; m < bands; m++) {
      let sum = 0;
      for (let k = edges[m]; k < edges[m + 1]; k++) sum += power[k];
      energies[n * bands + m] = Math.log(sum);
    }
  }
  return energies;
}

function signs(energies: Float64Array): AudioFingerprint {
  const bands = BITS + 1;
  const words = Math.max(0, energies.length / bands - LAG_FRAMES);
  const [bits, sure, weakest] = Array.from({ length: 3 }, () => new Uint32Array(words));
  const changes = new Int8Array(words * BITS);
  const floor = energies.reduce((most, value) => Math.max(most, value), -Infinity) - RANGE_LOG;
  for (let n = 0; n < words; n++) {
    const least = [Infinity, Infinity];
    const weak = [0, 0];
    for (let m = 0; m < BITS; m++) {
      const before = n * bands + m;
      const now = before + LAG_FRAMES * bands;
      const [a, b, c, d] = [
        energies[now],
        energies[now + 1],
        energies[before],
        energies[before + 1],
      ];
      const isHeard = a > floor && b > floor && c > floor && d > floor;
      if (!isHeard) continue; // also where nothing at all is there: minus infinity
      const change = a - b - c + d;
      const size = Math.abs(change);
      const half = m >> 4;
      if (change > 0) bits[n] |= 1 << m;
      if (size >= SURE_LOG) {
        sure[n] |= 1 << m;
        const steps = Math.round((change * 10 * STEPS_PER_DB) / Math.LN10);
        changes[n * BITS + m] = Math.min(Math.max(steps, -MOST_STEPS), MOST_STEPS);
      }
      if (size < least[half]) [least[half], weak[half]] = [size, 1 << m];
    }
    weakest[n] = weak[0] | weak[1];
  }
  return { bits, changes, sure, weakest };
}
