/**
 * A picture to resized, scaled pixels: one kernel for every rule of resizing.
 *
 * An output is the weighted sum of its pixels times the reciprocal of the weights' sum, rounded
 * half up, exactly (equation 13). Colour becomes grey before (BT.601: (77 R + 150 G + 29 B + 128)
 * >> 8), grey becomes colour by repetition.
 */

import { type Buffer, build as b, type Expr, type Routine } from "../kernel/index.ts";
import { assemble } from "./assemble.ts";
import { axisLoop, reciprocal } from "./axis-loop.ts";
import { scalingTables } from "./scaling.ts";
import { featureShape, type ImageSpec, inputShape, regionOf } from "./spec.ts";

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
  const rows = axisLoop("rows", spec.resize, { from: region.height, to: height });
  const columns = axisLoop("columns", spec.resize, { from: region.width, to: width });
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
