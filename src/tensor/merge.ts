/**
 * Neighbouring layers that are computed by one step: what lies between them is never stored.
 *
 * A merged layer computes what its layers do one after the other, and its value is the last one's.
 * Parameters keep the names that the net gives them.
 */

import type { BatchNorm, Conv2d, Dropout, Layer, MaxPool, Relu } from "./layer.ts";
import type { Net } from "./net.ts";

/** Batch normalisation and ReLU. */
export interface NormRelu {
  readonly op: "normRelu";
  readonly name: string;
  readonly inputs: readonly string[];
  readonly norm: BatchNorm;
  readonly relu: Relu;
}

/** A 1 x 1 convolution with bias, ReLU, maximum over 2 x 2 tiles, and dropout if it follows. */
export interface PointwisePool {
  readonly op: "pointwisePool";
  readonly name: string;
  readonly inputs: readonly string[];
  readonly conv: Conv2d;
  readonly relu: Relu;
  readonly pool: MaxPool;
  readonly dropout?: Dropout;
}

/** A convolution, batch normalisation, and ReLU if it follows. */
export interface ConvNorm {
  readonly op: "convNorm";
  readonly name: string;
  readonly inputs: readonly string[];
  readonly conv: Conv2d;
  readonly norm: BatchNorm;
  readonly relu?: Relu;
}

export type MergedLayer = NormRelu | PointwisePool | ConvNorm;

/** A layer of the compiled step, with the position in the net that seeds its dropout. */
export interface Unit {
  readonly layer: Layer | MergedLayer;
  readonly index: number;
}

/** Every layer by itself. */
export function unmerged({ layers }: Net): Unit[] {
  return layers.map((layer, index) => ({ layer, index }));
}

/** The layers of a net, merged where a merged step exists. */
export function merged(net: Net, { isTraining }: { isTraining: boolean }): Unit[] {
  const units: Unit[] = [];
  const taken = new Set<string>();
  const next = (name: string): Layer | undefined => {
    const readers = net.layers.filter(({ inputs }) => inputs.includes(name));
    return readers.length === 1 ? readers[0] : undefined;
  };
  net.layers.forEach((layer, index) => {
    if (taken.has(layer.name)) return;
    const isFirst = layer.inputs.every((from) => net.inputs.some(({ name }) => name === from));
    const group =
      pointwisePool(layer, next) ??
      (isFirst || !isTraining ? convNorm(layer, next) : undefined) ??
      normRelu(layer, next);
    if (group === undefined) {
      units.push({ layer, index });
      return;
    }
    const last = group.name;
    for (const { name } of layersOf(group)) taken.add(name);
    units.push({ layer: group, index: net.layers.findIndex(({ name }) => name === last) });
  });
  return units;
}

type Next = (name: string) => Layer | undefined;

function normRelu(norm: Layer, next: Next): NormRelu | undefined {
  if (norm.op !== "batchNorm") return undefined;
  const relu = next(norm.name);
  if (relu?.op !== "relu") return undefined;
  return { op: "normRelu", name: relu.name, inputs: norm.inputs, norm, relu };
}

function convNorm(conv: Layer, next: Next): ConvNorm | undefined {
  if (conv.op !== "conv2d") return undefined;
  const norm = next(conv.name);
  if (norm?.op !== "batchNorm") return undefined;
  const shared = { op: "convNorm", inputs: conv.inputs, conv, norm } as const;
  const relu = next(norm.name);
  if (relu?.op !== "relu") return { ...shared, name: norm.name };
  return { ...shared, name: relu.name, relu };
}

function pointwisePool(conv: Layer, next: Next): PointwisePool | undefined {
  if (conv.op !== "conv2d" || !conv.bias) return undefined;
  if ([...conv.kernel, ...conv.stride].some((extent) => extent !== 1)) return undefined;
  const relu = next(conv.name);
  if (relu?.op !== "relu") return undefined;
  const pool = next(relu.name);
  if (pool?.op !== "maxPool" || pool.size[0] !== 2 || pool.size[1] !== 2) return undefined;
  const { inputs } = conv;
  const after = next(pool.name);
  const shared = { op: "pointwisePool", inputs, conv, relu, pool } as const;
  if (after?.op !== "dropout") return { ...shared, name: pool.name };
  return { ...shared, name: after.name, dropout: after };
}

/** The layers of a merged one, in order. */
export function layersOf(layer: MergedLayer): Layer[] {
  if (layer.op === "normRelu") return [layer.norm, layer.relu];
  if (layer.op === "convNorm") {
    return [layer.conv, layer.norm, ...(layer.relu === undefined ? [] : [layer.relu])];
  }
  const { conv, relu, pool, dropout } = layer;
  return [conv, relu, pool, ...(dropout === undefined ? [] : [dropout])];
}
