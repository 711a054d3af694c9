/** Hop by hop equals one piece: the last sample's zeros included, on the interpreter and in WebAssembly. */

import { expect, test } from "vitest";
import { compile, interpreter, plan, type Runner } from "../kernel/index.ts";
import { random } from "../tensor/index.ts";
import { delayHops } from "./audio-stream.ts";
import { extractor, streamRoutine } from "./frontend.ts";
import { type AudioSpec, defaultAudioSpec, featureShape } from "./spec.ts";

const short: AudioSpec = { ...defaultAudioSpec({ sampleRateHz: 16000 }), samples: 1500 };
const small: AudioSpec = { ...short, windowSamples: 64, mels: 4, coefficients: 3, samples: 400 };
const { coefficients: _, ...rest } = small;

const specs: Record<string, AudioSpec> = {
  "the paper's preset": short,
  "log-mel": { ...rest, kind: "log-mel", hopSamples: 20 },
  "an odd hop": { ...small, hopSamples: 23 },
  "a hop that divides the window": { ...small, hopSamples: 16 },
  "a hop of half a window": { ...small, hopSamples: 32 },
  "a hop longer than the window": { ...small, hopSamples: 100 },
  "a hop longer than two windows, odd": { ...small, hopSamples: 151 },
  "a hop of one sample": { ...small, hopSamples: 1, samples: 40 },
  "frames that are not centred": { ...small, hopSamples: 24, center: false },
  "a clip shorter than a window": { ...small, hopSamples: 24, samples: 10 },
};

/** The hops of a clip, followed by zeros. */
function hopsOf(clip: Int16Array, spec: AudioSpec): Int16Array[] {
  const { hopSamples } = spec;
  const count = featureShape(spec)[0] + delayHops(spec);
  return Array.from({ length: count }, (_, h) => {
    const hop = new Int16Array(hopSamples);
    hop.set(clip.subarray(h * hopSamples, (h + 1) * hopSamples).subarray(0, hopSamples));
    return hop;
  });
}

/** Rows filled after each hop. */
function pushAll({ view, run }: Runner, hops: readonly Int16Array[]): number[] {
  return hops.map((hop) => {
    view("audio").set(hop);
    run();
    return view("audio.filled")[0];
  });
}

function clipOf({ samples }: AudioSpec): Int16Array {
  const generator = random("stream");
  return Int16Array.from({ length: samples }, () => generator.integer(65536) - 32768);
}

test.each(Object.entries(specs))("a stream equals one piece: %s", (_title, spec) => {
  const clip = clipOf(spec);
  const whole = extractor(spec, "raw")(clip);
  const program = plan(streamRoutine("audio", spec, "raw"));
  for (const runner of [interpreter(program), compile(program)]) {
    const filled = pushAll(runner, hopsOf(clip, spec));
    expect(runner.view("audio.features")).toEqual(whole);
    const delay = delayHops(spec);
    expect(filled).toEqual(filled.map((_, h) => Math.max(0, h + 1 - delay)));
  }
});

test("after its first clip a stream goes on: the window slides by one frame a hop", () => {
  const spec = specs["an odd hop"];
  const [frames, channels] = featureShape(spec);
  const more = { ...spec, samples: spec.samples + 5 * spec.hopSamples };
  const clip = clipOf(more);
  const whole = extractor(more, "raw")(clip);
  const stream = compile(plan(streamRoutine("audio", spec, "raw")));
  const filled = pushAll(stream, hopsOf(clip, more));
  expect(filled.at(-1)).toBe(frames);
  expect(stream.view("audio.features")).toEqual(whole.subarray(5 * channels));
});

test("RAM is a window's: under 8 kB for the paper's preset", () => {
  const channels = 13;
  const scaling = {
    offset: new Array<number>(channels).fill(0),
    multiplier: new Array<number>(channels).fill(1),
  };
  const spec = { ...defaultAudioSpec({ sampleRateHz: 16000 }), scaling };
  const { state, scratch, input } = plan(streamRoutine("audio", spec)).regionBytes;
  expect({ state, scratch, input }).toEqual({ state: 2628, scratch: 4256, input: 736 });
});

test("pictures are no stream", () => {
  const source = { height: 8, width: 8, channels: 1 } as const;
  const image = {
    kind: "image",
    height: 4,
    width: 4,
    channels: 1,
    source,
    resize: "area",
  } as const;
  expect(() => streamRoutine("image", image, "raw")).toThrow(
    'streamRoutine: features of image must be sound: mfcc or log-mel, got "image"',
  );
});
