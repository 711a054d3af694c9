/** One axis of a resize as statements of the loop language, and the reciprocal of its weights. */

import { build as b, type Expr, type Statement } from "../kernel/index.ts";
import { type Axis, axisFor } from "./resize-axis.ts";
import type { ImageSpec } from "./spec.ts";
import { type Table, table } from "./table.ts";

export interface AxisLoop {
  readonly tables: readonly Table[];
  readonly total: number;
  /** Statements for each pixel that output `o` is made of, with its index and its weight. */
  each(o: Expr, body: (index: Expr, weight: Expr) => readonly Statement[]): readonly Statement[];
}

/** Tables only where there is something to look up: equal steps and equal weights need none. */
export function axisLoop(
  name: string,
  resize: ImageSpec["resize"],
  size: { from: number; to: number },
): AxisLoop {
  const axis = axisFor(resize, size);
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

/** 1 / total from above as multiplier / 2^shift, the multiplier in [2^30, 2^31). */
export function reciprocal(total: number): { multiplier: number; shift: number } {
  const shift = 30 + Math.ceil(Math.log2(total));
  return { multiplier: Math.ceil(2 ** shift / total), shift };
}
