/**
 * Sliding windows: where a kernel's taps fall, for convolutions and pooling.
 *
 * "same" padding is TensorFlow's: ceil(extent / stride) outputs, the odd padding row or column at
 * the end.
 */

import { build as b, type Kernel } from "../../kernel/index.ts";

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
  const body = overTaps(batch, rows, columns, (n, oy, ox, ky, kx) => {
    const iy = b.sub(b.add(b.mul(oy, rows.stride), ky), rows.before);
    const ix = b.sub(b.add(b.mul(ox, columns.stride), kx), columns.before);
    const copy = b.lanes("c", C, (c) => [
      b.store(patches, [n, oy, ox, ky, kx, c], b.load(x, n, iy, ix, c)),
    ]);
    const clear = b.lanes("e", C, (c) => [b.store(patches, [n, oy, ox, ky, kx, c], 0)]);
    return b.when(b.inside([iy, rows.extent], [ix, columns.extent]), [copy], [clear]);
  });
  return b.kernel("image_to_patches", [x, patches], [body]);
}

/** dx [batch, H, W, C] = sums of dpatches over the windows that read each element. */
export function patchesToImage({ batch, shape }: Image, window: Window): Kernel {
  const [H, W, C] = shape;
  const [rows, columns] = axesOf(shape, window);
  const taps = [rows.kernel, columns.kernel, C];
  const patches = b.buffer("dpatches", "f32", [batch, rows.outputs, columns.outputs, ...taps]);
  const dx = b.buffer("dx", "f32", [batch, H, W, C]);
  const clear = b.loop(
    "zn",
    batch,
    (n) => [
      b.loop("zy", H, (y) => [
        b.loop("zx", W, (x) => [b.lanes("zc", C, (c) => [b.store(dx, [n, y, x, c], 0)])]),
      ]),
    ],
    { parallel: true },
  );
  const body = overTaps(batch, rows, columns, (n, oy, ox, ky, kx) => {
    const iy = b.sub(b.add(b.mul(oy, rows.stride), ky), rows.before);
    const ix = b.sub(b.add(b.mul(ox, columns.stride), kx), columns.before);
    const addition = b.lanes("c", C, (c) => [
      b.store(
        dx,
        [n, iy, ix, c],
        b.add(b.load(dx, n, iy, ix, c), b.load(patches, n, oy, ox, ky, kx, c)),
      ),
    ]);
    return b.when(b.inside([iy, rows.extent], [ix, columns.extent]), [addition]);
  });
  return b.kernel("patches_to_image", [patches, dx], [clear, body]);
}

type Index = ReturnType<typeof b.variable>;
type Body = ReturnType<typeof b.when>;

function overTaps(
  batch: number,
  rows: Axis,
  columns: Axis,
  body: (n: Index, oy: Index, ox: Index, ky: Index, kx: Index) => Body,
): Body {
  return b.loop(
    "b",
    batch,
    (n) => [
      b.loop("oy", rows.outputs, (oy) => [
        b.loop("ox", columns.outputs, (ox) => [
          b.loop("ky", rows.kernel, (ky) => [
            b.loop("kx", columns.kernel, (kx) => [body(n, oy, ox, ky, kx)]),
          ]),
        ]),
      ]),
    ],
    { parallel: true },
  );
}
