/** The loop language in which every computation is written once, and its consumers. */

export * as build from "./build.ts";
export { cIdentifier, namer } from "./c/names.ts";
export { printSupport, SUPPORT_NAMES, type SupportName } from "./c/support.ts";
export { distinctKernels, kernelKey } from "./distinct-kernels.ts";
export { interpret, interpreter, type Runner } from "./interpret.ts";
export { mulShiftExact } from "./interpret-expression.ts";
export {
  type Buffer,
  bitsOf,
  bytesOf,
  type ElementType,
  type Expr,
  type Kernel,
  type Statement,
  sizeOf,
  stridesOf,
  type Variable,
} from "./language.ts";
export { inPhases } from "./phases.ts";
export { type Placed, type Program, plan } from "./plan.ts";
export { C_TYPES, type PrintedKernel, printKernel } from "./print-c.ts";
export {
  type Call,
  call,
  type Each,
  type Role,
  type Routine,
  type Storage,
  type TypedArray,
  viewOf,
  writtenBy,
} from "./routine.ts";
export { hasFusedMultiplyAdd } from "./runtime.ts";
export { compile, encodeModule, type Layout, layoutOf } from "./wasm/module.ts";
export { compileThreads, type ThreadedRunner } from "./worker.ts";
