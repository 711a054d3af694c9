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
import type { Layer, Parameter, Shape, WeightQuantization } from "../layer.ts";
import { type Op, product, type Site, type Step, step } from "../op.ts";

type Quantizable = Layer & { readonly quantize?: WeightQuantization };

/**
 * The operation with the layer's `quantize` obeyed.
 *
 * With step "learned" it has one parameter more, `step` [channels]. With "maxAbs" the step follows
 * the weights and the gradient goes straight through: no weight is out of range.
 */
export function withQuantizedWeight<L extends Quantizable>(op: Op<L>): Op<L> {
  return {
    ...op,
    parameters(layer, inputs) {
      const own = op.parameters(layer, inputs);
      return layer.quantize?.step === "learned" ? [...own, stepOf(own, layer.quantize)] : own;
    },
    forward(layer, site) {
      if (layer.quantize === undefined) return op.forward(layer, site);
      const s = step(layer, site);
      const shape = weightShape(op.parameters(layer, site.inputs));
      const { rows, channels } = shape;
      const levels = weightLevels(layer.quantize.bits);
      const weight = site.parameter("weight");
      const isLearned = layer.quantize.step === "learned";
      const steps = isLearned ? site.parameter("step") : s.scratch("step", [channels]);
      if (!isLearned) s.add(maxAbsSteps(shape, levels), { weight, step: steps });
      const quantized = s.scratch("quantized", [rows, channels]);
      s.add(quantizeWeights(shape, levels), { weight, step: steps, quantized });
      return joined(s, op.forward(layer, quantizedSite(layer, site)));
    },
    backward(layer, site) {
      if (layer.quantize === undefined) return op.backward(layer, site);
      const own = op.backward(layer, quantizedSite(layer, site));
      if (layer.quantize.step === "maxAbs") return own;
      const s = step(layer, site);
      const shape = weightShape(op.parameters(layer, site.inputs));
      s.add(quantizeWeightsGradient(shape, weightLevels(layer.quantize.bits)), {
        weight: site.parameter("weight"),
        step: site.parameter("step"),
        dquantized: s.scratch("dquantized", [shape.rows, shape.channels]),
        dweight: site.gradient("weight"),
        dstep: site.gradient("step"),
      });
      return joined(own, s);
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
  const isLearned = quantize?.step === "learned";
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
