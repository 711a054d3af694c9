/** The table of operations. */

import type { Layer, LayerOp, Parameter, Shape } from "../layer.ts";
import type { MergedLayer } from "../merged-layer.ts";
import type { Op, Site, Step, Steps } from "../op.ts";
import { dropout, hardSwish, relu, relu6 } from "./activation.ts";
import { add } from "./add.ts";
import { concat, flatten } from "./arrange.ts";
import { averagePool } from "./average-pool.ts";
import { batchNorm } from "./batch-norm.ts";
import { convNorm } from "./conv-norm.ts";
import { conv2d } from "./conv2d.ts";
import { dense } from "./dense.ts";
import { depthwiseConv2d } from "./depthwise-conv2d.ts";
import { fakeQuantize } from "./fake-quantize.ts";
import { withGroups } from "./grouped-conv2d.ts";
import { normRelu } from "./norm-relu.ts";
import { pointwisePool } from "./pointwise-pool.ts";
import { globalAveragePool, maxPool } from "./pool.ts";
import { withQuantizedConv, withQuantizedWeight } from "./quantized-weight.ts";

const OPS: { readonly [K in LayerOp]: Op<Extract<Layer, { op: K }>> } = {
  conv2d: withQuantizedWeight(withGroups(conv2d)),
  depthwiseConv2d: withQuantizedWeight(depthwiseConv2d),
  dense: withQuantizedWeight(dense),
  batchNorm,
  relu,
  relu6,
  hardSwish,
  maxPool,
  averagePool,
  globalAveragePool,
  flatten,
  dropout,
  fakeQuantize,
  add,
  concat,
};

/** The operation of a layer; the table guarantees that it takes this layer. */
function opOf<L extends Layer>(layer: L): Op<L> {
  return OPS[layer.op] as unknown as Op<L>;
}

/** Output shape of a layer; throws RangeError if the inputs do not fit. */
export function layerShape(layer: Layer, inputs: readonly Shape[]): Shape {
  return opOf(layer).shape(layer, inputs);
}

/** Parameters of a layer, in the order in which they lie in memory. */
export function layerParameters(layer: Layer, inputs: readonly Shape[]): readonly Parameter[] {
  return opOf(layer).parameters(layer, inputs);
}

/** Multiply-accumulates of one inference. */
export function layerMacs(layer: Layer, inputs: readonly Shape[], output: Shape): number {
  return opOf(layer).macs(layer, inputs, output);
}

const MERGED: {
  readonly [K in MergedLayer["op"]]: Steps<Extract<MergedLayer, { op: K }>>;
} = {
  convNorm: withQuantizedConv(convNorm, conv2d.parameters),
  normRelu,
  pointwisePool: withQuantizedConv(pointwisePool, conv2d.parameters),
};

const STEPS = { ...OPS, ...MERGED };

/** How a layer of the compiled step is computed. */
function stepsOf<L extends Layer | MergedLayer>(layer: L): Steps<L> {
  return STEPS[layer.op] as unknown as Steps<L>;
}

export function layerForward(layer: Layer | MergedLayer, site: Site): Step {
  return stepsOf(layer).forward(layer, site);
}

export function layerBackward(layer: Layer | MergedLayer, site: Site): Step {
  return stepsOf(layer).backward(layer, site);
}

/** Whether backward computes the value of a layer once more, so that it need not be kept. */
export function isRecomputed(layer: Layer | MergedLayer): boolean {
  return stepsOf(layer).again !== undefined;
}

/** The value of a layer computed once more; undefined if it is to be kept. */
export function layerAgain(layer: Layer | MergedLayer, site: Site): Step | undefined {
  return stepsOf(layer).again?.(layer, site);
}

/** Whether backward reads the input across its order in memory. */
export function readsAcross(layer: Layer | MergedLayer): boolean {
  return stepsOf(layer).readsAcross === true;
}

export function isView(layer: Layer | MergedLayer): boolean {
  return stepsOf(layer).isView === true;
}

/** Whether a pass may write what it makes over what it is given. */
export function isInPlace(layer: Layer | MergedLayer, pass: "forward" | "backward"): boolean {
  const { inPlace = false } = stepsOf(layer);
  return inPlace === pass || inPlace === true;
}
