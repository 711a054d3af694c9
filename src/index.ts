/**
 * The library: one namespace a module, and the errors they throw. ARCHITECTURE.md says which may
 * import which.
 */

export * as bench from "./bench/index.ts";
export * as compress from "./compress/index.ts";
export * as data from "./data/index.ts";
export * as deploy from "./deploy/index.ts";
export { CheckError, MissingToolError, UserError } from "./errors.ts";
export * as features from "./features/index.ts";
export * as kernel from "./kernel/index.ts";
export * as model from "./model/index.ts";
export * as tensor from "./tensor/index.ts";
export * as train from "./train/index.ts";
