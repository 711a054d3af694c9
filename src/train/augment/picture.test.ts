/** Pictures: identity at strength 0, factors by hand, the variance of the blur. */

import { expect, test } from "vitest";
import { random } from "../../tensor/index.ts";
import { alterPicture, blur } from "./picture.ts";

const size = { height: 6, width: 5, channels: 3 } as const;
const noise = (seed: number, length: number): Uint8Array => {
  const generator = random(seed);
  return Uint8Array.from({ length }, () => generator.integer(256));
};
const alter = (
  pixels: Uint8Array,
  augment: Parameters<typeof alterPicture>[1],
  seed = 1,
  of: { height: number; width: number; channels: 1 | 3 } = size,
): Uint8Array => alterPicture(pixels, augment, { size: of, perPixel: 1, generator: random(seed) });

test("strength 0 gives the same pixels", () => {
  for (let seed = 0; seed < 20; seed++) {
    const pixels = noise(seed, 90);
    expect(alter(pixels, {}, seed)).toEqual(pixels);
    expect(alter(pixels.slice(0, 30), {}, seed, { ...size, channels: 1 })).toEqual(
      pixels.slice(0, 30),
    );
  }
});

test("brightness is one factor for all pixels, within its range", () => {
  const pixels = Uint8Array.of(100, 50, 10, 20, 40, 80);
  for (let seed = 0; seed < 20; seed++) {
    const changed = alter(pixels, { brightness: 0.2 }, seed, { height: 1, width: 2, channels: 3 });
    const factor = changed[0] / 100;
    expect(Math.abs(factor - 1)).toBeLessThanOrEqual(0.201);
    // both are rounded: half a step, and half of a hundredth of the pixel
    changed.forEach((x, i) => {
      expect(Math.abs(x - pixels[i] * factor)).toBeLessThanOrEqual(1);
    });
  }
});

test("contrast keeps the mean grey, saturation every pixel's grey", () => {
  const grey = Uint8Array.of(90, 100, 110, 120);
  const flat = { height: 2, width: 2, channels: 1 } as const;
  const changed = alter(grey, { contrast: 0.5 }, 3, flat);
  expect(changed.reduce((a, b) => a + b) / 4).toBeCloseTo(105, 0);
  expect(changed[3] - changed[0]).not.toBe(30);
  expect(alter(grey, { saturation: 1 }, 3, flat)).toEqual(grey);
  const colour = Uint8Array.of(120, 100, 90);
  const luma = (p: Uint8Array): number => 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
  const faded = alter(colour, { saturation: 1 }, 3, { height: 1, width: 1, channels: 3 });
  expect(faded).not.toEqual(colour);
  expect(Math.abs(luma(faded) - luma(colour))).toBeLessThanOrEqual(0.5);
});

test.each([0.3, 0.8, 1.5, 4.2])(
  "a blur of deviation %s has that variance, and keeps the sum",
  (deviation) => {
    const side = 81;
    const values = new Float64Array(side * side);
    const middle = (side - 1) / 2;
    values[middle * side + middle] = 1;
    blur(values, { height: side, width: side, channels: 1 }, deviation);
    let [sum, variance] = [0, 0];
    values.forEach((x, i) => {
      sum += x;
      variance += x * ((i % side) - middle) ** 2;
    });
    expect(sum).toBeCloseTo(1, 9);
    expect(variance).toBeCloseTo(deviation ** 2, 6);
    expect(values[middle * side + middle + 1]).toBeCloseTo(
      values[(middle + 1) * side + middle],
      12,
    );
  },
);

test("a blur leaves a plain picture as it is, edges included", () => {
  const plain = new Uint8Array(90).fill(77);
  expect(alter(plain, { blurPixels: 3 })).toEqual(plain);
});
