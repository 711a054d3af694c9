/** The nearest of few pictures are those that brute force finds. */

import { expect, test } from "vitest";
import { random } from "../tensor/index.ts";
import { openFrame } from "./image-distance.ts";
import { type ImageFingerprint, imageFingerprint } from "./image-fingerprint.ts";
import { imageNeighbours } from "./image-neighbours.ts";
import { contrastOf, stillDistance } from "./image-still.ts";

/** Noise of 8 x 8 squares. */
function squares(seed: string): ImageFingerprint {
  const generator = random(seed);
  const light = Array.from({ length: 64 }, () => Math.round(255 * generator.next()));
  const pixels = Uint8Array.from(
    { length: 64 * 64 },
    (_, i) => light[8 * Math.floor(i / 512) + Math.floor((i % 64) / 8)],
  );
  const fingerprint = imageFingerprint({ pixels, height: 64, width: 64, channels: 1 });
  if (fingerprint === undefined) throw new Error("squares: no contrast");
  return fingerprint;
}

function neighboursOf(fingerprints: readonly ImageFingerprint[]) {
  const order = [...fingerprints.keys()];
  return imageNeighbours(fingerprints, { groups: order, order });
}

type Distance = (a: ImageFingerprint, b: ImageFingerprint) => number;
const looks: Readonly<Record<"fitted" | "still", Distance>> = {
  fitted: (a, b) => openFrame(a).fit(b.terms).distance,
  still: stillDistance,
};

test.each(["fitted", "still"] as const)("a dozen random pictures, %s: as brute force", (look) => {
  const fingerprints = Array.from({ length: 12 }, (_, i) => squares(`${i}`));
  const neighbours = neighboursOf(fingerprints)[look];
  for (const [item, own] of fingerprints.entries()) {
    const all = fingerprints.flatMap((fingerprint, other) =>
      other === item ? [] : [looks[look](own, fingerprint)],
    );
    const rising = all.sort((r, s) => r - s);
    expect(neighbours.distances(item, 2)).toEqual(rising.slice(0, 2));
    const usual = Math.min(rising[2], contrastOf(own));
    if (look === "still") expect(neighbours.of(item).usual).toBe(usual);
  }
});

test("no pictures, and one alone, have no neighbours", () => {
  expect(() => neighboursOf([])).not.toThrow();
  for (const alone of Object.values(neighboursOf([squares("alone")]))) {
    expect(alone.of(0)).toEqual({ near: [], usual: 0 });
    expect(alone.distances(0, 6)).toEqual([]);
  }
});

test("equal pictures are at no distance, and nothing is usual among them", () => {
  const equal = Array.from({ length: 5 }, () => squares("equal"));
  for (const neighbours of Object.values(neighboursOf(equal))) {
    const { near, usual } = neighbours.of(2);
    expect(near.map(({ distance }) => distance)).toEqual(near.map(() => 0));
    expect(usual).toBe(0);
    expect(neighbours.distances(2, 3)).toEqual([0, 0, 0]);
  }
});
