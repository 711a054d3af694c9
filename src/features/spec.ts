/**
 * What a net eats, as plain JSON: how sound or a picture becomes [height, width, channels].
 *
 * The same spec drives training, browser and device; `scaling` is what training data add to it.
 * Conventions are librosa's (frames, mel bands, cepstra); docs/features.md derives the integers.
 */

/**
 * Integers, one pair a channel (coefficient, mel band or colour):
 * s8 = clamp(((raw - offset) * multiplier + 2^23) >> 24, -128, 127).
 */
export interface Scaling {
  readonly offset: readonly number[];
  readonly multiplier: readonly number[];
}

export interface AudioSpec {
  readonly kind: "mfcc" | "log-mel";
  readonly sampleRateHz: number;
  /** Length of a clip; shorter ones are padded with zeros, longer ones cut. */
  readonly samples: number;
  /** Length of a frame, a power of two in [32, 16384]; librosa's n_fft. */
  readonly windowSamples: number;
  readonly hopSamples: number;
  /** Frames centred on multiples of the hop, zeros outside the clip; else the first starts at 0. */
  readonly center: boolean;
  readonly mels: number;
  /** Of the cepstrum, from 0; only for mfcc. */
  readonly coefficients?: number;
  readonly lowHz: number;
  readonly highHz: number;
  /** slaney (the default): triangles of equal area, as librosa; htk: of equal height, as HTK. */
  readonly melScale?: "slaney" | "htk";
  readonly scaling?: Scaling;
}

/** In pixels of the source; inside it. */
export interface Region {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

export interface ImageSpec {
  readonly kind: "image";
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** The picture that goes in, u8 [height, width, channels]. */
  readonly source: { readonly height: number; readonly width: number; readonly channels: 1 | 3 };
  /** The part of the source that is resized; all of it by default. */
  readonly crop?: Region;
  readonly resize: "area" | "bilinear";
  readonly scaling?: Scaling;
}

/** Readings of a sensor: acceleration, gas, temperature, any number of channels. */
export interface SeriesSpec {
  readonly kind: "series";
  readonly rateHz: number;
  /** Readings that go in, a window. */
  readonly samples: number;
  readonly channels: number;
  /** Readings that the net sees of each channel. */
  readonly length: number;
  /** From samples to length: means over equal spans, or interpolation between readings. */
  readonly resize: "area" | "bilinear";
  /** What one step of the s16 that go in is worth in each channel, in the units of the files. */
  readonly units: readonly number[];
  readonly scaling?: Scaling;
}

export type FeatureSpec = AudioSpec | ImageSpec | SeriesSpec;

/** A spec for each modality. */
export type Frontend = Readonly<Record<string, FeatureSpec>>;

/**
 * Shape of the features: audio [frames, coefficients or mels, 1], image [height, width, channels],
 * series [length, channels, 1].
 */
export function featureShape(spec: FeatureSpec): [number, number, number] {
  if (spec.kind === "image") return [spec.height, spec.width, spec.channels];
  if (spec.kind === "series") return [spec.length, spec.channels, 1];
  return [frameCount(spec), spec.kind === "mfcc" ? (spec.coefficients ?? 0) : spec.mels, 1];
}

/** The part of the source that an image spec looks at. */
export function regionOf({ source: { height, width }, crop }: ImageSpec): Region {
  return crop ?? { top: 0, left: 0, height, width };
}

/** Shape of what goes in: s16 [samples], u8 [height, width, channels], s16 [samples, channels]. */
export function inputShape(spec: FeatureSpec): number[] {
  if (spec.kind === "series") return [spec.samples, spec.channels];
  if (spec.kind !== "image") return [spec.samples];
  return [spec.source.height, spec.source.width, spec.source.channels];
}

/**
 * Channels that have a scale of their own: coefficients, bands or colours. Feature i is of channel
 * i % count.
 */
export function channelCount(spec: FeatureSpec): number {
  const [, width, channels] = featureShape(spec);
  return spec.kind === "image" ? channels : width;
}

/** librosa's number of frames. */
function frameCount({ samples, windowSamples, hopSamples, center }: AudioSpec): number {
  const span = center ? samples : samples - windowSamples;
  return 1 + Math.floor(span / hopSamples);
}

/** Frame and hop of the paper's preset: 1024 and 368 samples at 16 kHz, 44 frames a second. */
const WINDOW_S = 0.064;
const HOP_S = 0.023;

/**
 * The paper's 44 x 13 MFCC for one second, at any rate.
 *
 * sampleRateHz  at least 2000, below which a second no longer gives 44 frames
 * durationS     of a clip
 * kind          log-mel gives 40 bands instead of 13 coefficients
 */
export function defaultAudioSpec({
  sampleRateHz,
  durationS = 1,
  kind = "mfcc",
}: {
  sampleRateHz: number;
  durationS?: number;
  kind?: AudioSpec["kind"];
}): AudioSpec {
  return {
    kind,
    sampleRateHz,
    samples: Math.round(durationS * sampleRateHz),
    windowSamples: 2 ** Math.round(Math.log2(WINDOW_S * sampleRateHz)),
    hopSamples: Math.round(HOP_S * sampleRateHz),
    center: true,
    mels: 40,
    ...(kind === "mfcc" ? { coefficients: 13 } : {}),
    lowHz: 0,
    highHz: sampleRateHz / 2,
  };
}

/** Square pictures of `size`, averaged over areas, with the colours of the source. */
export function defaultImageSpec({
  source,
  size = 32,
}: {
  source: ImageSpec["source"];
  size?: number;
}): ImageSpec {
  const { channels } = source;
  return { kind: "image", height: size, width: size, channels, source, resize: "area" };
}

/**
 * A window of a series, shortened to `length` readings by means, or as long as it is.
 *
 * units   of the s16 that go in, see seriesUnits
 */
export function defaultSeriesSpec({
  rateHz,
  channels,
  units,
  durationS = 1,
  length = Math.min(128, Math.round(durationS * rateHz)),
}: {
  rateHz: number;
  channels: number;
  units: readonly number[];
  durationS?: number;
  length?: number;
}): SeriesSpec {
  const samples = Math.round(durationS * rateHz);
  return { kind: "series", rateHz, samples, channels, length, resize: "area", units };
}
