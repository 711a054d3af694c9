/** Distances of pictures that were neither moved nor lit anew, by hand and bounded by block means. */

import { expect, test } from "vitest";
import { random } from "../tensor/index.ts";
import { type ImageFingerprint, imageFingerprint } from "./image-fingerprint.ts";
import { blockMeans, blockSquares, contrastOf, stillDistance } from "./image-still.ts";

const SIDE = 56;

function pictureOf(level: (i: number) => number): ImageFingerprint {
  const pixels = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => level(i));
  const fingerprint = imageFingerprint({ pixels, height: SIDE, width: SIDE, channels: 1 });
  if (fingerprint === undefined) throw new Error("pictureOf: no contrast");
  return fingerprint;
}

const stripes = (light: number) => pictureOf((i) => light + 20 * (i % 2));
const noise = (seed: string) => {
  const generator = random(seed);
  return pictureOf(() => Math.floor(256 * generator.next()));
};

test("three levels of light are three for each of 28 x 28 cells", () => {
  expect(stillDistance(stripes(100), stripes(103))).toBe(3 * 28);
});

test("the contrast is the distance from a picture of one colour", () => {
  expect(contrastOf(stripes(100))).toBeCloseTo(10 * 28, 6);
});

test("squares of block means are at most those of the distance, and equal it for light", () => {
  const pictures = [stripes(100), stripes(110), noise("a"), noise("b")];
  const blocks = blockMeans(pictures);
  for (const [item, own] of pictures.entries()) {
    const others = [...pictures.keys()];
    const bounds = blockSquares(blocks, { item, others });
    for (const other of others) {
      const square = stillDistance(own, pictures[other]) ** 2;
      expect(bounds[other]).toBeLessThanOrEqual(square * (1 + 1e-9)); // rounding
    }
  }
  const [light] = blockSquares(blocks, { item: 0, others: [1] });
  expect(light).toBeCloseTo((10 * 28) ** 2, 0);
});
