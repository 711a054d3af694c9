/**
 * Calibration: the range of every value, seen on training samples.
 *
 * Two passes: extremes first, then a histogram between them. The range kept is the one that
 * minimises the expected squared error of 8-bit rounding plus clipping.
 */

import type { Weights } from "../model/index.ts";
import { compileInference, type Net } from "../tensor/index.ts";
import { type Examples, gather } from "../train/index.ts";

export interface Range {
  readonly low: number;
  readonly high: number;
}

export interface Calibration {
  /** By layer name; 0 is always inside. */
  readonly ranges: ReadonlyMap<string, Range>;
  /** Mean of each element of the last axis of every input and layer, for bias correction. */
  readonly means: ReadonlyMap<string, Float64Array>;
}

const BATCH = 16;
const BINS = 2048;
const LEVELS = 255;

/**
 * Ranges and means of a folded net.
 *
 * examples  training samples; a few hundred are enough
 */
export function calibrate(
  net: Net,
  weights: Weights,
  examples: Examples,
  { inputScale }: { inputScale: number },
): Calibration {
  const runner = compileInference(net, { batch: BATCH, inputScale, keep: true });
  for (const [name, values] of Object.entries(weights)) runner.view(name).set(values);
  const last = net.layers[net.layers.length - 1].name;
  const valuesOf = (name: string): Float32Array =>
    runner.view(name === last ? "$logits" : name) as Float32Array;
  const forEachBatch = (visit: () => void): void => {
    // whole batches only, so that every sample counts once; a small set wraps around
    for (let start = 0; start === 0 || start + BATCH <= examples.count; start += BATCH) {
      const indices = Array.from({ length: BATCH }, (_, i) => (start + i) % examples.count);
      for (const { name } of net.inputs) gather(examples.inputs[name], indices, runner.view(name));
      runner.run();
      visit();
    }
  };
  const names = net.layers.map(({ name }) => name);
  const extremes = new Map(names.map((name) => [name, { low: 0, high: 0 }]));
  const means = new Map<string, { sums: Float64Array; count: number }>();
  const channels = channelCounts(net, weights);
  forEachBatch(() => {
    for (const name of names) widen(extremes.get(name), valuesOf(name));
    for (const { name } of net.inputs) addMeans(means, name, runner.view(`$${name}`), channels);
    for (const name of names) addMeans(means, name, valuesOf(name), channels);
  });
  const histograms = new Map(names.map((name) => [name, new Float64Array(BINS)]));
  forEachBatch(() => {
    for (const name of names) count(histograms.get(name), extremes.get(name), valuesOf(name));
  });
  const ranges = names.map((name): [string, Range] => [
    name,
    bestRange(
      histograms.get(name) ?? new Float64Array(BINS),
      extremes.get(name) ?? { low: 0, high: 0 },
    ),
  ]);
  return {
    ranges: new Map(ranges),
    means: new Map(
      [...means].map(([name, { sums, count: n }]) => [name, sums.map((value) => value / n)]),
    ),
  };
}

/**
 * How many input channels the readers of a value distinguish: the last but one axis of their
 * weights.
 */
function channelCounts(net: Net, weights: Weights): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const layer of net.layers) {
    const { length = 0 } = weights[`${layer.name}.weight`] ?? {};
    if (layer.op === "dense") counts.set(layer.inputs[0], length / layer.units);
    if (layer.op === "conv2d") {
      counts.set(layer.inputs[0], length / (layer.filters * layer.kernel[0] * layer.kernel[1]));
    }
    if (layer.op === "depthwiseConv2d") {
      counts.set(layer.inputs[0], length / (layer.kernel[0] * layer.kernel[1]));
    }
  }
  return counts;
}

function widen(range: { low: number; high: number } | undefined, values: Float32Array): void {
  if (range === undefined) return;
  for (let i = 0; i < values.length; i++) {
    if (values[i] < range.low) range.low = values[i];
    if (values[i] > range.high) range.high = values[i];
  }
}

function addMeans(
  means: Map<string, { sums: Float64Array; count: number }>,
  name: string,
  values: ArrayLike<number>,
  channels: ReadonlyMap<string, number>,
): void {
  const C = channels.get(name);
  if (C === undefined) return;
  const entry = means.get(name) ?? { sums: new Float64Array(C), count: 0 };
  for (let i = 0; i < values.length; i++) entry.sums[i % C] += values[i];
  entry.count += values.length / C;
  means.set(name, entry);
}

function count(
  histogram: Float64Array | undefined,
  range: Range | undefined,
  values: Float32Array,
): void {
  if (histogram === undefined || range === undefined) return;
  const perBin = (range.high - range.low) / BINS || 1;
  for (let i = 0; i < values.length; i++) {
    histogram[Math.min(BINS - 1, Math.floor((values[i] - range.low) / perBin))]++;
  }
}

/**
 * The clipped range with the smallest expected squared error; both ends shrink in the same steps.
 */
function bestRange(histogram: Float64Array, { low, high }: Range): Range {
  const width = high - low;
  if (width === 0) return { low: 0, high: 0 };
  let best: Range = { low, high };
  let smallest = Number.POSITIVE_INFINITY;
  for (let keep = 1; keep > 0.3; keep -= 0.01) {
    const candidate = { low: low * keep, high: high * keep };
    const error = expectedError(histogram, { low, high }, candidate);
    if (error < smallest) [smallest, best] = [error, candidate];
  }
  return best;
}

function expectedError(histogram: Float64Array, { low, high }: Range, clipped: Range): number {
  const step = (clipped.high - clipped.low) / LEVELS;
  const rounding = step ** 2 / 12;
  let error = 0;
  for (let bin = 0; bin < BINS; bin++) {
    if (histogram[bin] === 0) continue;
    const value = low + ((bin + 0.5) * (high - low)) / BINS;
    const inside = Math.min(Math.max(value, clipped.low), clipped.high);
    error += histogram[bin] * (value === inside ? rounding : (value - inside) ** 2);
  }
  return error;
}
