import { expect, test } from "vitest";
import { UserError } from "../../errors.ts";
import { checkAugment, checkAugmented } from "./check.ts";
import { AUGMENT_PRESETS } from "./spec.ts";

test.each([
  [[], "augment must be an object, got []"],
  [{ mixupp: 1 }, "unknown field of augment: mixupp; did you mean mixup?"],
  [{ mixup: 0.01 }, "augment.mixup must be a number in [0.05, 1], got 0.01"],
  [{ copies: 1.5 }, "augment.copies must be a whole number in [1, 64], got 1.5"],
  [{ image: { flip: "yes" } }, 'augment.image.flip must be a number in [0, 1], got "yes"'],
  [{ image: { gainDb: 1 } }, "unknown field of augment.image: gainDb"],
  [{ audio: { noise: { from: "pink", share: 1 } } }, "augment.audio.noise.snrDb must be given"],
  [
    { audio: { noise: { from: "pink", snrDb: [9, 3], share: 1 } } },
    "augment.audio.noise.snrDb must be a pair [lowest, highest], got [9,3]",
  ],
  [
    { modalities: { x: { cutout: 2 } } },
    "augment.modalities.x.cutout must be a number in [0, 1], got 2",
  ],
])("%j is refused by name", (value, message) => {
  expect(() => checkAugment(value)).toThrow(UserError);
  expect(() => checkAugment(value)).toThrow(message);
});

test("presets, and 0 everywhere, are accepted", () => {
  for (const spec of Object.values(AUGMENT_PRESETS)) expect(checkAugment(spec)).toEqual(spec);
  expect(
    checkAugment({ mixup: 0, modalityDropout: 0, audio: {}, image: { flip: 0 } }),
  ).toBeTruthy();
});

test("settings of a modality that is not there, or of another kind, are refused", () => {
  const image = {
    kind: "image",
    height: 4,
    width: 4,
    channels: 1,
    source: { height: 4, width: 4, channels: 1 },
    resize: "area",
  } as const;
  const check = (name: string, entry: object): void =>
    checkAugmented({ modalities: { [name]: entry } }, { thermal: image });
  expect(() => check("thermal", { flip: 0.5 })).not.toThrow();
  expect(() => check("termal", { flip: 0.5 })).toThrow("termal; did you mean thermal?");
  expect(() => check("thermal", { gainDb: 3 })).toThrow(
    "unknown field of augment.modalities.thermal",
  );
});
