/**
 * A net as a value: a graph of layers, the classes it tells apart, and its weights. The seam
 * between training and compression.
 */

import { mismatch, UserError } from "../errors.ts";
import {
  type Initial,
  type Net,
  type Parameter,
  parametersOf,
  type Random,
  random,
  type Shape,
  sizeOfShape,
} from "../tensor/index.ts";

export interface Graph extends Net {
  /** Class names; the last layer has one output for each. */
  readonly classes: readonly string[];
}

/** Values of every parameter by name, running statistics included. */
export type Weights = Readonly<Record<string, Float32Array>>;

/**
 * Initial weights: He normal for convolutions, Glorot normal for depthwise and dense layers,
 * constants for the rest.
 *
 * Source: He et al. 2015 (arXiv:1502.01852), equation 10; Glorot, Bengio 2010, equation 16.
 */
export function initialWeights(graph: Graph, seed: number): Weights {
  const weights: Record<string, Float32Array> = {};
  for (const parameter of parametersOf(graph)) {
    const generator = random(`${seed}/initial/${parameter.name}`);
    weights[parameter.name] = initialValues(parameter, generator, weights);
  }
  return weights;
}

function initialValues(
  { shape, initial }: Parameter,
  generator: Random,
  earlier: Weights,
): Float32Array {
  const values = new Float32Array(sizeOfShape(shape));
  if (initial.kind === "constant") return values.fill(initial.value);
  if (initial.kind === "step") return values.map((_, c) => initialStep(c, shape, initial, earlier));
  const fan = initial.kind === "he" ? initial.fanIn / 2 : (initial.fanIn + initial.fanOut) / 2;
  return values.map(() => generator.normal() / Math.sqrt(fan));
}

/** Source: Esser et al. 2020 (arXiv:1902.08153), section 2.1, for each output channel. */
function initialStep(
  channel: number,
  [channels]: Shape,
  { of, high }: Extract<Initial, { kind: "step" }>,
  earlier: Weights,
): number {
  const column = earlier[of].filter((_, i) => i % channels === channel);
  const mean = column.reduce((sum, w) => sum + Math.abs(w), 0) / column.length;
  return (2 * mean) / Math.sqrt(high);
}

/** All weights one after the other in parameter order, little endian. */
export function packWeights(graph: Graph, weights: Weights): Uint8Array {
  const arrays = parametersOf(graph).map(({ name }) => weights[name] ?? new Float32Array());
  const packed = new Float32Array(arrays.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const array of arrays) {
    packed.set(array, at);
    at += array.length;
  }
  return new Uint8Array(packed.buffer);
}

/**
 * The reverse of packWeights.
 *
 * throws   UserError if the number of bytes does not fit the graph or a value is no number
 */
export function unpackWeights(graph: Graph, bytes: Uint8Array, source: string): Weights {
  const parameters = parametersOf(graph);
  const expected = parameters.reduce((total, { shape }) => total + 4 * sizeOfShape(shape), 0);
  if (bytes.byteLength !== expected) {
    throw new UserError(`${source}: weights must be ${expected} bytes, got ${bytes.byteLength}`);
  }
  const packed = new Float32Array(Uint8Array.from(bytes).buffer);
  if (packed.some((value) => !Number.isFinite(value))) {
    throw new UserError(`${source}: weights must be finite numbers`);
  }
  let at = 0;
  return Object.fromEntries(
    parameters.map(({ name, shape }) => {
      const start = at;
      at += sizeOfShape(shape);
      return [name, packed.slice(start, at)];
    }),
  );
}

/** Check that a graph has an output for each class. */
export function checkGraph(graph: Graph, outputShape: readonly number[] | undefined): Graph {
  if (outputShape?.length !== 1 || outputShape[0] !== graph.classes.length) {
    const expected = `[${graph.classes.length}] (one score a class)`;
    throw mismatch("graph", "output shape", { expected, got: outputShape });
  }
  return graph;
}
