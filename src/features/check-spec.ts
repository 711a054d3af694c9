/** Specs are JSON that people edit: every number is checked before a kernel is built from it. */

import { UserError, unknown } from "../errors.ts";
import { bandLines, edgeBins } from "./mel.ts";
import { axisFor, MAX_TOTAL } from "./resize-axis.ts";
import { MAX_MULTIPLIER, MAX_OFFSET } from "./scaling.ts";
import { MAX_SERIES_TOTAL } from "./series-routine.ts";
import {
  type AudioSpec,
  channelCount,
  type FeatureSpec,
  type ImageSpec,
  type Region,
  regionOf,
  type SeriesSpec,
} from "./spec.ts";

/** Powers of two for which the integer transform's range is proven. */
const MIN_WINDOW = 32;
const MAX_WINDOW = 16384;
/** 10 minutes at 48 kHz; addresses stay far inside s32. */
const MAX_SAMPLES = 28_800_000;
/** Keeps scaled cepstra inside s32 (docs/features.md, 10). */
const MAX_MELS = 128;
/** Axis tables are s16. */
const MAX_SIDE = 32767;
/** Of a series: a limit against slips, not of the arithmetic. */
const MAX_CHANNELS = 1024;

/**
 * Refuse a spec from which no front-end can be built.
 *
 * name     how errors call it: the modality
 * throws   UserError naming the field
 */
export function checkSpec(spec: FeatureSpec, name: string): void {
  const kinds = ["mfcc", "log-mel", "image", "series"];
  if (!kinds.includes(spec.kind)) throw unknown(`kind of features for ${name}`, spec.kind, kinds);
  if (spec.kind === "image") checkImage(spec, name);
  else if (spec.kind === "series") checkSeries(spec, name);
  else checkAudio(spec, name);
  if (spec.scaling !== undefined) checkScaling(spec, name);
}

function checkAudio(spec: AudioSpec, name: string): void {
  const { sampleRateHz, samples, windowSamples, hopSamples, mels, lowHz, highHz } = spec;
  integer(name, "sampleRateHz", sampleRateHz, [1, 1_000_000]);
  integer(name, "samples", samples, [1, MAX_SAMPLES]);
  integer(name, "windowSamples", windowSamples, [MIN_WINDOW, MAX_WINDOW]);
  if ((windowSamples & (windowSamples - 1)) !== 0) {
    throw bad(name, "windowSamples", "a power of two", windowSamples);
  }
  integer(name, "hopSamples", hopSamples, [1, MAX_SAMPLES]);
  if (typeof spec.center !== "boolean") throw bad(name, "center", "true or false", spec.center);
  if (!spec.center && samples < windowSamples) {
    throw bad(name, "samples", `at least windowSamples (${windowSamples})`, samples);
  }
  integer(name, "mels", mels, [1, MAX_MELS]);
  const { melScale = "slaney" } = spec;
  if (melScale !== "slaney" && melScale !== "htk") {
    throw bad(name, "melScale", "slaney or htk", melScale);
  }
  if (!(lowHz >= 0 && lowHz < highHz)) throw bad(name, "lowHz", "in [0, highHz)", lowHz);
  if (!(highHz <= sampleRateHz / 2)) {
    throw bad(name, "highHz", `at most half of sampleRateHz (${sampleRateHz / 2})`, highHz);
  }
  checkBands(spec, name);
  if (spec.kind === "mfcc") integer(name, "coefficients", spec.coefficients, [1, mels]);
  else if (spec.coefficients !== undefined) {
    throw bad(name, "coefficients", "left out for log-mel", spec.coefficients);
  }
}

/** A band whose triangle holds no bin would be silent for ever. */
function checkBands(spec: AudioSpec, name: string): void {
  const bins = edgeBins(spec);
  const lines = bandLines(spec);
  for (let m = 0; m < spec.mels; m++) {
    const hasRising = bins[m] < bins[m + 1] && lines[m].last < 1;
    if (hasRising || bins[m + 1] < bins[m + 2]) continue;
    const expected = `few enough that every band holds a bin (band ${m} has none)`;
    throw bad(name, "mels", expected, spec.mels);
  }
}

function checkImage(spec: ImageSpec, name: string): void {
  const { source } = spec;
  integer(name, "height", spec.height, [1, MAX_SIDE]);
  integer(name, "width", spec.width, [1, MAX_SIDE]);
  integer(name, "source.height", source?.height, [1, MAX_SIDE]);
  integer(name, "source.width", source.width, [1, MAX_SIDE]);
  for (const [field, value] of [
    ["channels", spec.channels],
    ["source.channels", source.channels],
  ] as const) {
    if (value !== 1 && value !== 3) throw bad(name, field, "1 (grey) or 3 (RGB)", value);
  }
  if (spec.resize !== "area" && spec.resize !== "bilinear") {
    throw bad(name, "resize", "area or bilinear", spec.resize);
  }
  const region = regionOf(spec);
  checkRegion(spec, region, name);
  const rows = axisFor(spec.resize, { from: region.height, to: spec.height });
  const columns = axisFor(spec.resize, { from: region.width, to: spec.width });
  if (rows.total * columns.total > MAX_TOTAL) {
    const sizes = `${region.height}x${region.width} to ${spec.height}x${spec.width}`;
    throw bad(name, "source", "a size with a simpler ratio to height and width", sizes);
  }
}

function checkSeries(spec: SeriesSpec, name: string): void {
  const { rateHz, samples, channels, length, resize, units } = spec;
  if (!(rateHz > 0 && rateHz <= 1_000_000)) {
    throw bad(name, "rateHz", "in (0, 1000000]", rateHz);
  }
  integer(name, "samples", samples, [1, MAX_SIDE]);
  integer(name, "length", length, [1, MAX_SIDE]);
  integer(name, "channels", channels, [1, MAX_CHANNELS]);
  if (resize !== "area" && resize !== "bilinear") {
    throw bad(name, "resize", "area or bilinear", resize);
  }
  if (!Array.isArray(units) || units.length !== channels || !units.every((unit) => unit > 0)) {
    throw bad(name, "units", `${channels} numbers above 0`, units?.length);
  }
  if (axisFor(resize, { from: samples, to: length }).total > MAX_SERIES_TOTAL) {
    const sizes = `${samples} to ${length}`;
    throw bad(name, "samples", "a number with a simpler ratio to length", sizes);
  }
}

function checkRegion({ source }: ImageSpec, region: Region, name: string): void {
  const { top, left, height, width } = region;
  integer(name, "crop.top", top, [0, source.height - 1]);
  integer(name, "crop.left", left, [0, source.width - 1]);
  integer(name, "crop.height", height, [1, source.height - top]);
  integer(name, "crop.width", width, [1, source.width - left]);
}

function checkScaling(spec: FeatureSpec, name: string): void {
  const { offset, multiplier } = spec.scaling ?? { offset: [], multiplier: [] };
  const channels = channelCount(spec);
  for (const [field, values, limits] of [
    ["scaling.offset", offset, [-MAX_OFFSET, MAX_OFFSET]],
    ["scaling.multiplier", multiplier, [0, MAX_MULTIPLIER]],
  ] as const) {
    if (!Array.isArray(values) || values.length !== channels) {
      throw bad(name, field, `${channels} integers`, values?.length);
    }
    for (const value of values) integer(name, field, value, limits);
  }
}

function integer(
  name: string,
  field: string,
  value: number | undefined,
  [low, high]: readonly [number, number],
): void {
  if (value !== undefined && Number.isInteger(value) && value >= low && value <= high) return;
  throw bad(name, field, `an integer in [${low}, ${high}]`, value);
}

function bad(name: string, field: string, expected: string, got: unknown): UserError {
  return new UserError(
    `features of ${name}: ${field} must be ${expected}, got ${got ?? "nothing"}`,
  );
}
