/**
 * A window of sensor readings to a fixed number of them: one kernel, every channel by itself.
 *
 * An output is the weighted mean of neighbouring readings (resize-axis.ts, along time), in 1/256 of a
 * step of the input, times the reciprocal of the weights' sum, rounded half up (equation 14).
 */

import { type Buffer, build as b, type Expr, type Routine } from "../kernel/index.ts";
import { assemble } from "./assemble.ts";
import { axisLoop, reciprocal } from "./axis-loop.ts";
import { scalingTables } from "./scaling.ts";
import { featureShape, inputShape, type SeriesSpec } from "./spec.ts";

/** Fraction bits of a raw feature. */
export const READING_BITS = 8;

/** Largest sum of weights: a sum of s16 times weights fits s32. */
export const MAX_SERIES_TOTAL: number = 2 ** 15;

/**
 * The routine of a series spec.
 *
 * modality  prefix of its storage; the input is s16 [samples, channels] and bears this name
 * returns   output storage `${modality}.features`: s8 if the spec has a scaling, else s32 (1/256 of a
 *           step)
 */
export function seriesRoutine(modality: string, spec: SeriesSpec): Routine {
  const { samples, length, channels } = spec;
  const input = b.buffer("readings", "s16", inputShape(spec));
  const type = spec.scaling === undefined ? "s32" : "s8";
  const features: Buffer = b.buffer("features", type, featureShape(spec));
  const axis = axisLoop("times", spec.resize, { from: samples, to: length });
  const scaling = spec.scaling && scalingTables(spec.scaling);
  const { multiplier, shift } = reciprocal(axis.total);
  const sum = b.variable("sum", "s32");
  const mean = b.mulShift(sum, multiplier, shift - READING_BITS);
  const body = b.loop("t", length, (t) => [
    b.loop("c", channels, (c) => [
      b.declare(sum, 0),
      ...axis.each(t, (i: Expr, weight: Expr) => [
        b.set(sum, b.add(sum, b.mul(b.load(input, i, c), weight))),
      ]),
      b.store(features, [t, c, 0], scaling ? scaling.apply(mean, c) : mean),
    ]),
  ]);
  const tables = [...axis.tables, ...(scaling?.tables ?? [])];
  const rest = { input, tables, scratch: [], output: features, body: [body] };
  return assemble(modality, { name: "series", ...rest });
}
