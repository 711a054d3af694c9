/**
 * Post-training quantization: a folded float net becomes an integer net, bits chosen layer by
 * layer.
 */

import { mismatch, UserError } from "../errors.ts";
import type { Weights } from "../model/index.ts";
import {
  inputShapes,
  type Layer,
  type LayerOp,
  type Shape,
  shapesOf,
  sizeOfShape,
} from "../tensor/index.ts";
import type { Calibration } from "./calibrate.ts";
import { multipliersOf } from "./fixed-point.ts";
import type { Folded } from "./fold.ts";
import { quantizeWeights } from "./quantize-weights.ts";
import type {
  Bits,
  Quantization,
  QuantizedGraph,
  QuantizedLayer,
  Weighted,
} from "./quantized-graph.ts";
import { activationScales, isClamp } from "./scales.ts";

export interface QuantizeOptions {
  /** Real value of one step of the features. */
  readonly inputScale: number;
  /** Width of a layer's weights. */
  readonly bits: (layer: string) => Bits;
}

/**
 * The integer form of a folded net.
 *
 * throws   UserError for a layer that has no integer form
 */
export function quantize(
  { graph, weights }: Folded,
  calibration: Calibration,
  { inputScale, bits }: QuantizeOptions,
): QuantizedGraph {
  const input = { scale: inputScale, zeroPoint: 0 };
  const scales = activationScales(graph, calibration.ranges, input);
  const shapes = shapesOf(graph);
  const scaleOf = (name: string): Quantization => scales.get(name) ?? input;
  const clampAfter = new Map(
    graph.layers.flatMap((layer) => (isClamp(layer.op) ? [[layer.inputs[0], layer]] : [])),
  );
  const fused = new Map([...clampAfter].map(([before, { name }]) => [name, before]));
  const layers = graph.layers.flatMap((layer): QuantizedLayer[] => {
    if (isClamp(layer.op)) {
      checkFusable(layer, graph.layers);
      return [];
    }
    const inputs = layer.inputs.map((name) => fused.get(name) ?? name);
    const renamed = { ...layer, inputs };
    const site = {
      weights,
      means: calibration.means.get(layer.inputs[0]),
      input: scaleOf(layer.inputs[0]),
      output: scaleOf(layer.name),
      inputShape: inputShapes(layer, shapes)[0],
      outputShape: shapes.get(layer.name) ?? [],
      clamp: clampAfter.get(layer.name)?.op,
      bits: bits(layer.name),
    };
    return [quantizeLayer(renamed, site)];
  });
  return {
    classes: graph.classes,
    inputs: graph.inputs.map(({ name, shape }) => ({ name, shape, quantization: input })),
    layers,
  };
}

/** The error for a layer that can be trained and not yet compressed. */
function unsupported({ name, op }: Layer): UserError {
  return new UserError(`compress: layer ${name} (${op}) is not supported in this version`);
}

function checkFusable(relu: Layer, layers: readonly Layer[]): void {
  const before = layers.find(({ name }) => name === relu.inputs[0]);
  const readers = layers.filter(({ inputs }) => inputs.includes(relu.inputs[0]));
  const hasWeights =
    before?.op === "conv2d" || before?.op === "depthwiseConv2d" || before?.op === "dense";
  if (!hasWeights || readers.length !== 1) {
    throw new UserError(`compress: ${relu.name} must follow a convolution or dense layer directly`);
  }
}

interface LayerSite {
  readonly weights: Weights;
  readonly means: Float64Array | undefined;
  readonly input: Quantization;
  readonly output: Quantization;
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** Operation of the ReLU or ReLU6 that follows. */
  readonly clamp: LayerOp | undefined;
  readonly bits: Bits;
}

function quantizeLayer(layer: Layer, site: LayerSite): QuantizedLayer {
  const { input, output, inputShape, outputShape } = site;
  const named = { name: layer.name, inputs: layer.inputs, outputShape, output };
  switch (layer.op) {
    case "conv2d": {
      if ((layer.groups ?? 1) > 1) throw unsupported(layer);
      const { kernel, stride, padding } = layer;
      return { op: layer.op, ...named, kernel, stride, padding, ...weighted(layer, site) };
    }
    case "depthwiseConv2d": {
      const { kernel, stride, padding } = layer;
      return { op: layer.op, ...named, kernel, stride, padding, ...weighted(layer, site) };
    }
    case "dense":
      return { op: layer.op, ...named, ...weighted(layer, site) };
    case "maxPool":
      return { op: layer.op, ...named, size: layer.size };
    case "globalAveragePool": {
      const elements = inputShape[0] * inputShape[1];
      const multipliers = multipliersOf([input.scale / (output.scale * elements)]);
      return { op: layer.op, ...named, multipliers, inputZero: input.zeroPoint };
    }
    case "flatten":
    case "concat":
      return { op: layer.op, ...named };
    case "averagePool":
    case "hardSwish":
    case "add":
    case "fakeQuantize":
      throw unsupported(layer);
    default:
      throw mismatch("quantize", `layer ${layer.name}`, { expected: "foldable", got: layer.op });
  }
}

type Weightings = Pick<
  Weighted,
  "bits" | "weights" | "weightShape" | "bias" | "multipliers" | "inputZero" | "low" | "high"
>;

function weighted(layer: Layer, site: LayerSite): Weightings {
  const { weights, input, output, outputShape, clamp, bits, means } = site;
  const real = weights[`${layer.name}.weight`];
  const channels = outputShape[outputShape.length - 1];
  const offset = weights[`${layer.name}.bias`] ?? new Float32Array(channels);
  const leastScales = leastScalesOf(offset, input.scale, output.scale);
  const { values, scales } = quantizeWeights(real, leastScales, bits);
  const sums = new Float64Array(channels);
  const drift = new Float64Array(channels);
  const isDepthwise = layer.op === "depthwiseConv2d";
  for (let i = 0; i < values.length; i++) {
    const c = i % channels;
    sums[c] += values[i];
    // what rounding the weights moves the output by, on average: taken back through the bias
    const from = isDepthwise ? c : Math.floor(i / channels) % (means?.length ?? 1);
    drift[c] += (real[i] - scales[c] * values[i]) * (means?.[from] ?? 0);
  }
  const bias = Int32Array.from(sums, (sum, c) => {
    const step = input.scale * scales[c];
    return Math.round((offset[c] + drift[c]) / step) - input.zeroPoint * sum;
  });
  const factors = Array.from(scales, (scale) => (input.scale * scale) / output.scale);
  return {
    bits,
    weights: values,
    weightShape: weightShapeOf(layer, site),
    bias,
    multipliers: multipliersOf(factors),
    inputZero: input.zeroPoint,
    low: clamp === undefined ? -128 : output.zeroPoint,
    ...(clamp === "relu6" ? { high: sixOf(output) } : {}),
  };
}

/** The integer of the real 6. */
function sixOf({ scale, zeroPoint }: Quantization): number {
  return Math.min(127, zeroPoint + Math.round(6 / scale));
}

/**
 * The least scale of each channel's weights: such that the bias stays within 2^28 steps of the
 * accumulator, and that the factor to the output keeps bits of its multiplier. A channel whose
 * weights are all but zero would otherwise lose its bias.
 */
function leastScalesOf(offset: Float32Array, inputScale: number, outputScale: number): number[] {
  const keepsFactor = (outputScale / inputScale) * 2 ** -20;
  return Array.from(offset, (bias) =>
    Math.max(Math.abs(bias) / (inputScale * 2 ** 28), keepsFactor),
  );
}

function weightShapeOf(layer: Layer, { inputShape }: LayerSite): Shape {
  if (layer.op === "conv2d") return [...layer.kernel, inputShape[2], layer.filters];
  if (layer.op === "depthwiseConv2d") return [...layer.kernel, inputShape[2]];
  return [sizeOfShape(inputShape), layer.op === "dense" ? layer.units : 1];
}
