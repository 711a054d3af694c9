/** Builds and runs products on targets: equality, time, instructions, code, stack. */

export {
  type Build,
  type Latency,
  measureBuilds,
  measureInstructions,
  measureLatency,
} from "./measure.ts";
export type { Reading } from "./sections.ts";
export {
  type Inputs,
  requireAvailable,
  type Target,
  type TargetName,
  type Trace,
  target,
  targetNames,
} from "./targets.ts";
export type { Environment } from "./tool.ts";
export { type Compiler, type Driver, findCompiler, STRICT_FLAGS, withDriver } from "./toolchain.ts";
export {
  type Difference,
  MEMORY_PLAN,
  type Verification,
  type VerifyProgress,
  verify,
} from "./verify.ts";
