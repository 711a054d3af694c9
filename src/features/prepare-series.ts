/**
 * A decoded series to exactly what a sensor would hand the device: s16 steps of the units in its
 * spec.
 */

import { openResampler, type Resampler, type Series } from "../data/index.ts";
import { UserError } from "../errors.ts";
import type { SeriesSpec } from "./spec.ts";

/** Readings on each side that the resampler's filter may reach, times max(1, from / to). */
const FILTER_REACH = 80;

/** Largest magnitude of an s16 that both signs have. */
const LARGEST = 32767;

/** Of a channel that is zero throughout: below that of any float. */
const NO_EXPONENT = -1000;

/** Readings by which a window may drift before its rate counts as another one. */
const DRIFT = 0.5;

/**
 * What a step of the s16 is worth in each channel so that all of the given series fit.
 *
 * Whole numbers that fit s16 are taken as what the sensor gives: 1. Else the least power of two that
 * brings the largest magnitude to at most 32767, so that dividing by it rounds nothing.
 *
 * series   at least one, all with the same channels
 */
export function seriesUnits(series: readonly Series[]): number[] {
  return unitsOf(series.map(seriesExtent));
}

/**
 * What the units of one series depend on: of each channel the power of two of the least step that
 * lets it fit, and 1 if it has fractions.
 *
 * returns  [channels, 2]; of many series the maximum counts
 */
export function seriesExtent({ data, channels }: Series): Int32Array {
  const extent = new Int32Array(2 * channels);
  for (let c = 0; c < channels; c++) {
    let [largest, hasFraction] = [0, false];
    for (let i = c; i < data.length; i += channels) {
      if (!Number.isFinite(data[i])) continue;
      largest = Math.max(largest, Math.abs(data[i]));
      hasFraction ||= !Number.isInteger(data[i]);
    }
    const exponent = largest === 0 ? NO_EXPONENT : Math.ceil(Math.log2(largest / LARGEST));
    extent.set([exponent, hasFraction ? 1 : 0], 2 * c);
  }
  return extent;
}

/** Units from the extents of at least one series, see seriesUnits. */
export function unitsOf(extents: readonly Int32Array[]): number[] {
  return Array.from({ length: extents[0].length / 2 }, (_, c) => {
    const highest = (i: number): number =>
      extents.reduce((max, extent) => Math.max(max, extent[i]), NO_EXPONENT);
    const [exponent, fractions] = [highest(2 * c), highest(2 * c + 1)];
    if (exponent === NO_EXPONENT || (fractions === 0 && exponent <= 0)) return 1;
    return 2 ** exponent;
  });
}

/** Whether readings at one rate may be taken as at another, over a window of so many. */
export function isRate(rateHz: number, as: number, samples: number): boolean {
  return Math.abs(rateHz / as - 1) * samples < DRIFT;
}

/**
 * A window at the spec's rate and length.
 *
 * series    any length; another rate is resampled where both are whole numbers of Hz
 * resample  keeps the filters of rates that come again
 * returns   s16 [spec.samples, spec.channels]: round(x / unit), clamped, not-a-number as 0; cut at the
 *           end, or the last reading repeated (a step to zero would be an event)
 * throws    UserError for another number of channels, no readings, or rates that cannot be converted
 */
export function prepareSeries(
  series: Series,
  spec: SeriesSpec,
  { resample = openResampler() }: { resample?: Resampler } = {},
): Int16Array {
  const { samples, channels, units } = spec;
  if (series.channels !== channels || series.length === 0) {
    const got = `${series.length} of ${series.channels}`;
    throw new UserError(`series: it must have readings of ${channels} channels, got ${got}`);
  }
  const window = new Int16Array(samples * channels);
  for (let c = 0; c < channels; c++) {
    const readings = atRate(channelOf(series, c), series.rateHz, { spec, resample });
    for (let i = 0; i < samples; i++) {
      const value = readings[Math.min(i, readings.length - 1)] / units[c];
      window[i * channels + c] = Math.max(-32768, Math.min(LARGEST, Math.round(value) || 0));
    }
  }
  return window;
}

function channelOf({ data, channels, length }: Series, c: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => data[i * channels + c]);
}

function atRate(
  readings: Float32Array,
  from: number,
  { spec: { rateHz: to, samples }, resample }: { spec: SeriesSpec; resample: Resampler },
): Float32Array {
  if (isRate(from, to, samples)) return readings;
  if (Number.isInteger(from) && Number.isInteger(to)) {
    return resampled(readings, { from, to, resample });
  }
  throw new UserError(`series: its rate must be ${to} Hz or a whole number, got ${from}`);
}

/** Another rate, the first and last reading going on outside: zeros there would be a step. */
function resampled(
  readings: Float32Array,
  { from, to, resample }: { from: number; to: number; resample: Resampler },
): Float32Array {
  const period = from / greatestCommonDivisor(from, to); // whole outputs lie on multiples of it
  const reach = FILTER_REACH * Math.max(1, from / to);
  const margin = Math.ceil(reach / period) * period;
  const last = readings.length - 1;
  const longer = Float32Array.from({ length: readings.length + 2 * margin }, (_, i) => {
    return readings[Math.max(0, Math.min(last, i - margin))];
  });
  const first = (margin * to) / from;
  const count = Math.ceil((readings.length * to) / from);
  return resample(longer, { from, to }).subarray(first, first + count);
}

function greatestCommonDivisor(a: number, c: number): number {
  return c === 0 ? a : greatestCommonDivisor(c, a % c);
}
