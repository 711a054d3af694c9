/**
 * Which calls share a function: kernels that are equal in everything but their name.
 *
 * Compared part by part, and only where their buffers are equal, so most pairs differ at the first
 * look: writing the text of every kernel to compare those costs more than encoding it.
 */

import {
  bodiesOf,
  type Expr,
  expressionsOf,
  type Kernel,
  parts,
  type Statement,
} from "./language.ts";
import type { Call, Routine } from "./routine.ts";

export interface DistinctKernel {
  readonly kernel: Kernel;
  /** It runs once an item: see phases.ts. */
  readonly isByItem: boolean;
}

export interface DistinctKernels {
  /** In the order of their first calls. */
  readonly kernels: readonly DistinctKernel[];
  /** Index into `kernels`. */
  readonly indexOf: ReadonlyMap<Call, number>;
}

/** The different kernels of a routine; one that runs both by item and for all is two. */
export function distinctKernels({ calls }: Pick<Routine, "calls">): DistinctKernels {
  const kernels: DistinctKernel[] = [];
  const alike = new Map<string, number[]>();
  const indexOf = new Map<Call, number>();
  for (const call of calls) {
    const { kernel } = call;
    const isByItem = call.each !== undefined;
    const key = JSON.stringify([isByItem, kernel.buffers]);
    const others = alike.get(key) ?? [];
    alike.set(key, others);
    let index = others.find((other) => isSameBody(kernels[other].kernel.body, kernel.body));
    if (index === undefined) {
      index = kernels.length;
      kernels.push({ kernel, isByItem });
      others.push(index);
    }
    indexOf.set(call, index);
  }
  return { kernels, indexOf };
}

/** Of two kernels with the same buffers: those are compared by name. */
function isSameBody(a: readonly Statement[], b: readonly Statement[]): boolean {
  return a === b || (a.length === b.length && a.every((one, i) => isSameStatement(one, b[i])));
}

function isSameStatement(a: Statement, b: Statement): boolean {
  if (a.op !== b.op || !isSameHead(a, b)) return false;
  const [mine, yours] = [expressionsOf(a), expressionsOf(b)];
  const [inner, others] = [bodiesOf(a), bodiesOf(b)];
  return areSame(mine, yours) && inner.every((body, i) => isSameBody(body, others[i]));
}

/** What a statement says beside its expressions and bodies. */
function isSameHead(a: Statement, b: Statement): boolean {
  if (a.op === "store") return b.op === "store" && a.buffer.name === b.buffer.name;
  if (a.op === "when" || b.op === "when" || b.op === "store") return a.op === b.op;
  const isLoop = a.op === "for" && b.op === "for";
  return isSameExpr(a.variable, b.variable) && (!isLoop || isSameLoop(a, b));
}

type For = Extract<Statement, { op: "for" }>;

function isSameLoop(a: For, b: For): boolean {
  const isSameOrder = a.step === b.step && a.lanes === b.lanes;
  return isSameOrder && a.parallel === b.parallel && a.unrolled === b.unrolled;
}

function areSame(a: readonly Expr[], b: readonly Expr[]): boolean {
  return a.length === b.length && a.every((one, i) => isSameExpr(one, b[i]));
}

function isSameExpr(a: Expr, b: Expr): boolean {
  if (a === b) return true;
  if (a.op !== b.op || a.type !== b.type) return false;
  if (a.op === "variable") return b.op === "variable" && a.name === b.name;
  if (a.op === "constant") return b.op === "constant" && Object.is(a.value, b.value);
  if (a.op === "load" && !(b.op === "load" && a.buffer.name === b.buffer.name)) return false;
  if (a.op === "mulShift" && !(b.op === "mulShift" && a.shift === b.shift)) return false;
  return areSame(parts(a), parts(b));
}

/** A text that is equal for equal kernels, to find one by. */
export function kernelKey({ buffers, body }: Kernel): string {
  return JSON.stringify([buffers, body]);
}
