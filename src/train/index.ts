/** One training loop that yields a record a step, and the metrics that judge its result. */

export { checkAugment, checkAugmented } from "./augment/check.ts";
export { augmentedCopies, type Copies } from "./augment/copies.ts";
export { type Augmentation, augmentation } from "./augment/draw.ts";
export { AUGMENT_PRESETS, type AugmentSpec, noiseFolders } from "./augment/spec.ts";
export { packCheckpoint, unpackCheckpoint } from "./checkpoint.ts";
export { classCounts, type Examples, gather } from "./examples.ts";
export {
  type Checkpoint,
  compileStep,
  type EpochRecord,
  type FitOptions,
  type Progress,
  type Training,
  trainGraph,
} from "./fit.ts";
export {
  bootstrap,
  type Grouped,
  type Interval,
  type PairedGain,
  pairedGain,
  wilson,
} from "./intervals.ts";
export {
  accuracy,
  areaUnderRoc,
  balancedAccuracy,
  type ClassScore,
  confusionMatrix,
  perClass,
} from "./metrics.ts";
export { meanLoss, type Predictor, predictions, predictor } from "./predict.ts";
export type { Schedule } from "./schedule.ts";
