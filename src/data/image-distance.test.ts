/** Distances of constructed pictures, in grey levels. */

import { expect, test } from "vitest";
import { random } from "../tensor/index.ts";
import { openFrame } from "./image-distance.ts";
import { type ImageFingerprint, imageFingerprint } from "./image-fingerprint.ts";

const SIDE = 112;
/** Pixels of one cell of the grid. */
const CELL_PIXELS = SIDE / 28;

/** Soft blots, as many pixels further to the right, at a gain. */
function blots(seed: string, { right = 0, gain = 1 } = {}): ImageFingerprint {
  const generator = random(seed);
  const drawn = Array.from({ length: 12 }, () => ({
    y: SIDE * generator.next(),
    x: SIDE * generator.next(),
    size: 10 + 12 * generator.next(),
    light: 80 * (generator.next() - 0.5),
  }));
  const pixels = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [y, x] = [Math.floor(i / SIDE), (i % SIDE) - right];
    const light = drawn.reduce(
      (sum, blot) =>
        sum + blot.light * Math.exp(-((y - blot.y) ** 2 + (x - blot.x) ** 2) / blot.size ** 2),
      100,
    );
    return Math.min(Math.max(Math.round(gain * light), 0), 255);
  });
  const fingerprint = imageFingerprint({ pixels, height: SIDE, width: SIDE, channels: 1 });
  if (fingerprint === undefined) throw new Error("blots: no contrast");
  return fingerprint;
}

const distance = (a: ImageFingerprint, b: ImageFingerprint) => openFrame(a).fit(b.terms).distance;

const own = blots("own");
const far = distance(own, blots("other"));

test("a picture is at no distance from itself", () => {
  expect(distance(own, own)).toBe(0);
});

test("a gain within the limit is no distance but rounding, one beyond it is", () => {
  expect(distance(own, blots("own", { gain: 1.2 }))).toBeLessThan(0.02 * far);
  expect(distance(own, blots("own", { gain: 0.4 }))).toBeGreaterThan(0.1 * far);
});

test("a move by one cell is fitted", () => {
  const moved = blots("own", { right: CELL_PIXELS });
  const { distance, view } = openFrame(own).fit(moved.terms);
  expect(distance).toBeLessThan(0.1 * far);
  expect(view.x * 28).toBeCloseTo(1, 0); // the middle begins at two cells
});

test("another picture is further than any copy", () => {
  expect(far).toBeGreaterThan(50);
});
