/**
 * Optimizers: which kernel moves the parameters, which states it needs, and what it is told at each
 * step.
 *
 * Decay acts on weights alone, that is on parameters of more than one axis. Biases, gamma, beta and
 * quantization steps have one; pulling them to zero saves no capacity and does harm (He et al. 2018,
 * arXiv:1812.01187, section 3.1).
 */

import { type Call, call, type Storage } from "../kernel/index.ts";
import { type AdamOptions, adam } from "./kernels/adam.ts";
import { type SgdOptions, sgd } from "./kernels/sgd.ts";
import type { Parameter } from "./layer.ts";
import { product } from "./op.ts";

/** adamw: decoupled decay; adam: decay in the gradient (L2); sgd: momentum, decay in the gradient. */
export type Optimizer =
  | ({ readonly kind: "adamw" | "adam" } & Omit<AdamOptions, "decoupled">)
  | ({ readonly kind: "sgd" } & SgdOptions);

export const DEFAULT_OPTIMIZER: Optimizer = { kind: "adamw" };

/** Names of the states that an optimizer keeps beside the parameters. */
export function optimizerStates({ kind }: Optimizer): readonly string[] {
  return kind === "sgd" ? ["$sgd.v"] : ["$adam.m", "$adam.v"];
}

/**
 * What `$hyper` holds in a step.
 *
 * step     1, 2, ...
 */
export function hyperparameters(
  optimizer: Optimizer,
  { step, rate, decay }: { step: number; rate: number; decay: number },
): number[] {
  if (optimizer.kind === "sgd") return [rate, 1, 1, decay];
  const { beta1 = 0.9, beta2 = 0.999 } = optimizer;
  return [rate, 1 - beta1 ** step, 1 - beta2 ** step, decay];
}

/** Whether decay acts on a parameter. */
export function decays({ shape }: Parameter): boolean {
  return shape.length > 1;
}

/** The call that ends a training step, and its states. */
export function optimizerStep(
  trainable: readonly Parameter[],
  optimizer: Optimizer,
): { call: Call; storage: readonly Storage[] } {
  const sizeOf = (list: readonly Parameter[]): number =>
    list.reduce((total, { shape }) => total + product(shape), 0);
  const sizes = { size: sizeOf(trainable), decayed: sizeOf(trainable.filter(decays)) };
  const names = optimizerStates(optimizer);
  const storage = names.map(
    (name): Storage => ({ name, type: "f32", shape: [sizes.size], role: "state" }),
  );
  const shared = { p: "$parameters", g: "$gradients", hyper: "$hyper" };
  if (optimizer.kind === "sgd") {
    const [v] = names;
    return { call: call("optimizer", sgd(sizes, optimizer), { ...shared, v }), storage };
  }
  const [m, v] = names;
  const kernel = adam(sizes, { ...optimizer, decoupled: optimizer.kind === "adamw" });
  return { call: call("optimizer", kernel, { ...shared, m, v }), storage };
}
