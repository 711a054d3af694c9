/**
 * Learning rate over a training: linear warm-up, then half a cosine down to zero.
 *
 * Source: Loshchilov, Hutter 2017 (arXiv:1608.03983), equation 5 without restarts.
 */

export interface Schedule {
  readonly rate: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/** The rate of step 0, 1, ... totalSteps - 1. */
export function rateAt(step: number, { rate, warmupSteps, totalSteps }: Schedule): number {
  if (step < warmupSteps) return (rate * (step + 1)) / warmupSteps;
  const progress = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  return (rate * (1 + Math.cos(Math.PI * progress))) / 2;
}
