/** --fold I/K: the I-th of K folds, as it stands on the command line and in run.json. */

import type { Fold } from "../../src/data/index.ts";

/** A fold by its text, such as "2/5"; undefined where it is no fold of three or more. */
export function parseFold(text: string): Fold | undefined {
  const [, index, count] = /^([1-9]\d{0,3})\/([1-9]\d{0,3})$/.exec(text)?.map(Number) ?? [];
  return count >= 3 && index >= 1 && index <= count ? { index, count } : undefined;
}
