/**
 * Folding: the net as it is inferred. Batch normalisation goes into the weights before it, dropout
 * disappears.
 *
 *   gamma * (x * w + b - mean) / sigma + beta = x * (w * s) + ((b - mean) * s + beta),  s = gamma / sigma
 *
 * Source: Jacob et al. 2018 (arXiv:1712.05877), section 3.2.
 */

import { UserError } from "../errors.ts";
import type { Graph, Weights } from "../model/index.ts";
import type { BatchNorm, Layer } from "../tensor/index.ts";

export interface Folded {
  readonly graph: Graph;
  readonly weights: Weights;
}

/**
 * A graph without batch normalisation and dropout that computes the same.
 *
 * Weights that were rounded to maxAbs steps in training are given back their f32 values: quantize
 * rounds them in the same way.
 *
 * throws   UserError for what was trained with steps of its own, which quantize does not take
 */
export function fold(graph: Graph, weights: Weights): Folded {
  graph.layers.forEach(checkSteps);
  const folded: Record<string, Float32Array> = { ...weights };
  const renamed = new Map<string, string>();
  const layers: Layer[] = [];
  for (const original of graph.layers) {
    const inputs = original.inputs.map((name) => renamed.get(name) ?? name);
    const layer = { ...original, inputs };
    if (layer.op === "dropout") {
      renamed.set(layer.name, inputs[0]);
    } else if (layer.op === "batchNorm") {
      const at = layers.findIndex(({ name }) => name === inputs[0]);
      layers[at] = withNorm(layers[at], layer, graph, folded);
      renamed.set(layer.name, inputs[0]);
    } else {
      layers.push(withoutRounding(layer));
    }
  }
  const names = layers.flatMap((layer) => [`${layer.name}.weight`, `${layer.name}.bias`]);
  const kept = Object.entries(folded).filter(([name]) => names.includes(name));
  return { graph: { ...graph, layers }, weights: Object.fromEntries(kept) };
}

function checkSteps(layer: Layer): void {
  const isLearned = "quantize" in layer && layer.quantize?.step === "learned";
  if (layer.op !== "fakeQuantize" && !isLearned) return;
  const what = layer.op === "fakeQuantize" ? layer.op : "learned steps";
  throw new UserError(`compress: layer ${layer.name} (${what}) is not supported in this version`);
}

function withoutRounding(layer: Layer): Layer {
  if (!("quantize" in layer)) return layer;
  const { quantize, ...rest } = layer;
  return rest;
}

function withNorm(
  layer: Layer | undefined,
  norm: BatchNorm,
  graph: Graph,
  folded: Record<string, Float32Array>,
): Layer {
  const readers = graph.layers.filter(({ inputs }) => inputs.includes(norm.inputs[0]));
  const hasWeights =
    layer?.op === "conv2d" || layer?.op === "depthwiseConv2d" || layer?.op === "dense";
  if (!hasWeights || readers.length !== 1) {
    throw new UserError(
      `compress: batch normalisation ${norm.name} must follow a convolution or dense layer directly`,
    );
  }
  const of = (role: string): Float32Array => folded[`${norm.name}.${role}`];
  const [gamma, beta, mean, variance] = [of("gamma"), of("beta"), of("mean"), of("variance")];
  const scale = gamma.map((g, c) => g / Math.sqrt(variance[c] + norm.epsilon));
  const { name } = layer;
  const bias = folded[`${name}.bias`] ?? new Float32Array(gamma.length);
  const channels = gamma.length; // output channels are the last axis of every weight
  folded[`${name}.weight`] = folded[`${name}.weight`].map((w, i) => w * scale[i % channels]);
  folded[`${name}.bias`] = bias.map((b, c) => (b - mean[c]) * scale[c] + beta[c]);
  return { ...layer, bias: true };
}
