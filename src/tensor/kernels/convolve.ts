/**
 * Convolution and matrix products: one register-blocked kernel for both, and its gradient by the
 * weights.
 *
 *     y[oy, ox, n] = bias[n] + sum_ky,k x[oy s + ky, ox s C + k] w[ky, k, n],   k = (kx, c)
 *
 * The taps of a window that lie in one row of the image are neighbours in memory, so no patches are
 * made: x is the padded image, and a row of the product begins wherever its window does. A 1 x 1
 * convolution is the product of all pixels at once; a dense layer is one with a sample a pixel.
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Kernel,
  type Statement,
} from "../../kernel/index.ts";
import { byRows, productTile } from "./product-tile.ts";

export interface Convolution {
  /** The image with its padding. */
  readonly height: number;
  readonly width: number;
  readonly C: number;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  /** Outputs along both axes. */
  readonly outputs: readonly [number, number];
  readonly filters: number;
}

/**
 * A product of [M, K] and [K, N] as a convolution of M pixels. With several `blocks` of columns x is
 * [blocks, M, K / blocks], an image of as many rows under a window of that height.
 */
export function productOf(
  { M, K, N }: Readonly<Record<"M" | "K" | "N", number>>,
  blocks = 1,
): Convolution {
  const window = { kernel: [blocks, 1], stride: [1, 1] } as const;
  return { height: blocks, width: M, C: K / blocks, ...window, outputs: [1, M], filters: N };
}

interface Options {
  /** Add bias [N]. */
  readonly bias?: boolean;
  /** y = max(0, that). */
  readonly relu?: boolean;
  /** Threads may share the pixels of a row. */
  readonly parallel?: boolean;
}

/** y [H', W', N] of x [H, W C] and w [kh, kw C, N]. */
export function convolve(
  shape: Convolution,
  { bias = false, relu = false, parallel = false }: Options = {},
): Kernel {
  const { height, width, C, kernel, stride, outputs, filters: N } = shape;
  const taps = kernel[1] * C;
  const x = b.buffer("x", "f32", [height, width * C]);
  const w = b.buffer("w", "f32", [kernel[0], taps, N]);
  const offsets = b.buffer("bias", "f32", [N]);
  const y = b.buffer("y", "f32", [...outputs, N]);
  const tile = (oy: Expr, ox: Expr, rows: number): Statement =>
    productTile(rows, N, {
      begin: (n) => (bias ? b.load(offsets, n) : b.f32(0)),
      over: (add) =>
        b.loop(`ky${rows}`, kernel[0], (ky) => [b.loop(`k${rows}`, taps, (k) => add(ky, k))]),
      left: (r, ky, k) => {
        const column = b.add(b.mul(b.add(ox, r), stride[1] * C), k);
        return b.load(x, b.add(b.mul(oy, stride[0]), ky), column);
      },
      right: (n, ky, k) => b.load(w, ky, k, n),
      end: (sum, n, r) => [b.store(y, [oy, b.add(ox, r), n], relu ? b.max(sum, 0) : sum)],
    });
  const body = b.loop("oy", outputs[0], (oy) =>
    byRows("ox", outputs[1], parallel, (ox, rows) => [tile(oy, ox, rows)]),
  );
  const buffers = bias ? [x, w, offsets, y] : [x, w, y];
  return b.kernel("convolve", buffers, [body]);
}

/** Pixels of a sum that is kept in registers: both operands of that many stay in cache. */
const BLOCK = 64;

/**
 * dw [kh, kw C, N] += sum over pixels of x times dy [H', W', N]; with `parallel` dw is set, not
 * added to, and threads may share its rows.
 */
export function convolveWeights(
  shape: Convolution,
  { parallel = false }: { parallel?: boolean } = {},
): Kernel {
  const { height, width, C, kernel, stride, outputs, filters: N } = shape;
  const taps = kernel[1] * C;
  const x = b.buffer("x", "f32", [height, width * C]);
  const dy = b.buffer("dy", "f32", [...outputs, N]);
  const dw = b.buffer("dw", "f32", [kernel[0], taps, N]);
  const tile = (ky: Expr, k: Expr, rows: number, pixels: Pixels): Statement => {
    const { oy: high, ox: wide } = pixels;
    return productTile(rows, N, {
      begin: (n, r) => before(dw, [ky, b.add(k, r), n], pixels, parallel),
      over: (add) => {
        const row = (oy: Expr) => [
          b.loop(`ox${rows}`, wide.to, (ox) => add(oy, ox), { from: wide.from }),
        ];
        return b.loop(`oy${rows}`, high.to, row, { from: high.from });
      },
      left: (r, oy, ox) => {
        const column = b.add(b.mul(ox, stride[1] * C), b.add(k, r));
        return b.load(x, b.add(b.mul(oy, stride[0]), ky), column);
      },
      right: (n, oy, ox) => b.load(dy, oy, ox, n),
      end: (sum, n, r) => [b.store(dw, [ky, b.add(k, r), n], sum)],
    });
  };
  const body = overPixels(outputs, (pixels) => [
    b.loop("ky", kernel[0], (ky) =>
      byRows("k", taps, parallel, (k, rows) => [tile(ky, k, rows, pixels)]),
    ),
  ]);
  return b.kernel("convolve_weights", [x, dy, dw], [body]);
}

interface Range {
  readonly from: Expr;
  readonly to: Expr;
}
interface Pixels {
  readonly oy: Range;
  readonly ox: Range;
}

/** Blocks of about BLOCK pixels: whole rows, or parts of the only row. */
function overPixels(
  [H, W]: readonly [number, number],
  body: (pixels: Pixels) => Statement[],
): Statement {
  const [one, zero] = [b.s32(1), b.s32(0)];
  if (H === 1) {
    const oy = { from: zero, to: one };
    const block = (from: Expr): Statement[] =>
      body({ oy, ox: { from, to: b.min(b.add(from, BLOCK), W) } });
    return b.loop("block", W, block, { step: BLOCK });
  }
  const rows = Math.max(1, Math.ceil(BLOCK / W));
  const ox = { from: zero, to: b.s32(W) };
  const block = (from: Expr): Statement[] =>
    body({ oy: { from, to: b.min(b.add(from, rows), H) }, ox });
  return b.loop("block", H, block, { step: rows });
}

/** Where a sum begins: at what is there, or at zero in the first block of a sum that is set. */
function before(dw: Buffer, index: readonly Expr[], { oy, ox }: Pixels, isSet: boolean): Expr {
  const there = b.load(dw, ...index);
  if (!isSet) return there;
  return b.select(b.equal(b.add(oy.from, ox.from), 0), b.f32(0), there);
}

/**
 * db [N] += sum of dy [M, N] over its rows; with `parallel` db is set, not added to, and threads may
 * share its columns.
 */
export function columnSums(
  { M, N }: { M: number; N: number },
  { parallel = false }: { parallel?: boolean } = {},
): Kernel {
  const dy = b.buffer("dy", "f32", [M, N]);
  const db = b.buffer("db", "f32", [N]);
  const sum = b.variable("acc", "f32");
  const body = b.lanes(
    "n",
    N,
    (n) => [
      b.declare(sum, parallel ? 0 : b.load(db, n)),
      b.loop("m", M, (m) => [b.set(sum, b.add(sum, b.load(dy, m, n)))]),
      b.store(db, [n], sum),
    ],
    { vectors: 4, parallel },
  );
  return b.kernel("column_sums", [dy, db], [body]);
}

/**
 * Weights as the gradient by the image needs them: turned [kh, kw, N, C] of w [kh, kw, C, N], the
 * window turned by 180 degrees.
 */
export function turnWeights(
  [kh, kw]: readonly [number, number],
  { C, N }: { C: number; N: number },
): Kernel {
  const w = b.buffer("w", "f32", [kh, kw, C, N]);
  const turned = b.buffer("turned", "f32", [kh, kw, N, C]);
  const body = b.loop("ky", kh, (ky) => [
    b.loop("kx", kw, (kx) => [
      b.loop(
        "n",
        N,
        (n) => [
          b.lanes("c", C, (c) => [
            b.store(turned, [ky, kx, n, c], b.load(w, b.sub(kh - 1, ky), b.sub(kw - 1, kx), c, n)),
          ]),
        ],
        { parallel: true },
      ),
    ]),
  ]);
  return b.kernel("turn_weights", [w, turned], [body]);
}

/** sum [size] = sum of parts [chunks, size], which are left at zero for the next step. */
export function sumChunks({ chunks, size }: { chunks: number; size: number }): Kernel {
  const parts = b.buffer("parts", "f32", [chunks, size]);
  const total = b.buffer("sum", "f32", [size]);
  const sum = b.variable("acc", "f32");
  const body = b.lanes(
    "i",
    size,
    (i) => [
      b.declare(sum, 0),
      b.loop("chunk", chunks, (chunk) => [
        b.set(sum, b.add(sum, b.load(parts, chunk, i))),
        b.store(parts, [chunk, i], 0),
      ]),
      b.store(total, [i], sum),
    ],
    { vectors: 2, parallel: true },
  );
  return b.kernel("sum_chunks", [parts, total], [body]);
}
