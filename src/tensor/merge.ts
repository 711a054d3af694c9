/** The layers of a net as the compiled step has them: merged where a merged step exists. */

import type { Conv2d, Layer } from "./layer.ts";
import {
  type ConvNorm,
  layersOf,
  type MergedLayer,
  type NormRelu,
  type PointwisePool,
} from "./merged-layer.ts";
import type { Net } from "./net.ts";

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

/** Merged steps read all channels. */
function isPlain(layer: Layer): layer is Conv2d {
  return layer.op === "conv2d" && (layer.groups ?? 1) === 1;
}

function convNorm(conv: Layer, next: Next): ConvNorm | undefined {
  if (!isPlain(conv)) return undefined;
  const norm = next(conv.name);
  if (norm?.op !== "batchNorm") return undefined;
  const shared = { op: "convNorm", inputs: conv.inputs, conv, norm } as const;
  const relu = next(norm.name);
  if (relu?.op !== "relu") return { ...shared, name: norm.name };
  return { ...shared, name: relu.name, relu };
}

function pointwisePool(conv: Layer, next: Next): PointwisePool | undefined {
  if (!isPlain(conv) || !conv.bias) return undefined;
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
