/**
 * Layers with weights, computed with fake-quantized ones.
 *
 * The operation itself does not know: its weight is the storage `<layer>.quantized`, and the
 * gradient it writes is turned into those of `<layer>.weight` and `<layer>.step` after it.
 */

import { weightLevels } from "../kernels/levels.ts";
import {
  maxAbsSteps,
  quantizeWeights,
  quantizeWeightsGradient,
  type WeightShape,
} from "../kernels/quantize-weights.ts";
import type { Conv2d, Layer, Parameter, Shape, WeightQuantization } from "../layer.ts";
import { type Op, product, type Site, type Step, type Steps, step } from "../op.ts";

type Quantizable = Layer & { readonly quantize?: WeightQuantization };

/** The operation with the layer's `quantize` obeyed: `step` [channels] is a parameter if learned. */
export function withQuantizedWeight<L extends Quantizable>(op: Op<L>): Op<L> {
  return {
    ...op,
    parameters(layer, inputs) {
      const own = op.parameters(layer, inputs);
      return layer.quantize?.step === "learned" ? [...own, stepOf(own, layer.quantize)] : own;
    },
    ...withQuantized(op, (layer) => layer, op.parameters),
  };
}

/** The steps of a merged layer with the `quantize` of its convolution obeyed. */
export function withQuantizedConv<L extends { readonly conv: Conv2d }>(
  steps: Steps<L>,
  parameters: Op<Conv2d>["parameters"],
): Steps<L> {
  return withQuantized(steps, ({ conv }) => conv, parameters);
}

/**
 * With "maxAbs" the step follows the weights and the gradient goes straight through: no weight is
 * out of range.
 *
 * weighted  the layer that has the weight
 */
function withQuantized<L, W extends Quantizable>(
  steps: Steps<L>,
  weighted: (layer: L) => W,
  parameters: Op<W>["parameters"],
): Steps<L> {
  const { again } = steps;
  return {
    forward(layer, site) {
      const own = weighted(layer);
      if (own.quantize === undefined) return steps.forward(layer, site);
      const s = step(own, site);
      const shape = weightShape(parameters(own, site.inputs));
      const { rows, channels } = shape;
      const levels = weightLevels(own.quantize.bits);
      const weight = site.parameter("weight", own.name);
      const isLearned = own.quantize.step === "learned";
      const sizes = isLearned ? site.parameter("step", own.name) : s.scratch("step", [channels]);
      if (!isLearned) s.add(maxAbsSteps(shape, levels), { weight, step: sizes });
      const quantized = s.scratch("quantized", [rows, channels]);
      s.add(quantizeWeights(shape, levels), { weight, step: sizes, quantized });
      return joined(s, steps.forward(layer, quantizedSite(own, site)));
    },
    ...(again === undefined
      ? {}
      : { again: (layer, site) => again(layer, quantizedSite(weighted(layer), site)) }),
    backward(layer, site) {
      const own = weighted(layer);
      if (own.quantize === undefined) return steps.backward(layer, site);
      const given = steps.backward(layer, quantizedSite(own, site));
      if (own.quantize.step === "maxAbs") return given;
      const s = step(own, site);
      const shape = weightShape(parameters(own, site.inputs));
      s.add(quantizeWeightsGradient(shape, weightLevels(own.quantize.bits)), {
        weight: site.parameter("weight", own.name),
        step: site.parameter("step", own.name),
        dquantized: s.scratch("dquantized", [shape.rows, shape.channels]),
        dweight: site.gradient("weight", own.name),
        dstep: site.gradient("step", own.name),
      });
      return joined(given, s);
    },
  };
}

/** Initial step: 2 mean |w| / sqrt(high), section 2.1 of the paper. */
function stepOf(own: readonly Parameter[], { bits }: WeightQuantization): Parameter {
  const [{ name }] = own;
  const initial = { kind: "step", of: name, high: weightLevels(bits).high } as const;
  const { channels } = weightShape(own);
  return {
    name: name.replace(/weight$/, "step"),
    shape: [channels],
    initial,
    trainable: true,
  };
}

/** The weight comes first among a layer's parameters, its output channels last among its axes. */
function weightShape([{ shape }]: readonly { readonly shape: Shape }[]): WeightShape {
  const channels = shape[shape.length - 1];
  return { rows: product(shape) / channels, channels };
}

/** The site as the operation sees it. */
function quantizedSite({ name, quantize }: Quantizable, site: Site): Site {
  if (quantize === undefined) return site;
  const isLearned = quantize.step === "learned";
  return {
    ...site,
    parameter: (role, layer) =>
      role === "weight" ? `${name}.quantized` : site.parameter(role, layer),
    gradient: (role, layer) =>
      role === "weight" && isLearned ? `${name}.dquantized` : site.gradient(role, layer),
  };
}

function joined(first: Step, second: Step): Step {
  return {
    calls: [...first.calls, ...second.calls],
    storage: [...first.storage, ...second.storage],
  };
}
