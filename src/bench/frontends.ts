/**
 * What a front-end costs on a Cortex-M4, counted in the emulator: instructions for a second of sound,
 * a picture or a window of readings, RAM, flash.
 *
 * Sound is counted as it comes on a device, hop by hop (a stream, docs/deploy.md).
 */

import {
  constantBytes,
  emitC,
  emitStreamC,
  type Product,
  streamOf,
  streamProduct,
} from "../deploy/index.ts";
import {
  type AudioSpec,
  type FeatureSpec,
  featureShape,
  frontendRoutine,
  type ImageSpec,
  inputShape,
  type SeriesSpec,
} from "../features/index.ts";
import { plan } from "../kernel/index.ts";
import { countOnCortexM4 } from "./cortex-m4.ts";
import { codeReading, type Reading } from "./sections.ts";
import { type Environment, hasTool, inFolder, runTool } from "./tool.ts";
import { compile, STRICT_FLAGS } from "./toolchain.ts";

export interface FrontendCost {
  readonly kind: FeatureSpec["kind"];
  /** Of sound: a second of it; of the others: one. */
  readonly per: "second" | "picture" | "window";
  readonly instructions: Reading;
  /** What goes in, what is kept, working memory: exact. Of sound a hop goes in. */
  readonly ramBytes: number;
  /** Tables: exact. */
  readonly tableBytes: number;
  /** At -Os for Cortex-M4. */
  readonly codeBytes: Reading;
}

/** Hops that are counted, after those that fill the window. */
const COUNTED_HOPS = 8;

/**
 * The cost of one front-end.
 *
 * spec   with a scaling
 */
export async function measureFrontend(
  spec: FeatureSpec,
  options: { environment?: Environment } = {},
): Promise<FrontendCost> {
  return spec.kind === "image" || spec.kind === "series"
    ? wholeCost(spec, options)
    : soundCost(spec, options);
}

async function soundCost(
  spec: AudioSpec,
  options: { environment?: Environment },
): Promise<FrontendCost> {
  const stream = streamOf("audio", spec, []);
  const files = emitStreamC({ name: "front" }, stream);
  const before = stream.delayHops + 2;
  const main = `#include "front_audio.h"
FRONT_AUDIO_STREAM(stream);
FRONT_AUDIO_ARENA(arena);
static int16_t hop[FRONT_AUDIO_HOP];

/* Noise of about a tenth of full scale. */
static void listen(void) {
  static uint32_t state = 1;
  for (int i = 0; i < FRONT_AUDIO_HOP; i++) {
    state = state * 1664525u + 1013904223u;
    hop[i] = (int16_t)((int32_t)(state >> 16) % 6000 - 3000);
  }
}

int main(void) {
  front_audio_start(stream);
  listen();
  for (int h = 0; h < ${before}; h++) front_audio_push(stream, arena, hop);
  ticks_begin();
  for (int h = 0; h < ${COUNTED_HOPS}; h++) front_audio_push(stream, arena, hop);
  ticks_end();
  return 0;
}
`;
  const counted = await countOnCortexM4(files, main, options);
  const alone = streamProduct({ name: "front" }, stream);
  const hops = spec.sampleRateHz / spec.hopSamples;
  const { state, scratch, input } = stream.program.regionBytes;
  return {
    kind: spec.kind,
    per: "second",
    instructions: scaledReading(counted, hops / COUNTED_HOPS),
    ramBytes: state + scratch + input,
    tableBytes: constantBytes(alone),
    codeBytes: await codeOnCortexM4(files, alone, options),
  };
}

/** A picture or a window of a series, in one piece. */
async function wholeCost(
  spec: ImageSpec | SeriesSpec,
  options: { environment?: Environment },
): Promise<FrontendCost> {
  const program = plan(frontendRoutine("raw", spec));
  const length = inputShape(spec).reduce((a, c) => a * c);
  const type = spec.kind === "image" ? "uint8_t" : "int16_t";
  const size = featureShape(spec).reduce((a, c) => a * c);
  const product: Product = {
    name: "front",
    program,
    inputs: [{ name: "raw", kind: spec.kind, description: "raw" }],
    scores: "raw.features",
    classes: Array.from({ length: size }, () => ""),
    examples: [],
  };
  const { "front.h": header, "front.c": source } = emitC(product);
  const main = `#include "front.h"
FRONT_ARENA(arena);
static int8_t features[${size}];
static ${type} raw[${length}];

int main(void) {
  for (int i = 0; i < ${length}; i++) raw[i] = (${type})(i * 37);
  ticks_begin();
  front_run(arena, raw, features);
  ticks_end();
  return 0;
}
`;
  const { input, scratch, output } = program.regionBytes;
  const files = { "front.h": header, "front.c": source };
  return {
    kind: spec.kind,
    per: spec.kind === "image" ? "picture" : "window",
    instructions: await countOnCortexM4(files, main, options),
    ramBytes: input + scratch + output,
    tableBytes: constantBytes(product),
    codeBytes: lessNames(await codeOnCortexM4(files, product, options), size),
  };
}

/** Code of the one source file among `files`, less the tables and names of the product. */
async function codeOnCortexM4(
  files: Readonly<Record<string, string>>,
  product: Product,
  { environment = process.env }: { environment?: Environment },
): Promise<Reading> {
  const [compiler, size] = ["arm-none-eabi-gcc", "arm-none-eabi-size"];
  if (!hasTool(compiler, environment) || !hasTool(size, environment)) {
    return { value: null, reason: `no ${compiler} or ${size} on PATH` };
  }
  const on = `Cortex-M4, ${compiler} -Os`;
  const source = Object.keys(files).find((name) => name.endsWith(".c")) ?? "";
  return inFolder(files, async (folder) => {
    const flags = [...STRICT_FLAGS, "-mcpu=cortex-m4", "-mthumb", "-Os", "-c", source];
    await compile({ command: compiler, leading: [] }, [...flags, "-o", "front.o"], folder);
    return codeReading(product, await runTool(size, ["-A", "front.o"], { folder }), on);
  });
}

/** The names of classes, which only this way of emitting has: a pointer each to one empty text. */
function lessNames(reading: Reading, names: number): Reading {
  return reading.value === null ? reading : { ...reading, value: reading.value - 4 * names - 1 };
}

function scaledReading(reading: Reading, factor: number): Reading {
  return reading.value === null
    ? reading
    : { ...reading, value: Math.round(reading.value * factor) };
}
