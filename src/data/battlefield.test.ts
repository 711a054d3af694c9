import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { BATTLEFIELD_CLASSES, battlefield } from "./battlefield.ts";
import type { Audio, Picture } from "./dataset.ts";
import type { NewSample } from "./write.ts";

const perClass = { train: 10, val: 5, test: 1 };
const all = [...battlefield({ seed: 7, perClass })];

test("every class has the samples asked for in every split, each seen and heard", () => {
  for (const label of BATTLEFIELD_CLASSES) {
    for (const split of ["train", "val", "test"] as const) {
      const own = all.filter((sample) => sample.label === label && sample.split === split);
      expect(own).toHaveLength(perClass[split]);
    }
  }
  for (const { sources } of all) {
    const { samples, sampleRateHz } = sources.audio as Audio;
    const { pixels, height, width, channels } = sources.image as Picture;
    expect([samples.length, sampleRateHz]).toEqual([16000, 16000]);
    expect([pixels.length, height, width, channels]).toEqual([64 * 64 * 3, 64, 64, 3]);
    expect(samples.every((value) => Math.abs(value) <= 0.9)).toBe(true);
  }
});

/** A sample as a short text: its arrays as a hash, byte for byte. */
function fingerprint({ sources, ...rest }: NewSample): string {
  const hash = createHash("sha256");
  hash.update((sources.audio as Audio).samples).update((sources.image as Picture).pixels);
  return `${JSON.stringify(rest)} ${hash.digest("hex")}`;
}

test("the seed decides every byte, whatever else is made", () => {
  const prints = all.map(fingerprint);
  expect(Array.from(battlefield({ seed: 7, perClass }), fingerprint)).toEqual(prints);
  const fewer = battlefield({ seed: 7, perClass: { train: 1, val: 0, test: 0 } });
  expect(Array.from(fewer, fingerprint)).toEqual(prints.slice(0, 4));
  const [other] = battlefield({ seed: 8, perClass });
  expect(fingerprint(other)).not.toBe(prints[0]);
});

describe("recordings", () => {
  test("never cross splits, and hold every class alike", () => {
    const groups = new Map<string, typeof all>();
    for (const sample of all)
      groups.set(sample.group, [...(groups.get(sample.group) ?? []), sample]);
    for (const members of groups.values()) {
      expect(new Set(members.map(({ split }) => split)).size).toBe(1);
      const counts = BATTLEFIELD_CLASSES.map(
        (label) => members.filter((member) => member.label === label).length,
      );
      expect(new Set(counts).size).toBe(1);
    }
  });
});

test("what spoils the picture and what spoils the sound are drawn independently", () => {
  const many = [...battlefield({ perClass: { train: 60, val: 0, test: 0 } })];
  const isBlind = many.map(({ columns }) => Number(columns?.visibility) < 0.2);
  const isDeaf = many.map(({ columns }) => Number(columns?.snr_db) < -10);
  const share = (bits: boolean[]) => bits.filter(Boolean).length / bits.length;
  expect(share(isBlind)).toBeGreaterThan(0.1);
  expect(share(isDeaf)).toBeGreaterThan(0.1);
  // Four standard deviations of a product of independent shares, n = 240, are below 0.05.
  const both = share(isBlind.map((blind, i) => blind && isDeaf[i]));
  expect(Math.abs(both - share(isBlind) * share(isDeaf))).toBeLessThan(0.05);
});
