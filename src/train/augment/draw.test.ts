/** What an epoch sees of a sample: a pure function, and what it does to all modalities together. */

import { describe, expect, test } from "vitest";
import {
  type AudioSpec,
  type Frontend,
  featureShape,
  type ImageSpec,
  missingFeatures,
} from "../../features/index.ts";
import { random } from "../../tensor/index.ts";
import { augmentation } from "./draw.ts";
import { AUGMENT_PRESETS, type AugmentSpec } from "./spec.ts";

const sound: AudioSpec = {
  kind: "log-mel",
  sampleRateHz: 2000,
  samples: 512,
  windowSamples: 128,
  hopSamples: 64,
  center: true,
  mels: 8,
  lowHz: 0,
  highHz: 1000,
  scaling: { offset: Array(8).fill(-40 * 65536), multiplier: Array(8).fill(400) },
};
const picture: ImageSpec = {
  kind: "image",
  height: 8,
  width: 8,
  channels: 1,
  source: { height: 8, width: 8, channels: 1 },
  resize: "area",
  scaling: { offset: [100], multiplier: [2 ** 24] },
};
const frontend: Frontend = { audio: sound, image: picture, thermal: picture };

const modalities = Object.fromEntries(
  Object.entries(frontend).map(([name, spec]) => {
    const { kind } = spec;
    return [name, { kind, shape: featureShape(spec), missing: missingFeatures(spec) }] as const;
  }),
);

const count = 12;
const ids = Array.from({ length: count }, (_, i) => `s${i}`);
/** Between -100 and 100 and different for every sample, so that what is missing can be told. */
function noise(seed: number, size: number): Int8Array {
  const generator = random(seed);
  return Int8Array.from({ length: count * size }, () => generator.integer(201) - 100);
}
const inputs = { audio: noise(1, 9 * 8), image: noise(2, 64), thermal: noise(3, 64) };
const sizes = { audio: 72, image: 64, thermal: 64 };
const draws = (spec: AugmentSpec, seed = 5) =>
  augmentation({ count, inputs }, spec, { seed, modalities, ids });
const own = (name: keyof typeof sizes, i: number): Int8Array =>
  inputs[name].slice(i * sizes[name], (i + 1) * sizes[name]);
const all = Array.from(
  { length: count * 10 },
  (_, n) => [n % count, Math.floor(n / count)] as const,
);

test("an empty spec, and one of zeros, gives every sample as it is", () => {
  const zeros = { audio: {}, image: { flip: 0, cropPixels: 0, cutout: 0 }, mixup: 0 };
  for (const draw of [draws({}), draws(zeros)]) {
    for (const [index, epoch] of all) {
      const { inputs: drawn, otherShare } = draw(index, epoch);
      expect(otherShare).toBe(0);
      for (const name of ["audio", "image", "thermal"] as const) {
        expect(drawn[name]).toEqual(own(name, index));
      }
    }
  }
});

test("what is drawn does not depend on what was drawn before", () => {
  const [forward, backward] = [draws(AUGMENT_PRESETS.standard), draws(AUGMENT_PRESETS.standard)];
  const there = all.map(([index, epoch]) => forward(index, epoch));
  const back = all.toReversed().map(([index, epoch]) => backward(index, epoch));
  expect(back.toReversed()).toEqual(there);
});

test("what is drawn for a sample follows its id, not its place", () => {
  const spec: AugmentSpec = {
    audio: { timeMasks: { count: 2, share: 0.5 } },
    modalityDropout: 0.3,
  };
  const reversed = Object.fromEntries(
    (["audio", "image", "thermal"] as const).map((name) => {
      const rows = ids.map((_, i) => [...own(name, count - 1 - i)]);
      return [name, Int8Array.from(rows.flat())];
    }),
  );
  const options = { seed: 5, modalities, ids: ids.toReversed() };
  const other = augmentation({ count, inputs: reversed }, spec, options);
  const draw = draws(spec);
  for (const [index, epoch] of all) {
    expect(other(count - 1 - index, epoch).inputs).toEqual(draw(index, epoch).inputs);
  }
});

test("epochs and seeds differ, and the originals are never written", () => {
  const before = structuredClone(inputs);
  const draw = draws(AUGMENT_PRESETS.standard);
  expect(draw(0, 0)).not.toEqual(draw(0, 1));
  expect(draw(0, 0)).not.toEqual(draws(AUGMENT_PRESETS.standard, 6)(0, 0));
  expect(inputs).toEqual(before);
});

test("mixup takes one share for all modalities, of the same other sample", () => {
  const draw = draws({ mixup: 1 });
  for (const [index, epoch] of all) {
    const { inputs: drawn, other, otherShare } = draw(index, epoch);
    for (const name of ["audio", "image", "thermal"] as const) {
      const [a, b] = [own(name, index), own(name, other)];
      const errors = drawn[name].map((x, i) => {
        const mean = (1 - otherShare) * a[i] + otherShare * b[i];
        return Math.abs(x - mean) <= 0.5001 ? 0 : 1;
      });
      expect(errors).not.toContain(1);
    }
  }
  expect(new Set(all.map(([index, epoch]) => draw(index, epoch).other)).size).toBe(count);
});

describe("modality dropout", () => {
  test("takes away exactly one modality, as often as asked for, and each alike", () => {
    const draw = draws({ modalityDropout: 0.5, mixup: 1 });
    const none = Object.entries(frontend).map(([name, spec]) => [
      name,
      missingFeatures(spec).join(),
    ]);
    const missing = all.map(([index, epoch]) => {
      const { inputs: drawn } = draw(index, epoch);
      const gone = none.filter(([name, text]) => drawn[name].join() === text).map(([name]) => name);
      expect(gone.length).toBeLessThanOrEqual(1);
      return gone[0];
    });
    const share = missing.filter((name) => name !== undefined).length / missing.length;
    expect(share).toBeCloseTo(0.5, 0);
    for (const name of Object.keys(frontend)) {
      expect(missing.filter((gone) => gone === name).length / missing.length).toBeCloseTo(1 / 6, 0);
    }
  });

  test("leaves the only modality of a net alone", () => {
    const options = { seed: 1, modalities, ids };
    const one = { count, inputs: { image: inputs.image } };
    const draw = augmentation(one, { modalityDropout: 1 }, options);
    expect(draw(3, 0).inputs.image).toEqual(own("image", 3));
  });
});

test("pictures of one sample are mirrored together", () => {
  const draw = draws({ image: { flip: 0.5 } });
  const states = all.map(([index, epoch]) => {
    const { inputs: drawn } = draw(index, epoch);
    const [a, b] = (["image", "thermal"] as const).map(
      (name) => drawn[name].join() !== own(name, index).join(),
    );
    expect(a).toBe(b);
    return a;
  });
  expect(states.filter(Boolean).length / states.length).toBeCloseTo(0.5, 0);
});

test("copies are drawn as often as the original", () => {
  const copies = {
    image: [1, 2, 3].map((value) => new Int8Array(inputs.image.length).fill(value)),
  };
  const draw = augmentation({ count, inputs }, {}, { seed: 1, modalities, ids, copies });
  const isCopy = all.filter(
    ([index, epoch]) => new Set(draw(index, epoch).inputs.image).size === 1,
  );
  expect(isCopy.length / all.length).toBeGreaterThan(0.65);
  expect(isCopy.length / all.length).toBeLessThan(0.85);
});
