/**
 * Neighbouring layers that are computed by one step: what lies between them is never stored.
 *
 * A merged layer computes what its layers do one after the other, and its value is the last one's.
 * Parameters keep the names that the net gives them.
 */

import type { BatchNorm, Conv2d, Dropout, Layer, MaxPool, Relu } from "./layer.ts";

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

/** The layers of a merged one, in order. */
export function layersOf(layer: MergedLayer): Layer[] {
  if (layer.op === "normRelu") return [layer.norm, layer.relu];
  if (layer.op === "convNorm") {
    return [layer.conv, layer.norm, ...(layer.relu === undefined ? [] : [layer.relu])];
  }
  const { conv, relu, pool, dropout } = layer;
  return [conv, relu, pool, ...(dropout === undefined ? [] : [dropout])];
}
