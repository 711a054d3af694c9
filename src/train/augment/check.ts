/** Augmentation is JSON that people write: every name and number is checked before it is used. */

import { UserError, unknown } from "../../errors.ts";
import type { AugmentSpec } from "./spec.ts";

/** Checks a value; `at` is what an error calls it. */
type Check = (value: unknown, at: string) => void;
type Fields = Readonly<Record<string, Check>>;

const share = number(0, 1);
const masks = record({ count: whole(0, 16), share }, ["count", "share"]);

const AUDIO: Fields = {
  gainDb: number(0, 60),
  shiftS: number(0, 600),
  noise: record({ from: text, snrDb: range(-40, 100), share }, ["from", "snrDb", "share"]),
  timeMasks: masks,
  bandMasks: masks,
};

const IMAGE: Fields = {
  brightness: share,
  contrast: share,
  saturation: share,
  blurPixels: number(0, 32),
  flip: share,
  cropPixels: whole(0, 1024),
  cutout: share,
};

const AUGMENT: Fields = {
  copies: whole(1, 64),
  audio: record(AUDIO),
  image: record(IMAGE),
  modalities: (value, at) => {
    for (const [name, entry] of Object.entries(asObject(value, at))) {
      record({ ...AUDIO, ...IMAGE })(entry, `${at}.${name}`);
    }
  },
  // below 0.05 the two powers that a share is drawn from may both be 0
  mixup: (value, at) => (value === 0 ? undefined : number(0.05, 1)(value, at)),
  modalityDropout: share,
};

/**
 * What was read from JSON, as a spec.
 *
 * throws   UserError naming the field
 */
export function checkAugment(value: unknown): AugmentSpec {
  record(AUGMENT)(value, "augment");
  return value as AugmentSpec;
}

/**
 * Refuse what a spec says of modalities that are not there, or of another kind.
 *
 * kinds    by modality: "image", "series" or any other for sound
 * throws   UserError naming the modality and field
 */
export function checkAugmented(
  { modalities = {} }: AugmentSpec,
  kinds: Readonly<Record<string, { readonly kind: string }>>,
): void {
  for (const [name, entry] of Object.entries(modalities)) {
    if (!Object.hasOwn(kinds, name)) {
      throw unknown("modality in augment.modalities", name, Object.keys(kinds));
    }
    const { kind } = kinds[name];
    if (kind === "series") {
      throw bad(`augment.modalities.${name}`, "a sound or a picture", "a series");
    }
    record(kind === "image" ? IMAGE : AUDIO)(entry, `augment.modalities.${name}`);
  }
}

function record(fields: Fields, required: readonly string[] = []): Check {
  return (value, at) => {
    const entries = asObject(value, at);
    for (const name of required) {
      if (!(name in entries)) throw bad(`${at}.${name}`, "given", undefined);
    }
    for (const [name, entry] of Object.entries(entries)) {
      if (!Object.hasOwn(fields, name)) throw unknown(`field of ${at}`, name, Object.keys(fields));
      fields[name](entry, `${at}.${name}`);
    }
  };
}

function asObject(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw bad(at, "an object", value);
}

function number(low: number, high: number): Check {
  return (value, at) => {
    if (typeof value === "number" && value >= low && value <= high) return;
    throw bad(at, `a number in [${low}, ${high}]`, value);
  };
}

function whole(low: number, high: number): Check {
  return (value, at) => {
    if (Number.isInteger(value)) number(low, high)(value, at);
    else throw bad(at, `a whole number in [${low}, ${high}]`, value);
  };
}

function range(low: number, high: number): Check {
  return (value, at) => {
    const isPair = Array.isArray(value) && value.length === 2 && value[0] <= value[1];
    if (!isPair) throw bad(at, "a pair [lowest, highest]", value);
    for (const end of value) number(low, high)(end, at);
  };
}

function text(value: unknown, at: string): void {
  if (typeof value !== "string" || value === "") throw bad(at, "a name", value);
}

function bad(what: string, expected: string, got: unknown): UserError {
  return new UserError(`${what} must be ${expected}, got ${JSON.stringify(got) ?? "nothing"}`);
}
