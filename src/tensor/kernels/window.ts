/**
 * Sliding windows: where a kernel's taps fall, for convolutions and pooling.
 *
 * "same" padding is TensorFlow's: ceil(extent / stride) outputs, the odd padding row or column at
 * the end.
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Kernel,
  type Statement,
} from "../../kernel/index.ts";

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

export interface Image {
  readonly batch: number;
  /** [H, W, C] */
  readonly shape: readonly number[];
}

/** patches [batch * H' * W', kernel * C] of x [batch, H, W, C], zeros outside. */
export function imageToPatches({ batch, shape }: Image, window: Window): Kernel {
  const [, , C] = shape;
  const [rows, columns] = axesOf(shape, window);
  const x = b.buffer("x", "f32", [batch, ...shape]);
  const taps = [rows.kernel, columns.kernel, C];
  const patches = b.buffer("patches", "f32", [batch, rows.outputs, columns.outputs, ...taps]);
  const body = overTaps({ batch, shape }, window, ({ n, oy, ox, ky, kx, iy, ix, isInside }) => {
    const copy = b.lanes("c", C, (c) => [
      b.store(patches, [n, oy, ox, ky, kx, c], b.load(x, n, iy, ix, c)),
    ]);
    const clear = b.lanes("e", C, (c) => [b.store(patches, [n, oy, ox, ky, kx, c], 0)]);
    return b.when(isInside, [copy], [clear]);
  });
  return b.kernel("image_to_patches", [x, patches], [body]);
}

/** dx [batch, H, W, C] = sums of dpatches over the windows that read each element. */
export function patchesToImage({ batch, shape }: Image, window: Window): Kernel {
  const [, , C] = shape;
  const [rows, columns] = axesOf(shape, window);
  const taps = [rows.kernel, columns.kernel, C];
  const patches = b.buffer("dpatches", "f32", [batch, rows.outputs, columns.outputs, ...taps]);
  const dx = b.buffer("dx", "f32", [batch, ...shape]);
  const body = overTaps({ batch, shape }, window, ({ n, oy, ox, ky, kx, iy, ix, isInside }) => {
    const addition = b.lanes("c", C, (c) => {
      const sum = b.add(b.load(dx, n, iy, ix, c), b.load(patches, n, oy, ox, ky, kx, c));
      return [b.store(dx, [n, iy, ix, c], sum)];
    });
    return b.when(isInside, [addition]);
  });
  return b.kernel("patches_to_image", [patches, dx], [clearImage(dx), body]);
}

/** One tap of one window: sample, output, place in the window, element, and whether that exists. */
interface Tap {
  readonly n: Expr;
  readonly oy: Expr;
  readonly ox: Expr;
  readonly ky: Expr;
  readonly kx: Expr;
  readonly iy: Expr;
  readonly ix: Expr;
  readonly isInside: Expr;
}

/** Loops over every tap of every window of a batch; samples may be shared by threads. */
export function overTaps(
  { batch, shape }: Image,
  window: Window,
  body: (tap: Tap) => Statement,
): Statement {
  const [rows, columns] = axesOf(shape, window);
  const at = (n: Expr, oy: Expr, ox: Expr, ky: Expr, kx: Expr): Statement => {
    const iy = b.sub(b.add(b.mul(oy, rows.stride), ky), rows.before);
    const ix = b.sub(b.add(b.mul(ox, columns.stride), kx), columns.before);
    const isInside = b.inside([iy, rows.extent], [ix, columns.extent]);
    return body({ n, oy, ox, ky, kx, iy, ix, isInside });
  };
  return b.loop(
    "n",
    batch,
    (n) => [
      b.loop("oy", rows.outputs, (oy) => [
        b.loop("ox", columns.outputs, (ox) => [
          b.loop("ky", rows.kernel, (ky) => [
            b.loop("kx", columns.kernel, (kx) => [at(n, oy, ox, ky, kx)]),
          ]),
        ]),
      ]),
    ],
    { parallel: true },
  );
}

/** Set [batch, H, W, C] to zero, sample by sample like overTaps. */
export function clearImage(image: Buffer): Statement {
  const [batch, H, W, C] = image.shape;
  return b.loop(
    "zn",
    batch,
    (n) => [
      b.loop("zy", H, (y) => [
        b.loop("zx", W, (x) => [b.lanes("zc", C, (c) => [b.store(image, [n, y, x, c], 0)])]),
      ]),
    ],
    { parallel: true },
  );
}
