/**
 * The front-ends give the interpreter's integers everywhere: WebAssembly, C on this machine, on an
 * emulated Cortex-M4 and on an emulated Cortex-A72, over the inputs that fixed point finds hard.
 *
 * A front-end is emitted as a product whose scores are its features; the golden vectors of its
 * self-test are the interpreter's.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { target } from "../src/bench/index.ts";
import { decodeWav } from "../src/data/index.ts";
import { emitC, emitWasm, type Product, streamOf } from "../src/deploy/index.ts";
import {
  type AudioSpec,
  defaultAudioSpec,
  extractor,
  type FeatureSpec,
  fitScaling,
  frontendRoutine,
  type ImageSpec,
  prepareAudio,
  type SeriesSpec,
} from "../src/features/index.ts";
import {
  build as b,
  call,
  interpreter,
  plan,
  type Storage,
  sizeOf,
  type TypedArray,
} from "../src/kernel/index.ts";
import { random } from "../src/tensor/index.ts";
import { dataFolder, needs } from "./capabilities.ts";
import { cortexA72, cortexM4, folderOf, tool } from "./emulated.ts";

type Signal = (n: number) => number;

const noise = random("features-conformance");

const sounds: Record<string, Signal> = {
  random: () => noise.integer(65536) - 32768,
  "random, quiet": () => noise.integer(17) - 8,
  silent: () => 0,
  "clipped tone": (n) => Math.max(-32768, Math.min(32767, 90000 * Math.sin(n / 9))),
  "clipped noise": () => (noise.integer(2) === 0 ? 32767 : -32768),
  "direct current": () => -32768,
  "direct current of one": () => 1,
  tone: (n) => 32767 * Math.sin((2 * Math.PI * n) / 7.3),
  impulse: (n) => (n === 700 ? -32768 : 0),
};

/** Five frames of the paper's preset, and what differs from it. */
const paper: AudioSpec = { ...defaultAudioSpec({ sampleRateHz: 16000 }), samples: 1500 };
const { coefficients: _, ...noCepstrum } = paper;
const audioSpecs: Record<string, AudioSpec> = {
  mfcc: paper,
  "log-mel": { ...noCepstrum, kind: "log-mel", mels: 20, windowSamples: 512, hopSamples: 320 },
  "HTK, not centred": {
    ...paper,
    windowSamples: 256,
    hopSamples: 161,
    center: false,
    mels: 16,
    coefficients: 8,
    melScale: "htk",
    lowHz: 100,
    highHz: 7000,
  },
};

const colour = { height: 48, width: 40, channels: 3 } as const;
const grey = { height: 17, width: 23, channels: 1 } as const;
const image = { kind: "image", height: 12, width: 16 } as const;
const imageSpecs: Record<string, ImageSpec> = {
  area: { ...image, channels: 3, source: colour, resize: "area" },
  "bilinear, to grey": { ...image, channels: 1, source: colour, resize: "bilinear" },
  "larger, to colour": {
    ...image,
    height: 20,
    width: 31,
    channels: 3,
    source: grey,
    resize: "bilinear",
  },
  "area of a crop": {
    ...image,
    channels: 3,
    source: colour,
    crop: { top: 5, left: 3, height: 36, width: 32 },
    resize: "area",
  },
  "area, uneven": { ...image, height: 5, width: 7, channels: 1, source: grey, resize: "area" },
};

const pictures: Record<string, Signal> = {
  random: () => noise.integer(256),
  black: () => 0,
  white: () => 255,
  ramp: (n) => n % 256,
  checks: (n) => 255 * (n % 2),
};

const seriesSpecs: Record<string, SeriesSpec> = {
  "series, means": seriesSpec({ samples: 90, length: 30, channels: 3, resize: "area" }),
  "series, uneven means": seriesSpec({ samples: 100, length: 36, channels: 2, resize: "area" }),
  "series, interpolated": seriesSpec({ samples: 25, length: 40, channels: 1, resize: "bilinear" }),
};

function seriesSpec(
  shape: Pick<SeriesSpec, "samples" | "length" | "channels" | "resize">,
): SeriesSpec {
  const units = new Array<number>(shape.channels).fill(1);
  return { kind: "series", rateHz: 50, units, ...shape };
}

/** The same second of real speech and noise at every front-end's rate. */
function recordings(spec: AudioSpec): Int16Array[] {
  const folder = join(dataFolder, "dsp-reference");
  return ["digit8k.wav", "drone16k.wav", "heli44k_stereo.wav"]
    .filter((file) => existsSync(join(folder, file)))
    .map((file) => {
      const { channels, sampleRateHz } = decodeWav(readFileSync(join(folder, file)), file);
      return prepareAudio({ samples: channels[0].subarray(2000), sampleRateHz }, spec);
    });
}

function inputsOf(spec: FeatureSpec): TypedArray[] {
  if (spec.kind === "series") {
    const length = spec.samples * spec.channels;
    return Object.values(sounds).map((at) =>
      Int16Array.from({ length }, (_v, n) => Math.round(at(n))),
    );
  }
  if (spec.kind === "image") {
    const { height, width, channels } = spec.source;
    const length = height * width * channels;
    return Object.values(pictures).map((at) => Uint8Array.from({ length }, (_v, n) => at(n)));
  }
  const { samples: length } = spec;
  const made = Object.values(sounds).map((at) =>
    Int16Array.from({ length }, (_v, n) => Math.round(at(n))),
  );
  return [...made, ...recordings(spec)];
}

const specs: Readonly<Record<string, FeatureSpec>> = {
  ...audioSpecs,
  ...imageSpecs,
  ...seriesSpecs,
};

/** The scaling of a front-end, four times as steep, so that both ends of s8 are reached. */
function scaled(spec: FeatureSpec, inputs: readonly TypedArray[]): FeatureSpec {
  const { offset, multiplier } = fitScaling(inputs.map(extractor(spec, "raw")), spec);
  return { ...spec, scaling: { offset, multiplier: multiplier.map((m) => 4 * m) } };
}

const inputs = new Map(Object.entries(specs).map(([name, spec]) => [name, inputsOf(spec)]));
const fitted: Readonly<Record<string, FeatureSpec>> = Object.fromEntries(
  Object.entries(specs).map(([name, spec]) => [name, scaled(spec, inputs.get(name) ?? [])]),
);

/** All front-ends one after the other; their features side by side are the scores. */
function everyFrontend(): Product {
  const routines = Object.entries(fitted).map(([name, spec]) => frontendRoutine(name, spec));
  let size = 0;
  const storage = routines.flatMap((routine) =>
    routine.storage.map((s): Storage => {
      if (s.role !== "output") return s;
      const offset = size;
      size += sizeOf(s.shape);
      return { ...s, within: { name: "scores", offset } };
    }),
  );
  const scores: Storage = { name: "scores", type: "s8", shape: [size], role: "output" };
  const calls = routines.flatMap((routine) => routine.calls);
  const program = plan({ storage: [...storage, scores], calls });
  const names = Object.keys(specs);
  const product: Product = {
    name: "front",
    program,
    inputs: names.map((name) => ({ name, kind: "features", description: "raw" })),
    scores: "scores",
    classes: Array.from({ length: size }, (_v, i) => `feature ${i}`),
    examples: [],
  };
  const count = Math.max(...[...inputs.values()].map(({ length }) => length));
  const runner = interpreter(program);
  const examples = Array.from({ length: count }, (_v, e) => {
    const chosen = [...inputs].map(([name, all]) => [name, all[e % all.length]] as const);
    for (const [name, input] of chosen) runner.view(name).set(input);
    runner.run();
    const given = Object.fromEntries(chosen);
    return { inputs: given, scores: Int8Array.from(runner.view("scores")) };
  });
  return { ...product, examples };
}

let product: Product;
beforeAll(() => {
  product = everyFrontend();
});

describe("the integers of every front-end", () => {
  const scoresOn = (name: string): Promise<Int8Array[]> =>
    target(name).run(
      product,
      product.examples.map(({ inputs }) => inputs),
    );
  const expected = (): Int8Array[] => product.examples.map(({ scores }) => scores);

  test("reach both ends of s8", () => {
    const { storage } = product.program;
    for (const { name, role, address, shape } of storage) {
      if (role !== "output" || name === "scores") continue;
      const all = expected().flatMap((scores) => [
        ...scores.subarray(address, address + sizeOf(shape)),
      ]);
      expect(Math.min(...all)).toBe(-128);
      expect(Math.max(...all)).toBe(127);
    }
  });

  test("are the same in WebAssembly", async () => {
    expect(await scoresOn("wasm")).toEqual(expected());
  });

  test("are the same in C on this machine", needs("cc"), async () => {
    expect(await scoresOn("portable")).toEqual(expected());
  });

  const selftest = ["front.c", "front_selftest.c"];

  test("are the same on a Cortex-M4", needs("arm-gcc"), () => {
    expect(cortexM4(folderOf(emitC(product)), "-O2", ...selftest)).toBe(0);
  });

  test("are the same on a Cortex-A72", needs("aarch64-gcc"), () => {
    expect(cortexA72(folderOf(emitC(product)), "-O2", ...selftest)).toBe(0);
  });
});

/** The same scores from streams: sound comes hop by hop, and the program copies its features. */
function streamed(whole: Product): Product {
  const sound = Object.entries(fitted).flatMap(([name, spec]) =>
    spec.kind === "mfcc" || spec.kind === "log-mel" ? [[name, spec] as const] : [],
  );
  const streams = sound.map(([name, spec]) =>
    streamOf(
      name,
      spec,
      whole.examples.map(({ inputs: given }) => Int16Array.from(given[name])),
    ),
  );
  const scores = whole.program.storage.filter(({ name }) =>
    sound.some(([s]) => name === `${s}.features`),
  );
  const size = scores.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const calls = scores.map(({ name, shape }) => {
    const [x, y] = [b.buffer("x", "s8", [sizeOf(shape)]), b.buffer("y", "s8", [sizeOf(shape)])];
    const body = b.loop("i", sizeOf(shape), (i) => [b.store(y, [i], b.load(x, i))]);
    return call(name, b.kernel("copy", [x, y], [body]), { x: name, y: `${name} copied` });
  });
  let offset = 0;
  const storage = scores.flatMap(({ name, type, shape }): Storage[] => {
    const copied = { name: `${name} copied`, type, shape, within: { name: "scores", offset } };
    offset += sizeOf(shape);
    return [
      { name, type, shape, role: "input" },
      { ...copied, role: "output" },
    ];
  });
  const all: Storage = { name: "scores", type: "s8", shape: [size], role: "output" };
  return {
    name: "front",
    program: plan({ storage: [...storage, all], calls }),
    inputs: scores.map(({ name }) => ({ name, kind: "features", description: "features" })),
    scores: "scores",
    classes: Array.from({ length: size }, (_v, i) => `feature ${i}`),
    examples: whole.examples.map((example) => ({
      inputs: Object.fromEntries(
        scores.map(({ name, shape, address }) => [
          name,
          example.scores.slice(address, address + sizeOf(shape)),
        ]),
      ),
      scores: example.scores.slice(0, size),
    })),
    streams,
  };
}

const DIFFER = /front: 0 of \d+ examples differ\n$/;

describe("hop by hop, the emitted code gives the integers of one piece", () => {
  const files = (): Record<string, string> => emitC(streamed(product));
  const sources = (): string[] => Object.keys(files()).filter((name) => name.endsWith(".c"));

  test("in WebAssembly", () => {
    const folder = folderOf(emitWasm(streamed(product)));
    const { told, status } = tool(folder, process.execPath, "selftest.mjs");
    expect({ told, status }).toEqual({ told: expect.stringMatching(DIFFER), status: 0 });
  });

  test("on this machine", needs("cc"), () => {
    const { told, status } = tool(folderOf(files()), "make", "selftest");
    expect({ told, status }).toEqual({
      told: expect.stringMatching(DIFFER),
      status: 0,
    });
  });

  test("on a Cortex-M4", needs("arm-gcc"), () => {
    expect(cortexM4(folderOf(files()), "-Os", ...sources())).toBe(0);
  });

  test("on a Cortex-A72", needs("aarch64-gcc"), () => {
    expect(cortexA72(folderOf(files()), "-O2", ...sources())).toBe(0);
  });
});
