/**
 * A net as a routine: the calls of a training step, or of inference on a batch, and their storage.
 *
 * Every value gets a storage named as its layer, its gradient "d.<layer>", what belongs to no layer a
 * name with "$"; the planner of `kernel` lets those share memory that are not alive together. All
 * trainable parameters lie in one state, so that the optimizer is a single kernel.
 */

import {
  type Call,
  call,
  type Each,
  inPhases,
  type Routine,
  type Storage,
} from "../kernel/index.ts";
import { copy, dequantize, sum } from "./kernels/elementwise.ts";
import { crossEntropy } from "./kernels/loss.ts";
import type { Shape } from "./layer.ts";
import { merged, type Unit, unmerged } from "./merge.ts";
import { checkNet, inputShapes, type Net, parametersOf, shapesOf, trainableOf } from "./net.ts";
import { product, type Site, type Step } from "./op.ts";
import {
  isInPlace,
  isRecomputed,
  isView,
  layerAgain,
  layerBackward,
  layerForward,
  readsAcross,
} from "./ops/index.ts";
import { DEFAULT_OPTIMIZER, type Optimizer, optimizerStep } from "./optimizer.ts";

export interface TrainingOptions {
  readonly batch: number;
  /** Real value of one step of the s8 inputs. */
  readonly inputScale: number;
  /** Label smoothing in [0, 1). */
  readonly smoothing?: number;
  /** Default: AdamW. */
  readonly optimizer?: Optimizer;
  /** Round sums of products once where the machine can: faster, and not the interpreter's bits. */
  readonly fused?: boolean;
}

export interface InferenceOptions extends Pick<TrainingOptions, "batch" | "inputScale" | "fused"> {
  /** Every layer's values stay readable, for calibration. */
  readonly keep?: boolean;
}

/** Inference as a routine. */
export function inferenceRoutine(
  net: Net,
  { batch, inputScale, keep = false }: InferenceOptions,
): Routine {
  // whoever wants every layer's values needs every layer
  const context = contextOf(net, batch, { isTraining: false, merge: !keep });
  return inPhases(forwardRoutine(context, inputScale));
}

interface Context {
  readonly net: Net;
  /** The layers, merged where that is allowed. */
  readonly units: readonly Unit[];
  readonly batch: number;
  readonly each: Each;
  readonly isTraining: boolean;
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly consumers: ReadonlyMap<string, readonly Unit["layer"][]>;
}

function contextOf(
  net: Net,
  batch: number,
  { isTraining, merge }: { isTraining: boolean; merge: boolean },
): Context {
  checkNet(net);
  const units = merge ? merged(net, { isTraining }) : unmerged(net);
  const layers = units.map(({ layer }) => layer);
  const names = [...net.inputs, ...layers].map(({ name }) => name);
  const consumers = new Map(
    names.map((name) => [name, layers.filter(({ inputs }) => inputs.includes(name))]),
  );
  // fixed whatever the number of threads: the order of sums follows from it
  const perChunk = Math.ceil(batch / CHUNKS);
  const each = { items: batch, chunks: Math.ceil(batch / perChunk) };
  return { net, units, batch, each, isTraining, shapes: shapesOf(net), consumers };
}

/** Parts of a batch whose gradients are added up apart; as many threads have work. */
const CHUNKS = 8;

/** The step as a routine; exported for tests that run it in the interpreter. */
export function trainingRoutine(net: Net, options: TrainingOptions & { merge?: boolean }): Routine {
  const { batch, inputScale, smoothing = 0, optimizer = DEFAULT_OPTIMIZER, merge = true } = options;
  const context = contextOf(net, batch, { isTraining: true, merge });
  const forward = forwardRoutine(context, inputScale);
  const last = net.layers[net.layers.length - 1];
  const classes = product(context.shapes.get(last.name) ?? []);
  const trainable = trainableOf(net);
  const size = trainable.reduce((total, { shape }) => total + product(shape), 0);
  const loss = call("$loss", crossEntropy({ batch, classes }, { smoothing }), {
    logits: "$logits",
    labels: "$labels",
    labels2: "$labels2",
    share2: "$share2",
    weight: "$weight",
    loss: "$loss",
    dlogits: gradientOf(last.name),
  });
  const update = optimizerStep(trainable, optimizer);
  const backward = backwardSteps(context);
  const vector = (name: string, role: Storage["role"], count: number): Storage => ({
    name,
    type: "f32",
    shape: [count],
    role,
  });
  return inPhases({
    storage: [
      ...forward.storage,
      { name: "$labels", type: "s32", shape: [batch], role: "input" },
      { name: "$labels2", type: "s32", shape: [batch], role: "input" },
      vector("$share2", "input", batch),
      vector("$weight", "input", batch),
      vector("$hyper", "input", 4),
      vector("$loss", "output", 1),
      vector("$gradients", "scratch", size),
      ...update.storage,
      ...views(trainable, "$gradients", gradientOf),
      ...backward.storage,
    ],
    calls: [...forward.calls, loss, ...backward.calls, update.call],
  });
}

function gradientOf(name: string): string {
  return `d.${name}`;
}

/** Where the values of an input or layer are. */
function valueName(name: string, { net }: Context): string {
  if (net.inputs.some((input) => input.name === name)) return `$${name}`;
  return net.layers[net.layers.length - 1].name === name ? "$logits" : name;
}

function views(
  parameters: readonly { name: string; shape: Shape }[],
  within: string,
  rename: (name: string) => string = (name) => name,
): Storage[] {
  let offset = 0;
  return parameters.map(({ name, shape }) => {
    const view = { name: within, offset };
    offset += product(shape);
    return { name: rename(name), type: "f32", shape, role: "state", within: view };
  });
}

function forwardRoutine(context: Context, inputScale: number): Routine {
  const { net, batch, shapes } = context;
  const trainable = trainableOf(net);
  const running = parametersOf(net).filter((parameter) => !parameter.trainable);
  const count = (list: readonly { shape: Shape }[]): number =>
    Math.max(
      1,
      list.reduce((total, { shape }) => total + product(shape), 0),
    );
  const numbers = Int32Array.from({ length: batch }, (_, n) => n);
  const storage: Storage[] = [
    { name: "$counter", type: "s32", shape: [2], role: "input" },
    { name: "$sample", type: "s32", shape: [batch], role: "constant", data: numbers },
    { name: "$parameters", type: "f32", shape: [count(trainable)], role: "state" },
    { name: "$running", type: "f32", shape: [count(running)], role: "state" },
    ...views(trainable, "$parameters"),
    ...views(running, "$running"),
    ...runningPairs(running),
  ];
  const calls: Call[] = [];
  for (const { name, shape } of net.inputs) {
    const full = [batch, ...shape];
    storage.push({ name, type: "s8", shape: full, role: "input" });
    storage.push({ name: `$${name}`, type: "f32", shape: full, role: "scratch" });
    const kernel = dequantize(product(shape), inputScale);
    calls.push(call(name, kernel, { x: name, y: `$${name}` }, context.each));
  }
  context.units.forEach((unit) => {
    const { layer } = unit;
    const step = skipsDropout(layer, context)
      ? { calls: [], storage: [] }
      : layerForward(layer, siteOf(unit, context));
    const shape = [batch, ...(shapes.get(layer.name) ?? [])];
    const name = valueName(layer.name, context);
    const source = layer.inputs[0];
    const isSameValue = isView(layer) || skipsDropout(layer, context);
    const shares = isSameValue || (isInPlace(layer, "forward") && mayOverwrite(source, context));
    const within = { name: valueName(source, context), offset: 0 };
    const role = name === "$logits" ? "output" : "scratch";
    storage.push({
      name,
      type: "f32",
      shape,
      role,
      ...(shares && role === "scratch" ? { within } : {}),
    });
    storage.push(...step.storage);
    calls.push(...step.calls);
  });
  return { storage, calls };
}

/** Whether nothing else sees a value: one reader, and no view of something that others may read. */
function mayOverwrite(name: string, context: Context): boolean {
  const layer = context.units.find((unit) => unit.layer.name === name)?.layer;
  if (layer === undefined || isView(layer) || skipsDropout(layer, context)) return false;
  return context.consumers.get(name)?.length === 1;
}

/** mean and variance of a batch normalisation as one [2, C], as they lie side by side. */
function runningPairs(running: readonly { name: string; shape: Shape }[]): Storage[] {
  let offset = 0;
  return running.flatMap(({ name, shape }): Storage[] => {
    const within = { name: "$running", offset };
    offset += product(shape);
    if (!name.endsWith(".mean")) return [];
    const pair = name.replace(/\.mean$/, ".running");
    return [{ name: pair, type: "f32", shape: [2, ...shape], role: "state", within }];
  });
}

function skipsDropout(layer: Unit["layer"], { isTraining }: Context): boolean {
  return layer.op === "dropout" && !isTraining;
}

function siteOf({ layer, index }: Unit, context: Context): Site {
  const { net, batch, shapes, consumers, isTraining } = context;
  const isInput = (name: string): boolean => net.inputs.some((input) => input.name === name);
  const pieceOf = (name: string): string =>
    (consumers.get(name)?.length ?? 0) > 1 ? `${gradientOf(name)}.${layer.name}` : gradientOf(name);
  return {
    batch,
    each: context.each,
    inputs: inputShapes(layer, shapes),
    output: shapes.get(layer.name) ?? [],
    x: layer.inputs.map((name) => valueName(name, context)),
    y: valueName(layer.name, context),
    dx: layer.inputs.map((name) => (isInput(name) ? undefined : pieceOf(name))),
    dy: gradientOf(layer.name),
    parameter: (role, name = layer.name) => `${name}.${role}`,
    gradient: (role, name = layer.name) => gradientOf(`${name}.${role}`),
    counter: "$counter",
    sample: "$sample",
    isTraining,
    index,
  };
}

/**
 * Backward steps in reverse order, with the gradients' storage and the sums where a value is read
 * more than once.
 */
function backwardSteps(context: Context): { calls: Call[]; storage: Storage[] } {
  const { batch, shapes, consumers } = context;
  const calls: Call[] = [];
  const storage: Storage[] = [];
  const recomputed = recomputing(context);
  for (const unit of [...context.units].reverse()) {
    const { layer } = unit;
    const site = recomputed.siteOf(unit);
    const shape = [batch, ...site.output];
    const readers = consumers.get(layer.name) ?? [];
    if (readers.length !== 1) {
      // the last layer's gradient comes from the loss; one with several readers is a sum of pieces
      storage.push({ name: site.dy, type: "f32", shape, role: "scratch" });
      const pieces = readers.map((reader) => `${site.dy}.${reader.name}`);
      pieces.slice(1).forEach((piece, i) => {
        const x = i === 0 ? pieces[0] : site.dy;
        const kernel = sum(product(site.output));
        calls.push(call(layer.name, kernel, { x, z: piece, y: site.dy }, context.each));
      });
    }
    const step = layerBackward(layer, site);
    layer.inputs.forEach((name, i) => {
      const piece = site.dx[i];
      if (piece === undefined) return;
      const shares = isView(layer) || isInPlace(layer, "backward");
      const full = [batch, ...(shapes.get(name) ?? [])];
      const within = { name: site.dy, offset: 0 };
      storage.push({
        name: piece,
        type: "f32",
        shape: full,
        role: "scratch",
        ...(shares ? { within } : {}),
      });
    });
    for (const before of recomputed.before(step)) {
      storage.push(...before.storage);
      calls.push(...before.calls);
    }
    storage.push(...step.storage);
    calls.push(...step.calls);
  }
  return { calls, storage };
}

/**
 * Values that backward computes once more instead of finding them kept, or fetches before they are
 * read across: each in a storage of its own, "<layer>.again", by late calls in front of the first step
 * that reads it.
 */
function recomputing(context: Context) {
  const { units, batch, consumers } = context;
  const byValue = new Map<string, Unit>();
  for (const unit of units) {
    const { y } = siteOf(unit, context);
    const isFetched = (consumers.get(unit.layer.name) ?? []).some(readsAcross);
    if (y !== "$logits" && (isFetched || isRecomputed(unit.layer))) byValue.set(y, unit);
  }
  const nameOf = (value: string): string => (byValue.has(value) ? `${value}.again` : value);
  const siteAgain = (unit: Unit): Site => {
    const site = siteOf(unit, context);
    return { ...site, x: site.x.map(nameOf), y: nameOf(site.y) };
  };
  const done = new Set<string>();
  const before = ({ calls }: Step): Step[] =>
    [...byValue].flatMap(([value, unit]) => {
      const name = nameOf(value);
      const isRead = calls.some((one) => one.arguments.includes(name));
      if (!isRead || done.has(name)) return [];
      done.add(name);
      const site = siteAgain(unit);
      const own = layerAgain(unit.layer, site) ?? fetch(unit, { from: value, to: site.y });
      const late = own.calls.map((one) => ({ ...one, late: true }));
      const shape = [batch, ...site.output];
      const value32 = { name, type: "f32", shape, role: "scratch" } as const;
      return [...before(own), { calls: late, storage: [...own.storage, value32] }];
    });
  const fetch = ({ layer }: Unit, { from, to }: { from: string; to: string }): Step => {
    const kernel = copy(product(context.shapes.get(layer.name) ?? []));
    return { calls: [call(layer.name, kernel, { x: from, y: to }, context.each)], storage: [] };
  };
  return { siteOf: siteAgain, before };
}
