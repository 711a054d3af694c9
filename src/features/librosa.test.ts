/** The float definition equals librosa under every option (golden/librosa.json names the versions). */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { logMelFloat, mfccFloat } from "./audio-definition.ts";
import type { AudioSpec } from "./spec.ts";

interface Golden {
  readonly spec: Omit<AudioSpec, "kind" | "sampleRateHz" | "samples"> & {
    readonly topDb: number | null;
  };
  /** [frames][bands or coefficients]. */
  readonly logMel: readonly (readonly number[])[];
  readonly mfcc: readonly (readonly number[])[];
}

const { sampleRateHz, samples, cases } = JSON.parse(
  readFileSync(new URL("./golden/librosa.json", import.meta.url), "utf8"),
) as { sampleRateHz: number; samples: number; cases: Record<string, Golden> };

/** The signal of scripts/golden/features.py: noise and a fading tone. */
function signal(): Float64Array {
  let state = 1;
  return Float64Array.from({ length: samples }, (_, n) => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    const noise = (state >>> 16) / 65536 - 0.5;
    return 0.01 * noise + 0.4 * Math.exp(-n / 900) * Math.sin(n / 7);
  });
}

/**
 * The goal is 1e-5. Both sides are double precision and differ in the order of sums; values near 0 dB
 * are held to the same share of 1 dB.
 */
const TOLERANCE = 1e-9;

test.each(Object.entries(cases))("log-mel and MFCC, %s", (_title, { spec, logMel, mfcc }) => {
  const { topDb, ...rest } = spec;
  const audio: AudioSpec = { kind: "mfcc", sampleRateHz, samples, ...rest };
  const options = topDb === null ? {} : { topDb };
  for (const [ours, theirs] of [
    [logMelFloat(signal(), audio, options), logMel],
    [mfccFloat(signal(), audio, options), mfcc],
  ] as const) {
    const expected = theirs.flat();
    expect(ours.length).toBe(expected.length);
    expected.forEach((value, i) => {
      expect(Math.abs(ours[i] - value)).toBeLessThan(TOLERANCE * Math.max(1, Math.abs(value)));
    });
  }
});
