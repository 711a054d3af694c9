/**
 * Against librosa's values (data set dsp-reference): the definition to their last digit, the
 * integers in decibels.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dataFolder, needs } from "../../test/capabilities.ts";
import { decodeWav } from "../data/index.ts";
import { logMelFloat, melBasis, mfccFloat } from "./audio-definition.ts";
import { extractor } from "./frontend.ts";
import { type AudioSpec, defaultAudioSpec } from "./spec.ts";

const folder = join(dataFolder, "dsp-reference");

interface Parameters {
  readonly n_fft: number;
  readonly hop_length: number;
  readonly n_mels: number;
  readonly n_mfcc: number;
  readonly htk: boolean;
  readonly center: boolean;
}

interface Reference {
  readonly title: string;
  readonly sound: Float64Array;
  readonly spec: AudioSpec;
  /** [bands or coefficients][frames], as librosa orders them. */
  readonly logmel: readonly (readonly number[])[];
  readonly mfcc: readonly (readonly number[])[];
}

/** Every file with every set of parameters; none where the data is not there. */
function references(): Reference[] {
  const path = join(folder, "index.json");
  if (!existsSync(path)) return [];
  const { files } = JSON.parse(readFileSync(path, "utf8"));
  return Object.entries<{ features: object }>(files).flatMap(([file, { features }]) => {
    const { channels, sampleRateHz } = decodeWav(readFileSync(join(folder, file)), file);
    const sound = Float64Array.from(channels[0], (_, i) => {
      return channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length;
    });
    return Object.entries(features).map(([set, { params, logmel, mfcc }]) => {
      const spec = specOf(params, { samples: sound.length, sampleRateHz });
      return { title: `${file}, ${set}`, sound, spec, logmel, mfcc };
    });
  });
}

function specOf(
  p: Parameters,
  { samples, sampleRateHz }: { samples: number; sampleRateHz: number },
): AudioSpec {
  return {
    kind: "mfcc",
    sampleRateHz,
    samples,
    windowSamples: p.n_fft,
    hopSamples: p.hop_length,
    center: p.center,
    mels: p.n_mels,
    coefficients: p.n_mfcc,
    lowHz: 0,
    highHz: sampleRateHz / 2,
    melScale: p.htk ? "htk" : "slaney",
  };
}

function largestDifference(ours: Float64Array, theirs: Reference["mfcc"]): number {
  const rows = theirs.length;
  return theirs
    .flatMap((row, r) => row.map((value, frame) => Math.abs(value - ours[frame * rows + r])))
    .reduce((a, b) => Math.max(a, b));
}

/** Signal to noise ratio in dB, and the largest error in the values' own unit. */
function errorsOf(raw: Int32Array, exact: Float64Array): { snr: number; largest: number } {
  let [signal, noise, largest] = [0, 0, 0];
  exact.forEach((value, i) => {
    const error = raw[i] / 2 ** 16 - value;
    signal += value ** 2;
    noise += error ** 2;
    largest = Math.max(largest, Math.abs(error));
  });
  return { snr: 10 * Math.log10(signal / Math.max(noise, 1e-300)), largest };
}

function withoutCoefficients({ coefficients: _, ...spec }: AudioSpec): AudioSpec {
  return { ...spec, kind: "log-mel" };
}

/**
 * librosa's values are printed with five decimals, so half of the last one is the best agreement
 * there is.
 */
const LAST_DIGIT = 1e-5;

describe("against librosa", needs("data"), () => {
  const all = references();

  test("the Slaney filter bank equals librosa's to single precision", () => {
    const bytes = readFileSync(join(folder, "mel_basis_16000_1024_40.npy"));
    const values = new Float32Array(new Uint8Array(bytes.subarray(-40 * 513 * 4)).buffer);
    const ours = melBasis(defaultAudioSpec({ sampleRateHz: 16000 })).flat();
    expect(ours.length).toBe(values.length);
    ours.forEach((weight, i) => {
      expect(Math.abs(weight - values[i])).toBeLessThan(1e-8);
    });
  });

  test.each(all)("the definition equals librosa to the last digit: $title", (reference) => {
    const { sound, spec, logmel, mfcc } = reference;
    const options = { topDb: 80 };
    expect(largestDifference(logMelFloat(sound, spec, options), logmel)).toBeLessThan(LAST_DIGIT);
    expect(largestDifference(mfccFloat(sound, spec, options), mfcc)).toBeLessThan(LAST_DIGIT);
  });

  // Normal level; and 40 dB down, where samples have few bits and what is rounded is just below.
  const levels = [
    { gain: 1, snr: 90, decibels: 0.01, cepstrum: 0.02 },
    { gain: 0.01, snr: 70, decibels: 0.3, cepstrum: 0.2 },
  ];
  test.each(all.flatMap((reference) => levels.map((level) => ({ ...reference, ...level }))))(
    "integers are $snr dB above their error: $title, gain $gain",
    ({ title, sound, spec, gain, snr, decibels, cepstrum: coefficient }) => {
      const clip = Int16Array.from(sound, (x) => Math.min(32767, Math.round(x * gain * 32768)));
      const exact = Float64Array.from(clip, (x) => x / 32768);
      const bands = withoutCoefficients(spec);
      const mel = errorsOf(extractor(bands, "raw")(clip), logMelFloat(exact, bands));
      const cepstrum = errorsOf(extractor(spec, "raw")(clip), mfccFloat(exact, spec));
      const text = [mel, cepstrum].map((e) => `${e.snr.toFixed(0)} dB, ${e.largest.toFixed(4)}`);
      if (exact.some((x) => x !== 0)) {
        process.stdout.write(`${title}, gain ${gain}: log-mel ${text[0]}; mfcc ${text[1]}\n`);
      }
      expect(Math.min(mel.snr, cepstrum.snr)).toBeGreaterThan(snr);
      expect(mel.largest).toBeLessThan(decibels);
      expect(cepstrum.largest).toBeLessThan(coefficient);
    },
  );
});
