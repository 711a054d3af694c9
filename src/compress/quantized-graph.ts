/**
 * The integer net: what is evaluated is what runs. The seam between compression and deployment.
 *
 * Activations are s8 with a scale and a zero point a tensor; weights are symmetric, 8 or 4 bits,
 * one scale an output channel; bias and accumulator are s32. The input's zero point is folded into
 * the bias: bias - zero * sum(weights).
 */

import type { Pair, Shape, Window } from "../tensor/index.ts";
import type { Multipliers } from "./fixed-point.ts";

export type Bits = 8 | 4;

/** real = scale * (integer - zeroPoint) */
export interface Quantization {
  readonly scale: number;
  readonly zeroPoint: number;
}

interface Named {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputShape: Shape;
  readonly output: Quantization;
}

/** Weighted layers share this part. */
export interface Weighted extends Named {
  readonly bits: Bits;
  /** Unpacked, in [-127, 127] or [-8, 7]; layout as in `tensor`, output channels last. */
  readonly weights: Int8Array;
  readonly weightShape: Shape;
  readonly bias: Int32Array;
  readonly multipliers: Multipliers;
  /** Zero point of the input, which padding holds. */
  readonly inputZero: number;
  /** Smallest output: the zero point after a ReLU, else -128. */
  readonly low: number;
  /** Largest output: the integer of 6 after a ReLU6, else 127. */
  readonly high?: number;
}

export interface QuantizedConv2d extends Weighted, Window {
  readonly op: "conv2d";
}
export interface QuantizedDepthwiseConv2d extends Weighted, Window {
  readonly op: "depthwiseConv2d";
}
export interface QuantizedDense extends Weighted {
  readonly op: "dense";
}
export interface QuantizedMaxPool extends Named {
  readonly op: "maxPool";
  readonly size: Pair;
}
export interface QuantizedGlobalAveragePool extends Named {
  readonly op: "globalAveragePool";
  readonly multipliers: Multipliers;
  readonly inputZero: number;
}
export interface QuantizedView extends Named {
  readonly op: "flatten" | "concat";
}

export type QuantizedLayer =
  | QuantizedConv2d
  | QuantizedDepthwiseConv2d
  | QuantizedDense
  | QuantizedMaxPool
  | QuantizedGlobalAveragePool
  | QuantizedView;

export interface QuantizedInput {
  readonly name: string;
  readonly shape: Shape;
  readonly quantization: Quantization;
}

export interface QuantizedGraph {
  readonly inputs: readonly QuantizedInput[];
  readonly classes: readonly string[];
  readonly layers: readonly QuantizedLayer[];
}

/** Layers that have weights. */
export function isWeighted(
  layer: QuantizedLayer,
): layer is QuantizedConv2d | QuantizedDepthwiseConv2d | QuantizedDense {
  return "weights" in layer;
}

/** Bytes of a layer's weights as stored, 4-bit ones two a byte. */
export function weightBytes({ bits, weights }: Weighted): number {
  return Math.ceil((weights.length * bits) / 8);
}

/** 4-bit values two a byte, low nibble first. */
export function packNibbles(values: Int8Array): Uint8Array {
  const packed = new Uint8Array(Math.ceil(values.length / 2));
  values.forEach((value, i) => {
    packed[i >> 1] |= (value & 15) << (4 * (i & 1));
  });
  return packed;
}

/** The reverse of packNibbles. */
export function unpackNibbles(packed: Uint8Array, count: number): Int8Array {
  return Int8Array.from({ length: count }, (_, i) => {
    const nibble = (packed[i >> 1] >> (4 * (i & 1))) & 15;
    return (nibble ^ 8) - 8;
  });
}
