/** What a net learns from: s8 features of every sample, modality by modality, and labels. */

import { mismatch } from "../errors.ts";

export interface Examples {
  readonly count: number;
  /** By modality: [count, ...shape], values in steps of the feature scale. */
  readonly inputs: Readonly<Record<string, Int8Array>>;
  /** Class indices. */
  readonly labels: Int32Array;
  /** Groups, for intervals that resample them. */
  readonly groups: readonly string[];
}

/**
 * Copy samples into a batch buffer.
 *
 * indices  of the samples, one for each place in the batch
 * target   [batch, size], written here
 */
export function gather(
  source: Int8Array,
  indices: ArrayLike<number>,
  target: { set(values: Int8Array, offset: number): void; readonly length: number },
): void {
  const size = target.length / indices.length;
  if (!Number.isInteger(size)) {
    throw mismatch("gather", "batch buffer", { expected: "a multiple of the batch", got: size });
  }
  for (let i = 0; i < indices.length; i++) {
    const start = indices[i] * size;
    target.set(source.subarray(start, start + size), i * size);
  }
}

/** Samples of each class. */
export function classCounts(labels: Int32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]++;
  return counts;
}
