/** Uniform real numbers from a seeded generator. */

import type { Random } from "../tensor/index.ts";

/** Uniform in [low, high). */
export function uniform(generator: Random, low: number, high: number): number {
  return low + (high - low) * generator.next();
}
