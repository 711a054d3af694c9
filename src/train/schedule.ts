/**
 * Learning rate over a training: linear warm-up, then half a cosine down to zero, or steps down.
 *
 * Source: Loshchilov, Hutter 2017 (arXiv:1608.03983), equation 5 without restarts; steps as in He et
 * al. 2015 (arXiv:1512.03385), section 3.4.
 */

import { mismatch } from "../errors.ts";

/** step: times `factor` after every `stepEpochs` epochs. */
export type Schedule =
  | { readonly kind: "cosine" }
  | { readonly kind: "step"; readonly stepEpochs: number; readonly factor: number };

export interface Course {
  readonly schedule?: Schedule;
  /** Peak. */
  readonly rate: number;
  readonly warmupSteps: number;
  readonly epochSteps: number;
  readonly epochs: number;
}

/** The rate of step 0, 1, ... epochs * epochSteps - 1. */
export function rateAt(
  step: number,
  { schedule = { kind: "cosine" }, rate, warmupSteps, epochSteps, epochs }: Course,
): number {
  if (step < warmupSteps) return (rate * (step + 1)) / warmupSteps;
  if (schedule.kind === "step") {
    return rate * schedule.factor ** Math.floor(step / (schedule.stepEpochs * epochSteps));
  }
  const progress = (step - warmupSteps) / Math.max(1, epochs * epochSteps - warmupSteps);
  return (rate * (1 + Math.cos(Math.PI * progress))) / 2;
}

/** Check a schedule; throws RangeError for steps that cannot be taken. */
export function checkSchedule(schedule: Schedule | undefined): void {
  if (schedule?.kind !== "step") return;
  const { stepEpochs, factor } = schedule;
  if (!(Number.isInteger(stepEpochs) && stepEpochs >= 1)) {
    throw mismatch("train", "stepEpochs", { expected: "an integer >= 1", got: stepEpochs });
  }
  if (!(factor > 0 && factor <= 1)) {
    throw mismatch("train", "factor", { expected: "in (0, 1]", got: factor });
  }
}
