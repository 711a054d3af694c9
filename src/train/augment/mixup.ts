/**
 * Mixup: a sample becomes a weighted mean of itself and another, and so does its label.
 *
 * Source: Zhang, Cisse, Dauphin, Lopez-Paz 2018 (arXiv:1710.09412), equation 2
 */

import type { Random } from "../../tensor/index.ts";

/** A share from Beta(alpha, alpha), alpha in [0.05, 1] (Johnk 1964; Devroye 1986, IX.3.5). */
export function betaShare(alpha: number, generator: Random): number {
  for (;;) {
    const [x, y] = [generator.next() ** (1 / alpha), generator.next() ** (1 / alpha)];
    if (x + y > 0 && x + y <= 1) return x / (x + y);
  }
}

/** share * a + (1 - share) * b in whole steps, ties upward. */
export function mixed(a: Int8Array, b: Int8Array, share: number): Int8Array {
  const mean = new Int8Array(a.length);
  for (let i = 0; i < a.length; i++) mean[i] = Math.floor(share * a[i] + (1 - share) * b[i] + 0.5);
  return mean;
}
