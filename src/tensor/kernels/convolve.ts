/**
 * Convolution and matrix products: one register-blocked kernel for both, and its gradient by the
 * weights.
 *
 *     y[oy, ox, n] = bias[n] + sum_ky,k x[oy s + ky, ox s C + k] w[ky, k, n],   k = (kx, c)
 *
 * The taps of a window that lie in one row of the image are neighbours in memory, so no patches are
 * made: x is the padded image, and a row of the product begins wherever its window does. A 1 x 1
 * convolution is the product of all pixels at once; a dense layer is one with a sample a pixel.
 *
 * A tile of four pixels by eight filters is kept in registers: each loaded vector feeds four
 * products, each splat two. Measured reason: eight accumulators with an inner loop that is not
 * unrolled are the fastest in V8. Tiles with fewer pixels are wider.
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Kernel,
  type Statement,
} from "../../kernel/index.ts";

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

/** A product of [M, K] and [K, N] as a convolution of M pixels. */
export function productOf({ M, K, N }: Readonly<Record<"M" | "K" | "N", number>>): Convolution {
  const unit = { kernel: [1, 1], stride: [1, 1] } as const;
  return { height: 1, width: M, C: K, ...unit, outputs: [1, M], filters: N };
}

const ROWS = 4;
const ACCUMULATORS = 8;

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
  const tile = (oy: Expr, ox: Expr, rows: number): Statement => {
    const sums = Array.from({ length: rows }, (_, r) => b.variable(`acc${rows}_${r}`, "f32"));
    const left = sums.map((_, r) => b.variable(`x${rows}_${r}`, "f32"));
    const right = b.variable(`w${rows}`, "f32");
    return b.lanes(
      `n${rows}`,
      N,
      (n) => [
        ...sums.map((sum) => b.declare(sum, bias ? b.load(offsets, n) : 0)),
        b.loop(`ky${rows}`, kernel[0], (ky) => [
          b.loop(`k${rows}`, taps, (k) => [
            b.declare(right, b.load(w, ky, k, n)),
            ...left.map((value, r) => {
              const column = b.add(b.mul(b.add(ox, r), stride[1] * C), k);
              return b.declare(value, b.load(x, b.add(b.mul(oy, stride[0]), ky), column));
            }),
            ...sums.map((sum, r) => b.set(sum, b.add(sum, b.mul(left[r], right)))),
          ]),
        ]),
        ...sums.map((sum, r) => b.store(y, [oy, b.add(ox, r), n], relu ? b.max(sum, 0) : sum)),
      ],
      { vectors: vectorsFor(rows) },
    );
  };
  const body = b.loop("oy", outputs[0], (oy) =>
    byRows("ox", outputs[1], parallel, (ox, rows) => tile(oy, ox, rows)),
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
    const sums = Array.from({ length: rows }, (_, r) => b.variable(`acc${rows}_${r}`, "f32"));
    const left = sums.map((_, r) => b.variable(`x${rows}_${r}`, "f32"));
    const right = b.variable(`dy${rows}`, "f32");
    return b.lanes(
      `n${rows}`,
      N,
      (n) => [
        ...sums.map((sum, r) => b.declare(sum, before(dw, [ky, b.add(k, r), n], pixels, parallel))),
        b.loop(
          `oy${rows}`,
          pixels.oy.to,
          (oy) => [
            b.loop(
              `ox${rows}`,
              pixels.ox.to,
              (ox) => [
                b.declare(right, b.load(dy, oy, ox, n)),
                ...left.map((value, r) => {
                  const column = b.add(b.mul(ox, stride[1] * C), b.add(k, r));
                  return b.declare(value, b.load(x, b.add(b.mul(oy, stride[0]), ky), column));
                }),
                ...sums.map((sum, r) => b.set(sum, b.add(sum, b.mul(left[r], right)))),
              ],
              { from: pixels.ox.from },
            ),
          ],
          { from: pixels.oy.from },
        ),
        ...sums.map((sum, r) => b.store(dw, [ky, b.add(k, r), n], sum)),
      ],
      { vectors: vectorsFor(rows) },
    );
  };
  const body = overPixels(outputs, (pixels) => [
    b.loop("ky", kernel[0], (ky) =>
      byRows("k", taps, parallel, (k, rows) => tile(ky, k, rows, pixels)),
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

/** Statements for whole groups of four, then for the ones that are left. */
function byRows(
  name: string,
  extent: number,
  parallel: boolean,
  tile: (row: Expr, rows: number) => Statement,
): Statement[] {
  const rest = extent % ROWS;
  const whole = extent - rest;
  const statements: Statement[] = [];
  if (whole > 0) {
    const options = { step: ROWS, parallel };
    statements.push(b.loop(name, whole, (row) => [tile(row, ROWS)], options));
  }
  if (rest > 0) {
    const options = { from: whole, step: rest, parallel };
    statements.push(b.loop(`${name}_rest`, extent, (row) => [tile(row, rest)], options));
  }
  return statements;
}

/** Vectors of filters beside so many rows. */
function vectorsFor(rows: number): number {
  return 2 ** Math.floor(Math.log2(ACCUMULATORS / rows));
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
