import { expect, test } from "vitest";
import { random, shuffle } from "./random.ts";

test("equal seeds give equal streams, numbers and texts alike, others do not", () => {
  const draw = (seed: number | string): number[] => {
    const generator = random(seed);
    return Array.from({ length: 8 }, () => generator.next());
  };
  expect(draw(1)).toEqual(draw("1"));
  expect(draw(1)).not.toEqual(draw(2));
});

test("integers are uniform over their range", () => {
  const generator = random("uniform");
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) counts[generator.integer(10)]++;
  // chi-squared with 9 degrees of freedom: 27.9 is passed once in a thousand seeds
  const chi = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  expect(chi).toBeLessThan(27.9);
  expect(() => generator.integer(0)).toThrow("random.integer: below must be");
});

test("normals have mean 0, variance 1 and kurtosis 3", () => {
  const generator = random("normal");
  const values = Array.from({ length: 50_000 }, () => generator.normal());
  const moment = (k: number): number => values.reduce((sum, v) => sum + v ** k, 0) / values.length;
  expect(moment(1)).toBeCloseTo(0, 1);
  expect(moment(2)).toBeCloseTo(1, 1);
  expect(Math.abs(moment(4) - 3)).toBeLessThan(0.2);
});

test("a shuffle keeps every item and leaves the original alone", () => {
  const items = [1, 2, 3, 4, 5, 6, 7, 8];
  const shuffled = shuffle(items, random(1));
  expect(shuffled).not.toEqual(items);
  expect([...shuffled].sort()).toEqual(items);
});
