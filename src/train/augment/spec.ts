/**
 * Augmentation as plain JSON: what is changed in training samples, and how strongly.
 *
 * Everything left out, or 0, changes nothing. Two places in the path from sensor to net:
 * what happens in front of the front-end (gain, shift, noise, colours, blur) acts on the raw samples
 * and pixels of `copies` altered copies, made once before training; what acts on feature maps
 * (masks, mirror, crop, cutout, mixup, a missing sensor) is drawn anew in every epoch.
 */

/** White and pink noise are made, "train" is another training sample, all else is a folder. */
export interface NoiseMixing {
  readonly from: string;
  /** Lowest and highest signal-to-noise ratio. */
  readonly snrDb: readonly [number, number];
  /** Share of the copies that get noise. */
  readonly share: number;
}

export interface Masks {
  readonly count: number;
  /** Of the axis that the widest mask may cover. */
  readonly share: number;
}

export interface AudioAugment {
  /** Gain in [-gainDb, gainDb]; what is too loud saturates, as in a microphone. */
  readonly gainDb?: number;
  /** Shift in [-shiftS, shiftS]; zeros enter. */
  readonly shiftS?: number;
  readonly noise?: NoiseMixing;
  readonly timeMasks?: Masks;
  readonly bandMasks?: Masks;
}

export interface ImageAugment {
  /** Factor of all pixels, in 1 +- brightness; likewise contrast about the mean, and colour. */
  readonly brightness?: number;
  readonly contrast?: number;
  readonly saturation?: number;
  /** Largest deviation of a Gaussian, in pixels of what the net sees. */
  readonly blurPixels?: number;
  /** Probability of a mirrored picture. */
  readonly flip?: number;
  /** Shift in each direction up to this, edges repeated. */
  readonly cropPixels?: number;
  /** Side of the square that is blanked, as a share of the shorter side. */
  readonly cutout?: number;
}

export interface AugmentSpec {
  /** Altered copies of each sample beside itself, if anything acts in front of the front-end. */
  readonly copies?: number;
  /** For every sound and every picture. */
  readonly audio?: AudioAugment;
  readonly image?: ImageAugment;
  /** For one modality by name, in place of the above. */
  readonly modalities?: Readonly<Record<string, AudioAugment & ImageAugment>>;
  /** Parameter of the beta distribution from which two samples' shares are drawn. */
  readonly mixup?: number;
  /** Probability that one of a sample's modalities is missing. */
  readonly modalityDropout?: number;
}

export const DEFAULT_COPIES = 4;

/** Mild, and nothing that changes what a sample means: no mirror, no other sample's sound. */
const standard: AugmentSpec = {
  copies: DEFAULT_COPIES,
  audio: {
    gainDb: 6,
    shiftS: 0.1,
    noise: { from: "pink", snrDb: [10, 30], share: 0.5 },
    timeMasks: { count: 2, share: 0.1 },
    bandMasks: { count: 1, share: 0.1 },
  },
  image: { brightness: 0.2, contrast: 0.2, saturation: 0.2, cropPixels: 2, cutout: 0.25 },
  mixup: 0.2,
  modalityDropout: 0.1,
};

export const AUGMENT_PRESETS: Readonly<Record<string, AugmentSpec>> = { standard };

/** What is done to one modality. */
export function audioAugment({ audio, modalities }: AugmentSpec, name: string): AudioAugment {
  return modalities?.[name] ?? audio ?? {};
}

/** What is done to one modality. */
export function imageAugment({ image, modalities }: AugmentSpec, name: string): ImageAugment {
  return modalities?.[name] ?? image ?? {};
}

/** Folders that a spec names as noise. */
export function noiseFolders({ audio = {}, modalities = {} }: AugmentSpec): string[] {
  const sources = [audio, ...Object.values(modalities)].flatMap(({ noise }) => noise?.from ?? []);
  return [...new Set(sources)].filter((from) => !["white", "pink", "train"].includes(from));
}
