/**
 * Log-mel and MFCC as librosa defines them, in double precision: what the integer kernels are
 * measured against.
 *
 * It runs on no device and trains no net. Periodic Hann, zero padding, power spectrum, mel bands,
 * 10 log10 with a floor of 1e-10, orthonormal DCT-II; written for the eye, not for speed.
 */

import { bandHeights, melEdges } from "./mel.ts";
import { type AudioSpec, featureShape } from "./spec.ts";

/** librosa's amin: powers below it count as it, so the floor is -100 dB. */
const POWER_FLOOR = 1e-10;

interface Options {
  /** dB below the clip's maximum at which values are cut; librosa's default is 80, here none. */
  readonly topDb?: number;
}

/**
 * Log-mel spectrogram.
 *
 * samples  in [-1, 1], any length: padded or cut to spec.samples
 * returns  dB, [frames, mels]
 */
export function logMelFloat(
  samples: ArrayLike<number>,
  spec: AudioSpec,
  { topDb }: Options = {},
): Float64Array {
  const [frames] = featureShape(spec);
  const basis = melBasis(spec);
  const decibels = new Float64Array(frames * spec.mels);
  for (let frame = 0; frame < frames; frame++) {
    const power = powerSpectrum(windowed(samples, spec, frame));
    basis.forEach((weights, m) => {
      let energy = 0;
      for (let k = 0; k < power.length; k++) energy += weights[k] * power[k];
      decibels[frame * spec.mels + m] = 10 * Math.log10(Math.max(energy, POWER_FLOOR));
    });
  }
  if (topDb === undefined) return decibels;
  const floor = decibels.reduce((a, c) => Math.max(a, c)) - topDb;
  return decibels.map((value) => Math.max(value, floor));
}

/** Cepstrum of the log-mel spectrogram: [frames, coefficients]. */
export function mfccFloat(
  samples: ArrayLike<number>,
  spec: AudioSpec,
  options: Options = {},
): Float64Array {
  const [frames, coefficients] = featureShape(spec);
  const decibels = logMelFloat(samples, spec, options);
  const basis = dctBasis(coefficients, spec.mels);
  return Float64Array.from({ length: frames * coefficients }, (_, i) => {
    const frame = Math.floor(i / coefficients) * spec.mels;
    return basis[i % coefficients].reduce((sum, w, m) => sum + w * decibels[frame + m], 0);
  });
}

/** librosa.filters.mel: a row of windowSamples / 2 + 1 weights for each band. */
export function melBasis(spec: AudioSpec): number[][] {
  const edges = melEdges(spec);
  return bandHeights(spec).map((height, m) =>
    Array.from({ length: spec.windowSamples / 2 + 1 }, (_, k) => {
      const hz = (k * spec.sampleRateHz) / spec.windowSamples;
      const rising = (hz - edges[m]) / (edges[m + 1] - edges[m]);
      const falling = (edges[m + 2] - hz) / (edges[m + 2] - edges[m + 1]);
      return height * Math.max(0, Math.min(rising, falling));
    }),
  );
}

/** Orthonormal DCT-II, a row a coefficient: sqrt(2/M) cos(pi i (m + 1/2) / M), row 0 over sqrt 2. */
export function dctBasis(coefficients: number, mels: number): number[][] {
  return Array.from({ length: coefficients }, (_, i) =>
    Array.from({ length: mels }, (_, m) => {
      const norm = Math.sqrt((i === 0 ? 1 : 2) / mels);
      return norm * Math.cos((Math.PI * i * (m + 0.5)) / mels);
    }),
  );
}

function windowed(samples: ArrayLike<number>, spec: AudioSpec, frame: number): Float64Array {
  const { windowSamples, hopSamples, center } = spec;
  const start = frame * hopSamples - (center ? windowSamples / 2 : 0);
  const length = Math.min(samples.length, spec.samples);
  return Float64Array.from({ length: windowSamples }, (_, n) => {
    const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / windowSamples);
    const at = start + n;
    return at >= 0 && at < length ? hann * samples[at] : 0;
  });
}

function powerSpectrum(frame: Float64Array): Float64Array {
  const { re, im } = fft(frame, { first: 0, stride: 1 });
  return Float64Array.from({ length: frame.length / 2 + 1 }, (_, k) => re[k] ** 2 + im[k] ** 2);
}

interface Complex {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** Cooley and Tukey by the book, of every stride-th sample: even and odd ones, joined. */
function fft(x: Float64Array, { first, stride }: { first: number; stride: number }): Complex {
  const N = x.length / stride;
  if (N === 1) return { re: x.subarray(first, first + 1), im: new Float64Array(1) };
  const even = fft(x, { first, stride: 2 * stride });
  const odd = fft(x, { first: first + stride, stride: 2 * stride });
  const out = { re: new Float64Array(N), im: new Float64Array(N) };
  for (let k = 0; k < N / 2; k++) {
    const [c, s] = [Math.cos((2 * Math.PI * k) / N), -Math.sin((2 * Math.PI * k) / N)];
    const re = c * odd.re[k] - s * odd.im[k];
    const im = c * odd.im[k] + s * odd.re[k];
    out.re[k] = even.re[k] + re;
    out.im[k] = even.im[k] + im;
    out.re[k + N / 2] = even.re[k] - re;
    out.im[k + N / 2] = even.im[k] - im;
  }
  return out;
}
