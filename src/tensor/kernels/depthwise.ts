/** Depthwise convolution and its gradients, [batch, H, W, C], channels in the lanes. */

import { build as b, type Kernel, type Statement } from "../../kernel/index.ts";
import {
  type Axis,
  axesOf,
  clearImage,
  type Image,
  overTaps,
  segmentsOf,
  type Window,
} from "./window.ts";

const VECTORS = 4;

/** y [batch, H', W', C] = x * w [kh, kw, C] (+ bias [C]). */
export function depthwise(
  { batch, shape }: Image,
  window: Window,
  { bias = false }: { bias?: boolean } = {},
): Kernel {
  const [rows, columns] = axesOf(shape, window);
  return correlate("depthwise", { batch, C: shape[2], rows, columns, bias, flip: false });
}

/**
 * dx of a depthwise convolution with stride 1: the same sum with the window turned by 180 degrees.
 */
export function depthwiseInputGradient({ batch, shape }: Image, window: Window): Kernel {
  const [rows, columns] = axesOf(shape, window).map((axis) => ({
    ...axis,
    extent: axis.outputs,
    outputs: axis.extent,
    before: axis.kernel - 1 - axis.before,
  }));
  return correlate("depthwise_dx", { batch, C: shape[2], rows, columns, bias: false, flip: true });
}

interface Correlation {
  readonly batch: number;
  readonly C: number;
  readonly rows: Axis;
  readonly columns: Axis;
  readonly bias: boolean;
  readonly flip: boolean;
}

/**
 * Loops over the segments of both axes: inside a segment every tap counts and nothing is tested.
 */
function correlate(name: string, { batch, C, rows, columns, bias, flip }: Correlation): Kernel {
  const x = b.buffer("x", "f32", [batch, rows.extent, columns.extent, C]);
  const w = b.buffer("w", "f32", [rows.kernel, columns.kernel, C]);
  const offsets = b.buffer("bias", "f32", [C]);
  const y = b.buffer("y", "f32", [batch, rows.outputs, columns.outputs, C]);
  const turned = (tap: number, { kernel }: Axis): number => (flip ? kernel - 1 - tap : tap);
  const body = b.loop(
    "n",
    batch,
    (n) =>
      segmentsOf(rows).flatMap((vertical, i) =>
        segmentsOf(columns).map((horizontal, j) => {
          const tag = `${i}_${j}`;
          const sum = b.variable(`acc${tag}`, "f32");
          const pixel = (oy: ReturnType<typeof b.variable>): Statement =>
            b.loop(
              `ox${tag}`,
              horizontal.to,
              (ox) => [
                b.lanes(
                  `c${tag}`,
                  C,
                  (c) => [
                    b.declare(sum, bias ? b.load(offsets, c) : 0),
                    ...vertical.taps.flatMap((ky) =>
                      horizontal.taps.map((kx) => {
                        const iy = b.add(b.mul(oy, rows.stride), ky - rows.before);
                        const ix = b.add(b.mul(ox, columns.stride), kx - columns.before);
                        const tap = b.load(w, turned(ky, rows), turned(kx, columns), c);
                        return b.set(sum, b.add(sum, b.mul(b.load(x, n, iy, ix, c), tap)));
                      }),
                    ),
                    b.store(y, [n, oy, ox, c], sum),
                  ],
                  { vectors: VECTORS },
                ),
              ],
              { from: horizontal.from },
            );
          return b.loop(`oy${tag}`, vertical.to, (oy) => [pixel(oy)], { from: vertical.from });
        }),
      ),
    { parallel: true },
  );
  return b.kernel(name, bias ? [x, w, offsets, y] : [x, w, y], [body]);
}

/** dx for any stride: every output adds to the inputs it read. */
export function depthwiseScatter({ batch, shape }: Image, window: Window): Kernel {
  const [, , C] = shape;
  const [rows, columns] = axesOf(shape, window);
  const dy = b.buffer("x", "f32", [batch, rows.outputs, columns.outputs, C]);
  const w = b.buffer("w", "f32", [rows.kernel, columns.kernel, C]);
  const dx = b.buffer("y", "f32", [batch, ...shape]);
  const body = overTaps({ batch, shape }, window, ({ n, oy, ox, ky, kx, iy, ix, isInside }) => {
    const addition = b.lanes("c", C, (c) => {
      const product = b.mul(b.load(dy, n, oy, ox, c), b.load(w, ky, kx, c));
      return [b.store(dx, [n, iy, ix, c], b.add(b.load(dx, n, iy, ix, c), product))];
    });
    return b.when(isInside, [addition]);
  });
  return b.kernel("depthwise_scatter", [dy, w, dx], [clearImage(dx), body]);
}

/** dw [kh, kw, C] = sum over batch and outputs of dy * x; one row at a time stays in registers. */
export function depthwiseWeightGradient({ batch, shape }: Image, window: Window): Kernel {
  const [H, W, C] = shape;
  const [rows, columns] = axesOf(shape, window);
  const x = b.buffer("x", "f32", [batch, H, W, C]);
  const dy = b.buffer("dy", "f32", [batch, rows.outputs, columns.outputs, C]);
  const dw = b.buffer("dw", "f32", [rows.kernel, columns.kernel, C]);
  const clear = b.loop("zy", rows.kernel, (y) => [
    b.loop("zx", columns.kernel, (k) => [
      b.lanes("zc", C, (c) => [b.store(dw, [y, k, c], 0)], { parallel: true }),
    ]),
  ]);
  const body = b.loop("n", batch, (n) => [
    b.loop("oy", rows.outputs, (oy) => [
      b.loop("ky", rows.kernel, (ky) => {
        const iy = b.sub(b.add(b.mul(oy, rows.stride), ky), rows.before);
        const taps = Array.from({ length: columns.kernel }, (_, kx) => {
          const sum = b.variable(`acc${kx}`, "f32");
          const { from, to } = insideOf(columns, kx);
          return b.lanes(
            `c${kx}`,
            C,
            (c) => [
              b.declare(sum, 0),
              b.loop(
                `ox${kx}`,
                to,
                (ox) => {
                  const ix = b.add(b.mul(ox, columns.stride), kx - columns.before);
                  const product = b.mul(b.load(dy, n, oy, ox, c), b.load(x, n, iy, ix, c));
                  return [b.set(sum, b.add(sum, product))];
                },
                { from },
              ),
              b.store(dw, [ky, kx, c], b.add(b.load(dw, ky, kx, c), sum)),
            ],
            { vectors: VECTORS, parallel: true },
          );
        });
        return [b.when(b.inside([iy, H]), taps)];
      }),
    ]),
  ]);
  return b.kernel("depthwise_dw", [x, dy, dw], [clear, body]);
}

/** Outputs for which one tap falls inside. */
function insideOf(
  { extent, stride, outputs, before }: Axis,
  tap: number,
): { from: number; to: number } {
  const from = Math.max(0, Math.ceil((before - tap) / stride));
  const to = Math.min(outputs, Math.floor((extent - 1 + before - tap) / stride) + 1);
  return { from, to: Math.max(from, to) };
}
