/**
 * Altered copies of the training samples, made before training: raw samples and pixels are changed,
 * then go through the device's own front-end.
 *
 * What reads and decodes is imported on first use, so that training loads in a page without it.
 */

import type { Audio, Reader, Sample } from "../../data/index.ts";
import type { AudioSpec, FeatureSpec, Frontend } from "../../features/index.ts";
import type { TypedArray } from "../../kernel/index.ts";
import { type Random, random } from "../../tensor/index.ts";
import { type NoiseSource, pinkNoise, recordedNoise, whiteNoise } from "./noise.ts";
import { alterPicture } from "./picture.ts";
import { alterSound } from "./sound.ts";
import {
  type AudioAugment,
  type AugmentSpec,
  audioAugment,
  DEFAULT_COPIES,
  imageAugment,
} from "./spec.ts";

/** Files being decoded at once. */
const PARALLEL = 8;

const dataModule = () => import("../../data/index.ts");
const featuresModule = () => import("../../features/index.ts");

/** For each modality, the features of copy 1, 2, ...: s8 [samples, ...shape] each. */
export type Copies = Readonly<Record<string, readonly Int8Array[]>>;

export interface CopyOptions {
  readonly frontend: Frontend;
  readonly seed: number;
  /** The recordings of a folder that the spec names as noise. */
  readonly noiseOf?: (folder: string) => Promise<readonly Audio[]>;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Make the copies that a spec asks for. What is drawn for one depends on seed, sample id, modality
 * and the copy's number alone.
 *
 * reader   of their dataset
 * samples  of the train split
 * returns  no entry for a modality of which nothing changes in front of the front-end
 * throws   UserError naming the row of a sample that cannot be read
 */
export async function augmentedCopies(
  reader: Reader,
  samples: readonly Sample[],
  spec: AugmentSpec,
  { frontend, seed, noiseOf, onProgress }: CopyOptions,
): Promise<Copies> {
  const { inParallel } = await dataModule();
  const { extractor, featureShape, inputReader } = await featuresModule();
  const count = spec.copies ?? DEFAULT_COPIES;
  const names = Object.keys(frontend).filter((name) => isAltered(spec, name, frontend[name]));
  const copies: Record<string, Int8Array[]> = {};
  let done = 0;
  for (const name of names) {
    const read = inputReader(reader, name, frontend[name]);
    const others = samples.map((sample) => () => read(sample));
    const alter = await alteration(spec, name, { spec: frontend[name], others, noiseOf });
    const extract = extractor(frontend[name]);
    const size = featureShape(frontend[name]).reduce((product, extent) => product * extent, 1);
    const sets = Array.from({ length: count }, () => new Int8Array(samples.length * size));
    const work = async ([sample, i]: readonly [Sample, number]): Promise<void> => {
      const input = await read(sample);
      for (const [copy, set] of sets.entries()) {
        const generator = random(`${seed}/copy/${sample.id}/${name}/${copy}`);
        set.set(extract(await alter(input, generator)), i * size);
      }
      onProgress?.(++done, samples.length * names.length);
    };
    const numbered = samples.map((sample, i) => [sample, i] as const);
    await inParallel(numbered, { limit: PARALLEL, work });
    copies[name] = sets;
  }
  return copies;
}

/** Whether anything acts in front of the front-end. */
function isAltered(spec: AugmentSpec, name: string, { kind }: FeatureSpec): boolean {
  if (kind === "series") return false;
  if (kind === "image") {
    const { brightness, contrast, saturation, blurPixels } = imageAugment(spec, name);
    return [brightness, contrast, saturation, blurPixels].some((strength = 0) => strength > 0);
  }
  const { gainDb, shiftS, noise } = audioAugment(spec, name);
  return [gainDb, shiftS, noise?.share].some((strength = 0) => strength > 0);
}

type Alteration = (input: TypedArray, generator: Random) => Promise<TypedArray>;

/** A function that alters the raw input of one modality; never the array it is given. */
async function alteration(
  augment: AugmentSpec,
  name: string,
  {
    spec,
    others,
    noiseOf,
  }: {
    spec: FeatureSpec;
    others: readonly (() => Promise<TypedArray>)[];
    noiseOf: CopyOptions["noiseOf"];
  },
): Promise<Alteration> {
  if (spec.kind === "series") return async (input) => input;
  if (spec.kind === "image") {
    const settings = imageAugment(augment, name);
    const { source: size, height } = spec;
    const perPixel = size.height / height;
    return async (input, generator) =>
      alterPicture(Uint8Array.from(input), settings, { size, perPixel, generator });
  }
  const settings = audioAugment(augment, name);
  const { sampleRateHz } = spec;
  const isTrain = settings.noise?.from === "train";
  const made = await madeNoise(settings, spec, noiseOf);
  return async (input, generator) => {
    const noise = isTrain
      ? recordedNoise([Int16Array.from(await others[generator.integer(others.length)]())])
      : made;
    return alterSound(Int16Array.from(input), settings, { sampleRateHz, generator, noise });
  };
}

async function madeNoise(
  { noise }: AudioAugment,
  spec: AudioSpec,
  noiseOf: CopyOptions["noiseOf"],
): Promise<NoiseSource | undefined> {
  if (noise === undefined || noise.from === "train") return undefined;
  if (noise.from === "white") return whiteNoise;
  if (noise.from === "pink") return pinkNoise;
  const recordings = (await noiseOf?.(noise.from)) ?? [];
  const { prepareAudio } = await featuresModule();
  // all of each recording, at the rate of the spec
  const clips = recordings.map((audio) => {
    const samples = Math.floor((audio.samples.length * spec.sampleRateHz) / audio.sampleRateHz);
    return prepareAudio(audio, { ...spec, samples });
  });
  return recordedNoise(clips);
}
