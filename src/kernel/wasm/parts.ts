/**
 * Parts: how threads share a kernel.
 *
 * Each thread has a function of its own in which every `parallel` loop runs over the thread's share
 * of its iterations, cut at compile time. Everything outside those loops runs in every thread, so a
 * kernel may be shared only if all its stores are inside. Loops over the same extent are cut alike:
 * what one phase of a kernel stores, a later phase of the same thread may load. The cut changes no
 * result, whatever the number of parts.
 */

import { bodiesOf, type Kernel, type Statement } from "../language.ts";

export interface Part {
  readonly part: number;
  readonly parts: number;
}

export const WHOLE: Part = { part: 0, parts: 1 };

/**
 * Elements at which a lanes loop may be cut: whole groups of vectors and whole cache lines of f32.
 */
const LANE_UNIT = 16;

type For = Extract<Statement, { op: "for" }>;

/** A loop's share; undefined if it is empty. The bounds of a parallel loop are constants. */
export function shareOf(loop: For, { part, parts }: Part): For | undefined {
  const { from, to, step, lanes } = loop;
  if (from.op !== "constant" || to.op !== "constant") {
    throw new Error(`internal: parallel loop ${loop.variable.name} must have constant bounds`);
  }
  const unit = lanes > 0 ? LANE_UNIT : step;
  const count = Math.ceil((to.value - from.value) / unit);
  const at = (share: number): number =>
    Math.min(to.value, from.value + Math.floor((count * share) / parts) * unit);
  const [first, end] = [at(part), at(part + 1)];
  if (first >= end) return undefined;
  return { ...loop, from: { ...from, value: first }, to: { ...to, value: end } };
}

/** Whether threads may share a kernel: every store is inside a parallel loop. */
export function isShared({ body }: Kernel): boolean {
  const inside = (statement: Statement): boolean => {
    if (statement.op === "store") return false;
    if (statement.op === "for" && statement.parallel) return true;
    return bodiesOf(statement).flat().every(inside);
  };
  return body.every(inside);
}
