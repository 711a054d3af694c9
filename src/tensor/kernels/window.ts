/**
 * Sliding windows: where a kernel's taps fall, for convolutions and pooling.
 *
 * "same" padding is TensorFlow's: ceil(extent / stride) outputs, the odd padding row or column at
 * the end.
 */

import { build as b, type Expr, type Kernel, type Statement } from "../../kernel/index.ts";

export type Padding = "same" | "valid";
export type Pair = readonly [number, number];

export interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Padding;
}

export interface Axis {
  readonly extent: number;
  readonly kernel: number;
  readonly stride: number;
  /** Outputs along the axis. */
  readonly outputs: number;
  /** Padding before the first element. */
  readonly before: number;
}

/** One axis of a window. */
export function axisOf(extent: number, kernel: number, stride: number, padding: Padding): Axis {
  if (padding === "valid") {
    return {
      extent,
      kernel,
      stride,
      outputs: Math.floor((extent - kernel) / stride) + 1,
      before: 0,
    };
  }
  const outputs = Math.ceil(extent / stride);
  const total = Math.max(0, (outputs - 1) * stride + kernel - extent);
  return { extent, kernel, stride, outputs, before: Math.floor(total / 2) };
}

/** Both axes of a window over [H, W, ...]. */
export function axesOf(
  shape: readonly number[],
  { kernel, stride, padding }: Window,
): [Axis, Axis] {
  return [
    axisOf(shape[0], kernel[0], stride[0], padding),
    axisOf(shape[1], kernel[1], stride[1], padding),
  ];
}

/** A run of outputs for which the same taps fall inside. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly taps: readonly number[];
}

/** Outputs grouped by the taps that fall inside, so that loops over a segment need no test. */
export function segmentsOf({ extent, kernel, stride, outputs, before }: Axis): Segment[] {
  const segments: Segment[] = [];
  for (let o = 0; o < outputs; o++) {
    const taps = Array.from({ length: kernel }, (_, k) => k).filter((k) => {
      const i = o * stride + k - before;
      return i >= 0 && i < extent;
    });
    const last = segments[segments.length - 1];
    if (last !== undefined && last.taps.join() === taps.join()) {
      segments[segments.length - 1] = { ...last, to: o + 1 };
    } else {
      segments.push({ from: o, to: o + 1, taps });
    }
  }
  return segments;
}

/** Extent of an axis with the padding that its windows reach into. */
export function paddedExtent({ extent, kernel, stride, outputs, before }: Axis): number {
  return Math.max(before + extent, (outputs - 1) * stride + kernel);
}

/** The axis of the gradient by the input: outputs read with the window turned, at stride 1. */
export function turnedAxis({ extent, kernel, outputs, stride, before }: Axis): Axis {
  const dilated = (outputs - 1) * stride + 1;
  return { extent: dilated, kernel, stride: 1, outputs: extent, before: kernel - 1 - before };
}

/** Where an image lies in a larger one. */
export interface Frame {
  /** Of the image: [H, W, C]. */
  readonly shape: readonly number[];
  /** Height and width of the larger one. */
  readonly padded: Pair;
  readonly before: Pair;
  /** Distance between neighbouring pixels; 1 unless zeros lie between them. */
  readonly dilation: Pair;
}

/** y [height, width, C] = x [H, W, C] inside zeros; `byColumns` y is [width, height, C]. */
export function pad(
  { shape, padded, before, dilation }: Frame,
  { byColumns = false }: { byColumns?: boolean } = {},
): Kernel {
  const [H, W, C] = shape;
  const x = b.buffer("x", "f32", [H, W, C]);
  const y = b.buffer("y", "f32", [...(byColumns ? padded.toReversed() : padded), C]);
  // a negative `before` leaves pixels out
  const skipped = before.map((count, axis) => Math.max(0, Math.ceil(-count / dilation[axis])));
  const ends = [H, W].map((extent, axis) =>
    Math.min(extent, Math.floor((padded[axis] - 1 - before[axis]) / dilation[axis]) + 1),
  );
  const at = (i: Expr, axis: 0 | 1) => b.add(b.mul(i, dilation[axis]), before[axis]);
  const place = (iy: Expr, ix: Expr): Expr[] =>
    byColumns ? [at(ix, 1), at(iy, 0)] : [at(iy, 0), at(ix, 1)];
  const isDense =
    !byColumns && dilation[0] === 1 && dilation[1] === 1 && skipped[1] === 0 && ends[1] === W;
  const row = (iy: Expr): Statement => {
    if (isDense) {
      const line = b.buffer("x", "f32", [H, W * C]);
      const target = b.buffer("y", "f32", [padded[0], padded[1] * C]);
      return b.lanes("i", W * C, (i) => [
        b.store(target, [at(iy, 0), b.add(i, before[1] * C)], b.load(line, iy, i)),
      ]);
    }
    return b.loop(
      "ix",
      ends[1],
      (ix) => [b.lanes("c", C, (c) => [b.store(y, [...place(iy, ix), c], b.load(x, iy, ix, c))])],
      { from: skipped[1] },
    );
  };
  const size = padded[0] * padded[1] * C;
  const flat = b.buffer("y", "f32", [size]);
  return b.kernel(
    "pad",
    [x, y],
    [
      b.lanes("z", size, (i) => [b.store(flat, [i], 0)], { vectors: 4 }),
      b.loop("iy", ends[0], (iy) => [row(iy)], { from: skipped[0] }),
    ],
  );
}
