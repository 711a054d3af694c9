import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile, interpreter, plan } from "../kernel/index.ts";
import { random } from "../tensor/index.ts";
import { logMelFloat } from "./audio-definition.ts";
import { extractor, frontendRoutine } from "./frontend.ts";
import { melEdges } from "./mel.ts";
import { type AudioSpec, channelCount, defaultAudioSpec, featureShape } from "./spec.ts";

/** Three frames, the first and the last of which reach outside the clip. */
const short: AudioSpec = { ...defaultAudioSpec({ sampleRateHz: 16000 }), samples: 900 };

/** Smaller transforms, so that all numbers of stages occur: an even and an odd number of bits. */
function ofSize(windowSamples: number, center = true): AudioSpec {
  const sampleRateHz = 16000;
  const samples = 2 * windowSamples + 5;
  const mels = Math.max(2, Math.floor(windowSamples / 32));
  const rest = { windowSamples, hopSamples: windowSamples / 2, center, mels, coefficients: 2 };
  return { kind: "mfcc", sampleRateHz, samples, ...rest, lowHz: 0, highHz: 8000 };
}

type Sound = (n: number) => number;

const noise = random("audio-routine");
const tone =
  (period: number): Sound =>
  (n) =>
    32767 * Math.sin((2 * Math.PI * n) / period);

/** What drives sums to their limits. */
const extremes: Record<string, Sound> = {
  silence: () => 0,
  "the loudest constant": () => -32768,
  "the loudest positive constant": () => 32767,
  "a full-scale square wave of two samples": (n) => (n % 2 === 0 ? 32767 : -32768),
  "a full-scale square wave of 64 samples": (n) => (n % 64 < 32 ? 32767 : -32768),
  "a full-scale tone on bin 1": tone(1024),
  "a full-scale tone on bin 64": tone(16),
  "a full-scale tone between bins": tone(7.3),
  "a full-scale tone at a quarter of the rate": tone(4),
  "a full-scale impulse": (n) => (n === 450 ? -32768 : 0),
  "an impulse of one": (n) => (n === 450 ? -1 : 0),
  "white noise": () => noise.integer(65536) - 32768,
  "random signs at full scale": () => (noise.integer(2) === 0 ? 32767 : -32768),
  "noise of the last bit": () => noise.integer(3) - 1,
};

/** Both ways to the same integers; the interpreter throws where anything overflows. */
function agree(spec: AudioSpec, sound: Sound): Int32Array | Int8Array {
  const program = plan(frontendRoutine("audio", spec, spec.scaling ? "scaled" : "raw"));
  const [reference, wasm] = [interpreter(program), compile(program)];
  const clip = clipOf(spec, sound);
  for (const { view, run } of [reference, wasm]) {
    view("audio").set(clip);
    run();
  }
  expect(wasm.view("audio.features")).toEqual(reference.view("audio.features"));
  return wasm.view("audio.features") as Int32Array | Int8Array;
}

function clipOf({ samples }: AudioSpec, sound: Sound): Int16Array {
  return Int16Array.from({ length: samples }, (_, n) => Math.round(sound(n)));
}

test.each(Object.entries(extremes))("nothing overflows and WebAssembly agrees: %s", (_, sound) => {
  agree(short, sound);
});

test.each([32, 64, 128, 256, 512, 2048, 4096])("a window of %i samples agrees", (windowSamples) => {
  agree(ofSize(windowSamples), extremes["a full-scale square wave of two samples"]);
  agree(ofSize(windowSamples, false), extremes["random signs at full scale"]);
});

test("scaled features agree and are clamped to s8", () => {
  const channels = channelCount(short);
  const scaling = {
    offset: new Array<number>(channels).fill(0),
    multiplier: new Array<number>(channels).fill(2 ** 27),
  };
  const features = agree({ ...short, scaling }, extremes["white noise"]);
  expect(Math.max(...features)).toBe(127);
  expect(Math.min(...features)).toBe(-128);
});

test("a silent clip gives the floor in every band", () => {
  const { coefficients: _, ...rest } = short;
  const bands = extractor({ ...rest, kind: "log-mel" }, "raw")(new Int16Array(short.samples));
  expect(new Set(bands)).toEqual(new Set([-100 * 65536]));
});

test.each([0, 7, 39])("a tone in the middle of band %i is loudest there", (band) => {
  const spec = defaultAudioSpec({ sampleRateHz: 16000, kind: "log-mel" });
  const bands = extractor(spec, "raw")(clipOf(spec, tone(16000 / melEdges(spec)[band + 1])));
  const frame = bands.subarray(20 * 40, 21 * 40);
  expect(frame.indexOf(Math.max(...frame))).toBe(band);
});

test("frames are independent of what lies beyond the window", () => {
  const spec = defaultAudioSpec({ sampleRateHz: 16000 });
  const extract = extractor(spec, "raw");
  const clip = clipOf(spec, extremes["white noise"]);
  const before = extract(clip);
  clip.fill(0, 368 * 20 + 512); // past the end of frame 20
  expect(extract(clip).subarray(0, 21 * 13)).toEqual(before.subarray(0, 21 * 13));
});

describe("random sound", () => {
  const spec: AudioSpec = { ...ofSize(256), mels: 8, kind: "log-mel" };
  const { coefficients: _, ...bands } = spec;
  const extract = extractor(bands, "raw");

  const largestError = (seed: number, bits: number): number => {
    const generator = random(seed);
    const clip = clipOf(bands, () => generator.integer(2 ** (bits + 1)) - 2 ** bits);
    const exact = logMelFloat(
      Float64Array.from(clip, (x) => x / 32768),
      bands,
    );
    return extract(clip).reduce((most, value, i) => {
      return Math.max(most, Math.abs(value / 65536 - exact[i]));
    }, 0);
  };

  // A sample has 8 fraction bits in a window of 256: noise of seven bits lies 90 dB above their
  // rounding.
  test.each([
    { least: 6, most: 15, within: 0.002 },
    { least: 1, most: 5, within: 0.05 },
  ])(
    "of $least to $most bits is within $within dB of the definition",
    ({ least, most, within }) => {
      fc.assert(
        fc.property(fc.integer(), fc.integer({ min: least, max: most }), (seed, bits) => {
          expect(largestError(seed, bits)).toBeLessThan(within);
        }),
        { numRuns: 40 },
      );
    },
  );
});

test("next to a full-scale tone, bands 90 dB below it keep their level within 2 dB", () => {
  const spec = defaultAudioSpec({ sampleRateHz: 16000, kind: "log-mel" });
  const generator = random("beside a tone");
  const clip = clipOf(spec, (n) => tone(36.6)(n) * 0.99 + generator.integer(17) - 8);
  const exact = logMelFloat(
    Float64Array.from(clip, (x) => x / 32768),
    spec,
  );
  const frame = [20 * 40, 21 * 40] as const;
  const levels = exact.slice(...frame);
  expect(Math.max(...levels) - Math.min(...levels)).toBeGreaterThan(90);
  extractor(
    spec,
    "raw",
  )(clip)
    .slice(...frame)
    .forEach((value, i) => {
      expect(Math.abs(value / 65536 - levels[i])).toBeLessThan(2);
    });
});

test("scratch is a frame's: 6.3 kB for the paper's preset", () => {
  const program = plan(frontendRoutine("audio", defaultAudioSpec({ sampleRateHz: 16000 }), "raw"));
  expect(program.regionBytes.scratch).toBeLessThanOrEqual(6400);
  expect(program.regionBytes.constant).toBeLessThanOrEqual(9700);
  expect(featureShape(defaultAudioSpec({ sampleRateHz: 16000 }))).toEqual([44, 13, 1]);
});
