/**
 * What an operation is: its shape, parameters and cost, and its forward and backward steps as
 * kernel calls.
 *
 * One file an operation in ops/; ops/index.ts is the table. A new operation is a new file and a
 * line there.
 */

import {
  type Call,
  call,
  type Each,
  type ElementType,
  type Kernel,
  type Storage,
} from "../kernel/index.ts";
import { sumChunks } from "./kernels/convolve.ts";
import type { Layer, Parameter, Shape } from "./layer.ts";

/** Calls, and the scratch storage that only they use. */
export interface Step {
  readonly calls: readonly Call[];
  readonly storage: readonly Storage[];
}

/** Where a layer stands while its steps are written: names of the storage around it. */
export interface Site {
  readonly batch: number;
  /** The samples of the batch, for calls that run once a sample. */
  readonly each: Each;
  readonly inputs: readonly Shape[];
  readonly output: Shape;
  /** Values: of input `i` and of the layer itself. */
  readonly x: readonly string[];
  readonly y: string;
  /** Gradients; undefined where nothing needs the gradient of input `i`. */
  readonly dx: readonly (string | undefined)[];
  readonly dy: string;
  /** Storage of the parameter or of its gradient by role, e.g. "weight"; of another layer by name. */
  readonly parameter: (role: string, layer?: string) => string;
  readonly gradient: (role: string, layer?: string) => string;
  /** [seed, step] of the running step, and [batch] 0, 1, ...: for dropout. */
  readonly counter: string;
  readonly sample: string;
  readonly isTraining: boolean;
  /** Position in the net. */
  readonly index: number;
}

/** How a layer, or several merged ones, are computed. */
export interface Steps<L> {
  forward(layer: L, site: Site): Step;
  backward(layer: L, site: Site): Step;
  /**
   * Compute the output once more from what forward left: for values that cost less to compute than to
   * keep from forward to backward.
   */
  again?(layer: L, site: Site): Step;
  /** The output is the input seen differently: no memory, no calls. */
  readonly isView?: boolean;
  /**
   * Backward reads its input across the order in which it lies in memory: one that comes from far is
   * fetched in a single pass first.
   */
  readonly readsAcross?: boolean;
  /** Forward may write its output over its input, and backward dx over dy; or only the latter. */
  readonly inPlace?: boolean | "backward";
}

export interface Op<L extends Layer> extends Steps<L> {
  /** throws RangeError if the inputs do not fit */
  shape(layer: L, inputs: readonly Shape[]): Shape;
  parameters(layer: L, inputs: readonly Shape[]): readonly Parameter[];
  /** Multiply-accumulates of one inference. */
  macs(layer: L, inputs: readonly Shape[], output: Shape): number;
}

/** A step written call by call. */
export interface StepBuilder {
  readonly calls: Call[];
  readonly storage: Storage[];
  /** A call for the batch as a whole; threads share its parallel loops. */
  add(kernel: Kernel, bindings: Readonly<Record<string, string>>): void;
  /** A call for each sample, of a kernel that knows one; a late one not before its result is needed. */
  each(
    kernel: Kernel,
    bindings: Readonly<Record<string, string>>,
    options?: { late?: boolean },
  ): void;
  /** Scratch storage named "<layer>.<role>", f32 if no type is given. */
  scratch(role: string, shape: Shape, type?: ElementType): string;
  /** Storage of `size` numbers to which the samples of a chunk add; it begins at zero. */
  gather(role: string, size: number): string;
  /** Put what all chunks have gathered into `total`, and leave zeros for the next step. */
  sum(gathered: string, total: string): void;
}

export function step(layer: { readonly name: string }, { each }: Pick<Site, "each">): StepBuilder {
  const calls: Call[] = [];
  const storage: Storage[] = [];
  const add = (role: string, shape: Shape, of: Partial<Storage>): string => {
    const name = `${layer.name}.${role}`;
    storage.push({ name, type: "f32", shape, role: "scratch", ...of });
    return name;
  };
  return {
    calls,
    storage,
    add: (kernel, bindings) => {
      calls.push(call(layer.name, kernel, bindings));
    },
    each: (kernel, bindings, { late = false } = {}) => {
      const one = call(layer.name, kernel, bindings, each);
      calls.push(late ? { ...one, late } : one);
    },
    scratch: (role, shape, type = "f32") => add(role, shape, { type }),
    gather: (role, size) => add(role, [each.chunks, size], { role: "state" }),
    sum: (gathered, total) => {
      const [, size] = storage.find(({ name }) => name === gathered)?.shape ?? [];
      const kernel = sumChunks({ chunks: each.chunks, size });
      calls.push(call(layer.name, kernel, { parts: gathered, sum: total }));
    },
  };
}

export const NOTHING: Step = { calls: [], storage: [] };

export function product(shape: Shape): number {
  return shape.reduce((a, b) => a * b, 1);
}
