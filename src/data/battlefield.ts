/**
 * The synthetic battlefield: four classes seen and heard, made from a seed.
 *
 * The classes are those of TinyM2Net's second case study (Rashid et al. 2022, arXiv 2202.04303).
 * All of it is drawn and synthesised: it shows that fusing works where each sensor fails at times
 * of its own, and says nothing about real battlefields. Picture and sound of a sample belong
 * together; what spoils one of them is drawn independently of the other.
 */

import { type Random, random } from "../tensor/index.ts";
import { drawBattlefield, drawLandscape, type Landscape } from "./battlefield-picture.ts";
import { type Air, drawAir, soundBattlefield } from "./battlefield-sound.ts";
import { SPLITS, type Split } from "./dataset.ts";
import { uniform } from "./uniform.ts";
import type { NewSample } from "./write.ts";

export const BATTLEFIELD_CLASSES: readonly string[] = [
  "helicopter",
  "tank",
  "gunfire",
  "explosion",
];

/** Share of pictures that show next to nothing: each point costs the image net about 0.7 points. */
const BLIND_SHARE = 0.2;
/** Share of sounds that are next to nothing but wind; likewise for the audio net. */
const DEAF_SHARE = 0.2;
/** Visibility of a blind picture, and of any other: a lower floor costs the image net. */
const BLIND_VISIBILITY: Range = [0, 0.06];
const VISIBILITY: Range = [0.6, 1];
/** Signal to noise of a deaf sound, and of any other: a lower floor costs the audio net. */
const DEAF_SNR_DB: Range = [-36, -24];
const SNR_DB: Range = [4, 22];

/**
 * Samples of each class in one recording, so that a recording's scene says nothing about the class.
 */
const PER_RECORDING = 3;

type Range = readonly [low: number, high: number];

/**
 * The samples of the synthetic dataset, made one at a time.
 *
 * seed      equal seeds give equal samples, byte for byte
 * perClass  samples of each class in each split
 */
export function* battlefield({
  seed = 1,
  perClass = { train: 100, val: 25, test: 60 },
}: {
  seed?: number;
  perClass?: Readonly<Record<Split, number>>;
} = {}): Generator<NewSample> {
  for (const split of SPLITS) {
    for (let index = 0; index < perClass[split]; index++) {
      const group = `${split}-${Math.floor(index / PER_RECORDING)}`;
      const generator = random(`${seed}/battlefield/${group}`);
      const landscape = drawLandscape(generator);
      const air = drawAir(generator);
      for (const label of BATTLEFIELD_CLASSES) {
        const id = `${split}-${label}-${String(index).padStart(4, "0")}`;
        yield makeSample({ id, label, split, group, seed, landscape, air });
      }
    }
  }
}

/** One sample; picture and sound have generators of their own, so neither disturbs the other. */
function makeSample({
  id,
  label,
  split,
  group,
  seed,
  landscape,
  air,
}: Pick<NewSample, "id" | "label" | "split" | "group"> & {
  seed: number;
  landscape: Landscape;
  air: Air;
}): NewSample {
  const seeing = random(`${seed}/battlefield/${id}/image`);
  const hearing = random(`${seed}/battlefield/${id}/audio`);
  const visibility = degraded(seeing, {
    share: BLIND_SHARE,
    bad: BLIND_VISIBILITY,
    good: VISIBILITY,
  });
  const snrDb = degraded(hearing, { share: DEAF_SHARE, bad: DEAF_SNR_DB, good: SNR_DB });
  return {
    id,
    label,
    split,
    group,
    sources: {
      audio: soundBattlefield(label, { air, snrDb, generator: hearing }),
      image: drawBattlefield(label, { landscape, visibility, generator: seeing }),
    },
    columns: { synthetic: "true", snr_db: snrDb.toFixed(1), visibility: visibility.toFixed(2) },
  };
}

/** Uniform in the bad range for a share of the draws, else in the good one. */
function degraded(
  generator: Random,
  { share, bad, good }: { share: number; bad: Range; good: Range },
): number {
  const [low, high] = generator.next() < share ? bad : good;
  return uniform(generator, low, high);
}
