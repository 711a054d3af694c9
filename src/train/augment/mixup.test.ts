import { expect, test } from "vitest";
import { random } from "../../tensor/index.ts";
import { betaShare, mixed } from "./mixup.ts";

test.each([0.05, 0.2, 1])("shares have the mean and variance of Beta(%s, same)", (alpha) => {
  const generator = random(`beta ${alpha}`);
  const shares = Array.from({ length: 20000 }, () => betaShare(alpha, generator));
  const mean = shares.reduce((a, b) => a + b) / shares.length;
  const variance = shares.reduce((sum, x) => sum + (x - mean) ** 2, 0) / shares.length;
  expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true);
  // five standard errors of a mean of 20000 values with deviation at most 1/2
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.018);
  expect(Math.abs(variance - 1 / (4 * (2 * alpha + 1)))).toBeLessThan(0.01);
});

test("features are mixed in whole steps, ties upward", () => {
  const [a, b] = [Int8Array.of(127, -128, 3, 0), Int8Array.of(-128, -128, 4, 10)];
  expect([...mixed(a, b, 1)]).toEqual([...a]);
  expect([...mixed(a, b, 0)]).toEqual([...b]);
  expect([...mixed(a, b, 0.5)]).toEqual([0, -128, 4, 5]);
});
