/** Builds and runs products on targets: equality, time, instructions, code, stack. */

export { CORTEX_M4_FLAGS, EMULATOR_FLAGS, linkerScript, startUp } from "./cortex-m4.ts";
export { type FrontendCost, measureFrontend } from "./frontends.ts";
export {
  type Build,
  type Latency,
  measureBuilds,
  measureInstructions,
  measureLatency,
} from "./measure.ts";
export {
  installOf,
  type PeerCandidate,
  type PeerName,
  peerCandidates,
  peerNames,
} from "./peers.ts";
export {
  type Candidate,
  type Dropout,
  type Entrant,
  median,
  type RaceOptions,
  type Racer,
  race,
  ratioOf,
  type Task,
} from "./race.ts";
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
export { OURS, ownCandidates, type Workload } from "./workload.ts";
