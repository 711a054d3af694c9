/**
 * What a report is made of: everything that one run knows, as plain data.
 *
 * Convention: scores, intervals and shares are fractions (0 .. 1; a gain -1 .. 1); sizes are bytes;
 * rows of a confusion matrix are true classes. Optional parts are left out of the page if absent.
 */

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** One net (a choice of sensors and a precision) scored on one split. */
export interface ArmResult {
  /** For example "image + audio". */
  readonly name: string;
  readonly modalities: readonly string[];
  readonly precision: "float" | "8-bit" | "4-bit" | "mixed 8/4";
  readonly split: string;
  readonly n: number;
  readonly accuracy: number;
  readonly accuracyInterval: Interval;
  readonly balancedAccuracy: number;
  readonly balancedAccuracyInterval: Interval;
  readonly auc?: number;
  readonly confusion: readonly (readonly number[])[];
  readonly flashBytes?: number;
  readonly ramBytes?: number;
  readonly parameters: number;
  readonly macs: number;
}

/** Fused against best single arm: balanced accuracy, paired by sample, groups resampled. */
export interface Gain {
  readonly fused: string;
  readonly best: string;
  readonly difference: number;
  readonly interval: Interval;
  /** Independent groups (speakers, recordings) behind the interval; few of them show little. */
  readonly groups?: number;
}

export interface EpochRecord {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly valLoss: number;
  readonly valBalancedAccuracy: number;
}

export interface LearningCurve {
  readonly name: string;
  readonly epochs: readonly EpochRecord[];
}

export interface LayerRow {
  readonly name: string;
  readonly op: string;
  /** Names of layers or of modalities. */
  readonly inputs: readonly string[];
  readonly outputShape: readonly number[];
  readonly parameters: number;
  readonly macs: number;
  readonly bits?: 8 | 4;
  readonly weightBytes?: number;
  readonly activationBytes: number;
}

/** A buffer in the arena; `first` and `last` are the indices of the calls during which it lives. */
export interface MemoryBlock {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface MemoryPlan {
  readonly arenaBytes: number;
  readonly calls: readonly string[];
  readonly blocks: readonly MemoryBlock[];
}

export interface FlashPart {
  readonly part: string;
  readonly bytes: number;
  readonly how: "exact" | "measured" | "estimated";
}

/** Whether a target computes the reference's integers. */
export interface Equality {
  readonly target: string;
  readonly equal: boolean;
  readonly samples: number;
  readonly firstDifference?: string;
  /** Why the target was not run. */
  readonly skipped?: string;
}

export interface Problem {
  readonly severity: string;
  readonly kind: string;
  readonly message: string;
}

export interface DatasetFacts {
  readonly name: string;
  readonly classes: readonly string[];
  readonly modalities: readonly { readonly name: string; readonly kind: string }[];
  /** Split, then class, then number of samples. */
  readonly samples: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly groups: number;
  readonly problems: readonly Problem[];
}

export interface Reproduction {
  readonly commands: readonly string[];
  readonly facts: readonly { readonly name: string; readonly value: string }[];
}

export interface Report {
  readonly title: string;
  readonly synthetic: boolean;
  readonly dataset: DatasetFacts;
  readonly arms: readonly ArmResult[];
  readonly gain?: Gain;
  readonly curves: readonly LearningCurve[];
  readonly layers: readonly LayerRow[];
  readonly memory?: MemoryPlan;
  readonly flash?: readonly FlashPart[];
  readonly equality: readonly Equality[];
  readonly reproduce: Reproduction;
}
