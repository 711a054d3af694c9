/** Feature maps: what is blanked and moved, by hand and as properties. */

import { expect, test } from "vitest";
import { random } from "../../tensor/index.ts";
import { alterMap, maskSound } from "./map.ts";

const ones = (shape: readonly number[]): Int8Array =>
  new Int8Array(shape.reduce((a, b) => a * b, 1)).fill(1);
const numbered = (length: number): Int8Array =>
  Int8Array.from({ length }, (_, i) => (i % 250) - 125);

/** A map after mirror, crop, cutout. */
function altered(
  map: Int8Array,
  shape: readonly [number, number, number],
  augment: Parameters<typeof alterMap>[1],
  { seed = 1, isMirrored = false } = {},
): Int8Array {
  const copy = map.slice();
  alterMap(copy, augment, { shape, generator: random(seed), isMirrored });
  return copy;
}

test("masks blank whole frames and whole bands, and no more than their share", () => {
  const shape = [20, 10, 1] as const;
  const widths = Array.from({ length: 60 }, (_, seed) => {
    const map = ones(shape);
    const masks = { timeMasks: { count: 1, share: 0.25 }, bandMasks: { count: 1, share: 0.3 } };
    maskSound(map, masks, { shape, generator: random(seed) });
    const isBlank = (indices: number[]): boolean => indices.every((i) => map[i] === 0);
    const frames = [...Array(20).keys()].filter((t) =>
      isBlank([...Array(10).keys()].map((f) => t * 10 + f)),
    );
    const bands = [...Array(10).keys()].filter((f) =>
      isBlank([...Array(20).keys()].map((t) => t * 10 + f)),
    );
    const kept = map.reduce((a, b) => a + b);
    expect(kept).toBe((20 - frames.length) * (10 - bands.length));
    expect(frames.every((t, i) => t === frames[0] + i)).toBe(true);
    return [frames.length, bands.length];
  });
  expect(Math.max(...widths.map(([t]) => t))).toBe(5);
  expect(Math.max(...widths.map(([, f]) => f))).toBe(3);
  expect(Math.min(...widths.map(([t]) => t))).toBe(0);
});

test("strength 0 changes nothing", () => {
  const map = numbered(8 * 6 * 3);
  for (let seed = 0; seed < 20; seed++) {
    expect(altered(map, [8, 6, 3], {}, { seed })).toEqual(map);
    const sound = map.slice();
    const none = { timeMasks: { count: 3, share: 0 }, bandMasks: { count: 0, share: 1 } };
    maskSound(sound, none, { shape: [16, 9, 1], generator: random(seed) });
    expect(sound).toEqual(map);
  }
});

test("a mirrored map has its columns in reverse, and mirrored twice is itself", () => {
  const map = Int8Array.of(1, 2, 3, 4, 5, 6);
  expect([...altered(map, [1, 3, 2], {}, { isMirrored: true })]).toEqual([5, 6, 3, 4, 1, 2]);
  const once = altered(numbered(72), [4, 6, 3], {}, { isMirrored: true });
  expect(altered(once, [4, 6, 3], {}, { isMirrored: true })).toEqual(numbered(72));
});

test("a crop shifts by at most its pixels and repeats the edges", () => {
  const row = Int8Array.of(1, 2, 3, 4, 5);
  const seen = new Set(
    Array.from({ length: 60 }, (_, seed) =>
      altered(row, [1, 5, 1], { cropPixels: 1 }, { seed }).join(),
    ),
  );
  expect([...seen].sort()).toEqual(["1,1,2,3,4", "1,2,3,4,5", "2,3,4,5,5"]);
});

test("a cutout is a square of its side, or what of it lies inside", () => {
  const shape = [12, 16, 2] as const;
  const areas = Array.from({ length: 100 }, (_, seed) => {
    const map = altered(ones(shape), shape, { cutout: 0.5 }, { seed });
    return map.filter((x) => x === 0).length / 2;
  });
  expect(Math.max(...areas)).toBe(36);
  expect(Math.min(...areas)).toBeGreaterThanOrEqual(9);
});
