/**
 * The mel scale: band edges, and which part of a bin's power falls out of which band.
 *
 * Triangle m rises from edge m to edge m+1 and falls to edge m+2. Between two edges the falling
 * part of one band and the rising part of the next add up to 1, so one straight line a segment
 * describes the whole filter bank (docs/features.md, 6).
 *
 * Sources: librosa.filters.mel; Slaney, "Auditory Toolbox" (1998); HTK Book, section 5.6.
 */

import type { AudioSpec } from "./spec.ts";

/** Slaney's scale: linear below 1000 Hz, 27 logarithmic steps from there to 6400 Hz. */
const LINEAR_HZ = 200 / 3;
const BREAK_HZ = 1000;
const BREAK_MEL = BREAK_HZ / LINEAR_HZ;
const LOG_STEP = Math.log(6.4) / 27;

type Bank = Pick<
  AudioSpec,
  "sampleRateHz" | "windowSamples" | "mels" | "lowHz" | "highHz" | "melScale"
>;

/** Hz of the mels + 2 edges, evenly spaced in mel. */
export function melEdges({ mels, lowHz, highHz, melScale = "slaney" }: Bank): number[] {
  const scale = melScale === "htk" ? HTK : SLANEY;
  const [low, high] = [scale.fromHz(lowHz), scale.fromHz(highHz)];
  return Array.from({ length: mels + 2 }, (_, i) =>
    scale.toHz(low + ((high - low) * i) / (mels + 1)),
  );
}

/** Height of each triangle: 2 / width (equal areas) for slaney, 1 for htk. */
export function bandHeights(bank: Bank): number[] {
  const edges = melEdges(bank);
  return Array.from({ length: bank.mels }, (_, m) =>
    bank.melScale === "htk" ? 1 : 2 / (edges[m + 2] - edges[m]),
  );
}

/** First bin at or above each edge; bin 0 is left out, for its weight is 0 in every band. */
export function edgeBins(bank: Bank): number[] {
  const binHz = bank.sampleRateHz / bank.windowSamples;
  const last = bank.windowSamples / 2;
  return melEdges(bank).map((hz) => Math.min(Math.max(1, Math.ceil(hz / binHz)), last));
}

/** The falling part of a bin between two edges: a straight line. */
export interface BandLine {
  /** At the last bin of the segment, in [0, 1]. */
  readonly last: number;
  /** How much more it is a bin before, in [0, 1]. */
  readonly slope: number;
}

/** For each of the mels + 1 segments between edges; a slope only where there are two bins. */
export function bandLines(bank: Bank): BandLine[] {
  const edges = melEdges(bank);
  const bins = edgeBins(bank);
  const binHz = bank.sampleRateHz / bank.windowSamples;
  return Array.from({ length: bank.mels + 1 }, (_, m) => {
    const widthHz = edges[m + 1] - edges[m];
    const count = bins[m + 1] - bins[m];
    const last = count < 1 ? 0 : (edges[m + 1] - (bins[m + 1] - 1) * binHz) / widthHz;
    return { last, slope: count < 2 ? 0 : binHz / widthHz };
  });
}

const SLANEY = {
  fromHz: (hz: number): number =>
    hz < BREAK_HZ ? hz / LINEAR_HZ : BREAK_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP,
  toHz: (mel: number): number =>
    mel < BREAK_MEL ? mel * LINEAR_HZ : BREAK_HZ * Math.exp(LOG_STEP * (mel - BREAK_MEL)),
};

const HTK = {
  fromHz: (hz: number): number => 2595 * Math.log10(1 + hz / 700),
  toHz: (mel: number): number => 700 * (10 ** (mel / 2595) - 1),
};
