/**
 * A training sample as one epoch sees it.
 *
 * What is drawn depends on (seed, epoch, sample id, modality) alone: not on the order of samples,
 * on threads, or on where a training was stopped. Order of things: one of the copies, masks or
 * mirror, crop and cutout, mixup, and last a missing modality, so that what is missing is missing
 * altogether.
 */

import { type Random, random } from "../../tensor/index.ts";
import type { Examples } from "../examples.ts";
import { checkAugmented } from "./check.ts";
import type { Copies } from "./copies.ts";
import { alterMap, maskSound } from "./map.ts";
import { betaShare, mixed } from "./mixup.ts";
import { type AugmentSpec, audioAugment, imageAugment } from "./spec.ts";

export interface Drawn {
  /** Of one sample, by modality. */
  readonly inputs: Readonly<Record<string, Int8Array>>;
  /** The sample that was mixed in, and its share in [0, 1]. */
  readonly other: number;
  readonly otherShare: number;
}

/** A pure function of a sample's index in the training split and of the epoch, from 0. */
export type Augmentation = (index: number, epoch: number) => Drawn;

/** What is known of a modality; given, so that training alone loads in a page without a front-end. */
export interface Augmentable {
  /** "image", or any other for sound. */
  readonly kind: string;
  /** Of its features. */
  readonly shape: readonly [number, number, number];
  /** The features of a sensor that gives nothing. */
  readonly missing: Int8Array;
}

export interface AugmentOptions {
  readonly seed: number;
  readonly modalities: Readonly<Record<string, Augmentable>>;
  /** One for each training sample. */
  readonly ids: readonly string[];
  readonly copies?: Copies;
}

/**
 * The augmentation of a training split.
 *
 * throws   UserError if the spec names a modality that is not there, or gives it settings of
 *          another kind
 */
export function augmentation(
  { count, inputs }: Pick<Examples, "count" | "inputs">,
  spec: AugmentSpec,
  { seed, modalities, ids, copies = {} }: AugmentOptions,
): Augmentation {
  checkAugmented(spec, modalities);
  const { mixup = 0, modalityDropout = 0 } = spec;
  const names = Object.keys(inputs);
  const parts = names.map((name) => ({
    name,
    ...modalities[name],
    sets: [inputs[name], ...(copies[name] ?? [])],
  }));
  const decide = (index: number, epoch: number): Decisions => {
    const generator = random(`${seed}/augment/${epoch}/${ids[index]}`);
    const mirror = generator.next();
    const missing =
      generator.next() < modalityDropout ? names[generator.integer(names.length)] : undefined;
    const share = mixup === 0 ? 1 : betaShare(mixup, generator);
    return { mirror, missing, share, other: generator.integer(count) };
  };
  const own = (index: number, epoch: number, { mirror }: Decisions): Record<string, Int8Array> =>
    Object.fromEntries(
      parts.map((part) => {
        const generator = random(`${seed}/augment/${epoch}/${ids[index]}/${part.name}`);
        const set = part.sets[generator.integer(part.sets.length)];
        const size = set.length / count;
        const map = set.slice(index * size, (index + 1) * size);
        alterFeatures(map, spec, { ...part, generator, mirror });
        return [part.name, map];
      }),
    );
  return (index, epoch) => {
    const decisions = decide(index, epoch);
    const { missing, share, other } = decisions;
    const mine = own(index, epoch, decisions);
    const theirs = share < 1 ? own(other, epoch, decide(other, epoch)) : mine;
    const result = parts.map(({ name, missing: none }) => {
      // a net of one modality is never left with nothing
      if (name === missing && names.length > 1) return [name, none];
      return [name, share < 1 ? mixed(mine[name], theirs[name], share) : mine[name]];
    });
    return { inputs: Object.fromEntries(result), other, otherShare: 1 - share };
  };
}

/** What is decided for all modalities of a sample together. */
interface Decisions {
  /** Mirrored where a modality's probability is above this. */
  readonly mirror: number;
  readonly missing: string | undefined;
  readonly share: number;
  readonly other: number;
}

/** Masks, or mirror, crop and cutout. Writes `map`. */
function alterFeatures(
  map: Int8Array,
  augment: AugmentSpec,
  {
    name,
    kind,
    shape,
    generator,
    mirror,
  }: Omit<Augmentable, "missing"> & { name: string; generator: Random; mirror: number },
): void {
  if (kind === "series") return;
  if (kind !== "image") {
    maskSound(map, audioAugment(augment, name), { shape, generator });
    return;
  }
  const settings = imageAugment(augment, name);
  alterMap(map, settings, { shape, generator, isMirrored: mirror < (settings.flip ?? 0) });
}
