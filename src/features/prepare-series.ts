/**
 * A decoded series to exactly what a sensor would hand the device: s16 steps of the units in its
 * spec.
 */

import { resample, type Series } from "../data/index.ts";
import { UserError } from "../errors.ts";
import type { SeriesSpec } from "./spec.ts";

/** Readings on each side that the resampler's filter may reach, times max(1, from / to). */
const FILTER_REACH = 80;

/** Largest magnitude of an s16 that both signs have. */
const LARGEST = 32767;

/**
 * What a step of the s16 is worth in each channel so that all of the given series fit.
 *
 * Whole numbers that fit s16 are taken as what the sensor gives: 1. Else the least power of two that
 * brings the largest magnitude to at most 32767, so that dividing by it rounds nothing.
 *
 * series   at least one, all with the same channels
 */
export function seriesUnits(series: readonly Series[]): number[] {
  const [{ channels }] = series;
  return Array.from({ length: channels }, (_, c) => {
    let [largest, isWhole] = [0, true];
    for (const { data } of series) {
      for (let i = c; i < data.length; i += channels) {
        if (!Number.isFinite(data[i])) continue;
        largest = Math.max(largest, Math.abs(data[i]));
        isWhole &&= Number.isInteger(data[i]);
      }
    }
    if (largest === 0 || (isWhole && largest <= LARGEST)) return 1;
    return 2 ** Math.ceil(Math.log2(largest / LARGEST));
  });
}

/**
 * A window at the spec's rate and length.
 *
 * series   any length; another rate is resampled where both are whole numbers of Hz
 * returns  s16 [spec.samples, spec.channels]: round(x / unit), clamped, not-a-number as 0; cut at the
 *          end, or the last reading repeated (a step to zero would be an event)
 * throws   UserError for another number of channels, no readings, or rates that cannot be converted
 */
export function prepareSeries(series: Series, spec: SeriesSpec): Int16Array {
  const { samples, channels, units } = spec;
  if (series.channels !== channels || series.length === 0) {
    const got = `${series.length} of ${series.channels}`;
    throw new UserError(`series: it must have readings of ${channels} channels, got ${got}`);
  }
  const window = new Int16Array(samples * channels);
  for (let c = 0; c < channels; c++) {
    const readings = atRate(channelOf(series, c), series.rateHz, spec.rateHz);
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

function atRate(readings: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return readings;
  if (Number.isInteger(from) && Number.isInteger(to)) return resampled(readings, from, to);
  throw new UserError(`series: its rate must be ${to} Hz or a whole number, got ${from}`);
}

/** Another rate, the first and last reading going on outside: zeros there would be a step. */
function resampled(readings: Float32Array, from: number, to: number): Float32Array {
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
