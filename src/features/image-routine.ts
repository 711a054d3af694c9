/**
 * A picture to resized, scaled pixels: one kernel for every rule of resizing.
 *
 * An output is the weighted sum of its pixels times the reciprocal of the weights' sum, rounded
 * half up, exactly (equation 13). Colour becomes grey before (BT.601: (77 R + 150 G + 29 B + 128)
 * >> 8), grey becomes colour by repetition.
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Routine,
  type Statement,
} from "../kernel/index.ts";
import { assemble } from "./assemble.ts";
import { type Axis, axisFor } from "./resize-axis.ts";
import { scalingTables } from "./scaling.ts";
import { featureShape, type ImageSpec, inputShape, regionOf } from "./spec.ts";
import { type Table, table } from "./table.ts";

/** BT.601 luma in 1/256. */
export const LUMA: readonly [number, number, number] = [77, 150, 29];

/**
 * The routine of an image spec.
 *
 * modality  prefix of its storage; the input is u8 [height, width, channels] and bears this name
 * returns   output storage `${modality}.features`: s8 if the spec has a scaling, else s32 (0 to
 *           255)
 */
export function imageRoutine(modality: string, spec: ImageSpec): Routine {
  const { height, width, channels } = spec;
  const region = regionOf(spec);
  const input = b.buffer("pixels", "u8", inputShape(spec));
  const type = spec.scaling === undefined ? "s32" : "s8";
  const features = b.buffer("features", type, featureShape(spec));
  const rows = axisOf("rows", spec, { from: region.height, to: height });
  const columns = axisOf("columns", spec, { from: region.width, to: width });
  const scaling = spec.scaling && scalingTables(spec.scaling);
  const { multiplier, shift } = reciprocal(rows.total * columns.total);
  const sum = b.variable("sum", "s32");
  const pixel = pixelOf(input, spec);

  const body = b.loop("oy", height, (oy) => [
    b.loop("ox", width, (ox) => [
      b.loop("c", channels, (c) => {
        const mean = b.mulShift(sum, multiplier, shift);
        return [
          b.declare(sum, 0),
          ...rows.each(oy, (iy, rowWeight) =>
            columns.each(ox, (ix, columnWeight) => {
              const value = pixel(b.add(iy, region.top), b.add(ix, region.left), c);
              const weighted = b.mul(value, b.mul(rowWeight, columnWeight));
              return [b.set(sum, b.add(sum, weighted))];
            }),
          ),
          b.store(features, [oy, ox, c], scaling ? scaling.apply(mean, c) : mean),
        ];
      }),
    ]),
  ]);

  const tables = [...rows.tables, ...columns.tables, ...(scaling?.tables ?? [])];
  const rest = { input, tables, scratch: [], output: features, body: [body] };
  return assemble(modality, { name: "resize", ...rest });
}

interface AxisLoop {
  readonly tables: readonly Table[];
  readonly total: number;
  /** Statements for each pixel that output `o` is made of, with its index and its weight. */
  each(o: Expr, body: (index: Expr, weight: Expr) => readonly Statement[]): readonly Statement[];
}

/** Tables only where there is something to look up: equal steps and equal weights need none. */
function axisOf(name: string, spec: ImageSpec, size: { from: number; to: number }): AxisLoop {
  const axis = axisFor(spec.resize, size);
  const { taps, total } = axis;
  const step = evenStep(axis);
  const isPlain = axis.weights.every((weights) => weights.every((weight) => weight === 1));
  const first = table(`${name}_first`, "s16", { shape: [size.to], values: axis.first });
  const values = axis.weights.flat();
  const weights = table(`${name}_weights`, "s16", { shape: [size.to, taps], values });
  const start = (o: Expr): Expr => (step === undefined ? b.load(first.buffer, o) : b.mul(o, step));
  return {
    tables: [...(step === undefined ? [first] : []), ...(isPlain ? [] : [weights])],
    total,
    each: (o, body) => {
      if (taps === 1) return body(start(o), b.s32(1));
      return [
        b.loop(name, taps, (tap) =>
          body(b.add(start(o), tap), isPlain ? b.s32(1) : b.load(weights.buffer, o, tap)),
        ),
      ];
    },
  };
}

/** s if output o starts at pixel o s, for every o. */
function evenStep({ first }: Axis): number | undefined {
  const step = first.length > 1 ? first[1] : 0;
  return first.every((pixel, o) => pixel === o * step) ? step : undefined;
}

/** Channel c of a pixel in the spec's number of channels. */
function pixelOf(input: Buffer, spec: ImageSpec): (iy: Expr, ix: Expr, c: Expr) => Expr {
  const from = spec.source.channels;
  if (from === spec.channels) return (iy, ix, c) => b.load(input, iy, ix, c);
  if (from === 1) return (iy, ix) => b.load(input, iy, ix, 0);
  return (iy, ix) => {
    const parts = LUMA.map((weight, c) => b.mul(b.load(input, iy, ix, c), weight));
    return b.shr(b.add(b.add(parts[0], parts[1]), b.add(parts[2], 128)), 8);
  };
}

/** 1 / total from above as multiplier / 2^shift, the multiplier in [2^30, 2^31). */
function reciprocal(total: number): { multiplier: number; shift: number } {
  const shift = 30 + Math.ceil(Math.log2(total));
  return { multiplier: Math.ceil(2 ** shift / total), shift };
}
