/**
 * Lowering: front-ends and integer net become one planned program, raw samples and pixels in,
 * scores out.
 *
 * The order of branches is free, and the arena depends on it, so every order is planned and the
 * smallest arena is kept.
 */

import { featuresOf, type QuantizedGraph, quantizedRoutine, SCORES } from "../compress/index.ts";
import {
  type AudioSpec,
  delayHops,
  extractor,
  type FeatureSpec,
  type Frontend,
  featureShape,
  frontendRoutine,
  streamRoutine,
} from "../features/index.ts";
import { type Call, type Program, plan, type Routine, type Storage } from "../kernel/index.ts";
import { productName } from "./names.ts";
import type { Example, Product, ProductInput, Stream } from "./product.ts";

/**
 * Branches beyond this are planned in the given order only: 4! plans take a moment, 5! too long.
 */
const MAX_PERMUTED = 4;

/**
 * One routine from raw inputs to scores.
 *
 * frontend   a spec for each input of the net; an input without one is fed features
 * order      inputs in the order in which their branches run
 */
export function loweredRoutine(
  graph: QuantizedGraph,
  frontend: Frontend,
  order: readonly string[],
): Routine {
  const net = quantizedRoutine(graph);
  const fronts = new Map(
    order.flatMap((name) =>
      frontend[name] === undefined ? [] : [[name, frontendRoutine(name, frontend[name])]],
    ),
  );
  const features = new Set([...fronts.keys()].map(featuresOf));
  const storage = [...fronts.values()].flatMap((front) =>
    front.storage.map((s): Storage => (features.has(s.name) ? { ...s, role: "scratch" } : s)),
  );
  const branches = branchesOf(graph);
  const callsOf = (branch: string | undefined): Call[] =>
    net.calls.filter(({ label }) => branches.get(label) === branch);
  const calls = order.flatMap((name) => [...(fronts.get(name)?.calls ?? []), ...callsOf(name)]);
  return {
    storage: [...storage, ...net.storage.filter(({ name }) => !features.has(name))],
    calls: [...calls, ...callsOf(undefined)],
  };
}

/** The single input that each layer depends on; undefined once branches have joined. */
function branchesOf({ inputs, layers }: QuantizedGraph): ReadonlyMap<string, string | undefined> {
  const branches = new Map<string, string | undefined>(inputs.map(({ name }) => [name, name]));
  for (const { name, inputs: read } of layers) {
    const reached = new Set(read.map((from) => branches.get(from)));
    branches.set(name, reached.size === 1 ? [...reached][0] : undefined);
  }
  return branches;
}

/** The program with the smallest arena over the orders of the branches. */
function planBranches(graph: QuantizedGraph, frontend: Frontend): Program {
  const inputs = graph.inputs.map(({ name }) => name);
  const orders = inputs.length <= MAX_PERMUTED ? permutations(inputs) : [inputs];
  return orders
    .map((order) => plan(loweredRoutine(graph, frontend, order)))
    .reduce((best, next) => (arena(next) < arena(best) ? next : best));
}

function arena({ regionBytes }: Program): number {
  return regionBytes.scratch;
}

export interface LowerOptions {
  readonly name: string;
  /** Raw inputs and the scores they have to give. */
  readonly examples?: readonly Example[];
  /** Sound is taken hop by hop: its front-ends become streams beside the net. */
  readonly streaming?: boolean;
}

/** A product from an integer net and its front-ends. */
export function lower(
  graph: QuantizedGraph,
  frontend: Frontend,
  { name, examples = [], streaming = false }: LowerOptions,
): Product {
  if (streaming) return lowerStreaming(graph, frontend, { name, examples });
  const inputs = graph.inputs.map(({ name: input }) => input);
  return {
    name: productName(name),
    program: planBranches(graph, frontend),
    inputs: inputs.map((input) => productInput(input, frontend[input])),
    scores: SCORES,
    classes: graph.classes,
    examples,
  };
}

function productInput(name: string, spec: FeatureSpec | undefined): ProductInput {
  if (spec === undefined) {
    return { name: featuresOf(name), kind: "features", description: "features, s8" };
  }
  if (spec.kind === "image") {
    const { height, width, channels } = spec.source;
    const colour = channels === 3 ? "RGB" : "grey";
    return { name, kind: "image", description: `${height} x ${width} pixels, ${colour}, u8` };
  }
  if (spec.kind === "series") {
    const { samples, channels, rateHz, units } = spec;
    const steps = `a step is ${units.join(", ")}`;
    const text = `${samples} readings of ${channels} channels, ${rateHz} Hz, s16, ${steps}`;
    return { name, kind: "series", description: text };
  }
  const description = `${spec.samples} samples, ${spec.sampleRateHz} Hz mono, s16`;
  return { name, kind: "audio", description };
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) =>
    permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]),
  );
}

/** The net on features of sound, and a stream for each front-end that makes them. */
function lowerStreaming(
  graph: QuantizedGraph,
  frontend: Frontend,
  { name, examples = [] }: LowerOptions,
): Product {
  const sound = new Map<string, AudioSpec>();
  for (const [modality, spec] of Object.entries(frontend)) {
    if (spec.kind === "mfcc" || spec.kind === "log-mel") sound.set(modality, spec);
  }
  const rest = Object.fromEntries(Object.entries(frontend).filter(([key]) => !sound.has(key)));
  const extractors = new Map([...sound].map(([key, spec]) => [key, extractor(spec)]));
  const featured = examples.map(({ inputs, scores }): Example => {
    const given = Object.entries(inputs).map(([key, value]) => {
      const extract = extractors.get(key);
      return extract ? [featuresOf(key), extract(value)] : [key, value];
    });
    return { inputs: Object.fromEntries(given), scores };
  });
  const streams = [...sound].map(([modality, spec]) =>
    streamOf(
      modality,
      spec,
      examples.map(({ inputs }) => Int16Array.from(inputs[modality])),
    ),
  );
  return { ...lower(graph, rest, { name, examples: featured }), streams };
}

/** The stream of a modality; one recording for each example of its product. */
export function streamOf(modality: string, spec: AudioSpec, clips: readonly Int16Array[]): Stream {
  const { hopSamples, sampleRateHz } = spec;
  return {
    name: modality,
    features: featuresOf(modality),
    program: plan(streamRoutine(modality, spec)),
    frames: featureShape(spec)[0],
    delayHops: delayHops(spec),
    description: `${hopSamples} samples, ${sampleRateHz} Hz mono, s16`,
    clips,
  };
}
