/**
 * Layers: the vocabulary of nets, as plain data.
 *
 * A layer names the layers or inputs it reads. Shapes are without the batch: [H, W, C] for maps,
 * [N] for vectors.
 */

import type { Pair, Window } from "./kernels/window.ts";

export type Shape = readonly number[];

interface Named {
  readonly name: string;
  readonly inputs: readonly string[];
}

/** Weights that are rounded, in training, to what compress will store. */
export interface WeightQuantization {
  readonly bits: 8 | 4;
  /** maxAbs: a channel's largest weight is the largest integer; learned: the step is a parameter. */
  readonly step: "maxAbs" | "learned";
}

export interface Conv2d extends Named, Window {
  readonly op: "conv2d";
  readonly filters: number;
  /** Groups of channels and filters that do not see each other; default 1. */
  readonly groups?: number;
  readonly bias: boolean;
  readonly quantize?: WeightQuantization;
}
export interface DepthwiseConv2d extends Named, Window {
  readonly op: "depthwiseConv2d";
  readonly bias: boolean;
  readonly quantize?: WeightQuantization;
}
export interface Dense extends Named {
  readonly op: "dense";
  readonly units: number;
  readonly bias: boolean;
  readonly quantize?: WeightQuantization;
}
export interface BatchNorm extends Named {
  readonly op: "batchNorm";
  /** Share of each batch's statistics in the running ones. */
  readonly momentum: number;
  readonly epsilon: number;
}
export interface Relu extends Named {
  readonly op: "relu";
}
/** min(max(x, 0), 6) */
export interface Relu6 extends Named {
  readonly op: "relu6";
}
/** x min(max(x + 3, 0), 6) / 6 */
export interface HardSwish extends Named {
  readonly op: "hardSwish";
}
export interface MaxPool extends Named {
  readonly op: "maxPool";
  /** Tile height and width; the stride is the same. */
  readonly size: Pair;
}
/** Mean over tiles, which are as those of MaxPool. */
export interface AveragePool extends Named {
  readonly op: "averagePool";
  readonly size: Pair;
}
/** Mean over H and W: [H, W, C] -> [C]. */
export interface GlobalAveragePool extends Named {
  readonly op: "globalAveragePool";
}
export interface Flatten extends Named {
  readonly op: "flatten";
}
export interface Dropout extends Named {
  readonly op: "dropout";
  /** Share of elements that are zeroed in training. */
  readonly rate: number;
}
/** Values rounded to integers times a step, as s8 activations are. */
export interface FakeQuantize extends Named {
  readonly op: "fakeQuantize";
  readonly bits: 8 | 4;
  /** Signed: zero point 0; else values from 0 up, as after a ReLU. */
  readonly signed: boolean;
  /** Whether the step is trained; if not, it is the caller's to set. */
  readonly learned: boolean;
}
/** Sum of two or more values of one shape. */
export interface Add extends Named {
  readonly op: "add";
}
/** Vectors one after the other. */
export interface Concat extends Named {
  readonly op: "concat";
}

export type Layer =
  | Conv2d
  | DepthwiseConv2d
  | Dense
  | BatchNorm
  | Relu
  | Relu6
  | HardSwish
  | MaxPool
  | AveragePool
  | GlobalAveragePool
  | Flatten
  | Dropout
  | FakeQuantize
  | Add
  | Concat;

export type LayerOp = Layer["op"];

/** How a parameter starts. */
export type Initial =
  | { readonly kind: "he" | "glorot"; readonly fanIn: number; readonly fanOut: number }
  | {
      readonly kind: "constant";
      readonly value: number;
    }
  | {
      /** 2 mean |w| / sqrt(high) of each channel of the earlier parameter `of`. */
      readonly kind: "step";
      readonly of: string;
      readonly high: number;
    };

export interface Parameter {
  /** "<layer>.<role>" */
  readonly name: string;
  readonly shape: Shape;
  readonly initial: Initial;
  /**
   * False for running statistics, which the optimizer leaves alone and parameter counts leave out.
   */
  readonly trainable: boolean;
}
