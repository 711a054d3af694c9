/**
 * Convolution by windows [kh, 3] with stride 1, two outputs of a row at a time, from four products
 * instead of six.
 *
 * Of neighbouring columns d_0 .. d_3 of the image and a row g_0 g_1 g_2 of the window,
 *
 *     v = (d_0 - d_2, d_1 + d_2, d_2 - d_1, d_1 - d_3)
 *     u = (g_0, (g_0 + g_1 + g_2) / 2, (g_0 - g_1 + g_2) / 2, -g_2)                                 (1)
 *     y_0 = u_0 v_0 + u_1 v_1 + u_2 v_2,     y_1 = u_1 v_1 - u_2 v_2 + u_3 v_3
 *
 * each product summed over the rows of the window and its channels first. The image lies there by
 * columns, so that these sums go along it; d_1 - d_3 is d_0 - d_2 a column on, so three planes hold v.
 *
 * Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016: F(2, 3).
 */

import { build as b, type Expr, type Kernel, type Statement } from "../../kernel/index.ts";
import type { Convolution } from "./convolve.ts";
import { byRows, productTile, ROWS } from "./product-tile.ts";

/** Products of a pair of outputs. */
export const FACTORS = 4;

/** Products in a row of a sum without which the sums are put together too often to win anything. */
const LEAST_TAPS = 8;
/** Pairs in a row of outputs. */
const LEAST_PAIRS = 4;

/** Whether (1) holds for all outputs, and is worth while. */
export function hasPairs({ kernel, stride, outputs, C }: Convolution): boolean {
  const isEven = kernel[1] === 3 && stride[0] === 1 && stride[1] === 1 && outputs[1] % 2 === 0;
  return isEven && outputs[1] >= 2 * LEAST_PAIRS && kernel[0] * C >= LEAST_TAPS;
}

/**
 * Of `planes`: rows of v. Differences of columns two apart come first, for every column; then the sums
 * of neighbours and their differences, for every pair.
 */
export function planesShape({ height, outputs, C }: Convolution): readonly number[] {
  return [2 * outputs[1], height * C];
}

/** The row that holds v of a product for a pair. */
export function rowOf(factor: number, pair: Expr, { outputs: [, W] }: Convolution): Expr {
  if (factor === 1) return b.add(pair, W);
  if (factor === 2) return b.add(pair, W + W / 2);
  return b.add(b.mul(pair, 2), factor === 0 ? 0 : 1);
}

/** planes of the framed image by columns [width, height C]. */
export function planes(shape: Convolution): Kernel {
  const { height, width, C, outputs } = shape;
  const x = b.buffer("columns", "f32", [width, height * C]);
  const result = b.buffer("planes", "f32", planesShape(shape));
  const [first, second, third, fourth] = [0, 1, 2, 3].map((i) => b.variable(`d${i}`, "f32"));
  const body = b.loop("pair", outputs[1] / 2, (pair) => [
    b.lanes("i", height * C, (i) => {
      const put = (factor: number, value: Expr): Statement =>
        b.store(result, [rowOf(factor, pair, shape), i], value);
      return [
        ...[first, second, third, fourth].map((d, j) =>
          b.declare(d, b.load(x, b.add(b.mul(pair, 2), j), i)),
        ),
        put(0, b.sub(first, third)),
        put(1, b.add(second, third)),
        put(2, b.sub(third, second)),
        put(3, b.sub(second, fourth)),
      ];
    }),
  ]);
  return b.kernel("planes", [x, result], [body]);
}

/** u [4, kh, C, N] of the weights w [kh, 3, C, N]. */
export function weightFactors({ kernel, C, filters: N }: Convolution): Kernel {
  const w = b.buffer("w", "f32", [kernel[0], 3, C, N]);
  const u = b.buffer("u", "f32", [FACTORS, kernel[0], C, N]);
  const [ends, middle] = ["ends", "middle"].map((name) => b.variable(name, "f32"));
  const half = (value: Expr): Expr => b.mul(b.f32(0.5), value);
  const body = b.loop("ky", kernel[0], (ky) => [
    b.loop("c", C, (c) => [
      b.lanes("n", N, (n) => {
        const [first, second, third] = [0, 1, 2].map((kx) => b.load(w, ky, kx, c, n));
        return [
          b.declare(ends, half(b.add(first, third))),
          b.declare(middle, half(second)),
          b.store(u, [0, ky, c, n], first),
          b.store(u, [1, ky, c, n], b.add(ends, middle)),
          b.store(u, [2, ky, c, n], b.sub(ends, middle)),
          b.store(u, [3, ky, c, n], b.sub(b.f32(0), third)),
        ];
      }),
    ]),
  ]);
  return b.kernel("weight_factors", [w, u], [body]);
}

/** Of `partial`: both outputs of the pairs of a tile, for all filters. */
export function partialShape({ filters }: Convolution): readonly number[] {
  return [ROWS, 2, filters];
}

/** y [H', W', N] of planes, u [4, kh C, N] and bias [N]; with `relu` no less than 0. */
export function winograd(
  shape: Convolution,
  { bias = false, relu = false }: { bias?: boolean; relu?: boolean } = {},
): Kernel {
  const { C, kernel, outputs, filters: N } = shape;
  const taps = kernel[0] * C;
  const source = b.buffer("planes", "f32", planesShape(shape));
  const u = b.buffer("u", "f32", [FACTORS, taps, N]);
  const offsets = b.buffer("bias", "f32", [N]);
  const partial = b.buffer("partial", "f32", partialShape(shape));
  const y = b.buffer("y", "f32", [...outputs, N]);
  /** sums over the taps of one product, for `rows` pairs from the first */
  const product = (factor: number, rows: number, [oy, first]: readonly [Expr, Expr]): Statement => {
    const pair = (r: number): Expr => b.mul(b.add(first, r), 2);
    const there = (n: Expr, r: number, odd: number): Expr => b.load(partial, r, odd, n);
    const keep = (n: Expr, r: number, odd: number, value: Expr): Statement =>
      b.store(partial, [r, odd, n], value);
    const finish = (n: Expr, r: number, odd: number, value: Expr): Statement =>
      b.store(y, [oy, b.add(pair(r), odd), n], relu ? b.max(value, 0) : value);
    const begin = (n: Expr, r: number): Expr => {
      if (factor === 0) return there(n, r, 0);
      if (factor === 3) return there(n, r, 1);
      return factor === 1 && bias ? b.load(offsets, n) : b.f32(0);
    };
    const end = (sum: Expr, n: Expr, r: number): Statement[] => {
      if (factor === 0) return [finish(n, r, 0, sum)];
      if (factor === 3) return [finish(n, r, 1, sum)];
      if (factor === 1) return [keep(n, r, 0, sum)];
      return [keep(n, r, 1, b.sub(there(n, r, 0), sum)), keep(n, r, 0, b.add(there(n, r, 0), sum))];
    };
    return productTile(rows, N, {
      ...{ name: `${factor}_${rows}`, begin, end },
      over: (add) => b.loop(`k${factor}_${rows}`, taps, (k) => add(oy, k)),
      left: (r, _oy, k) =>
        b.load(source, rowOf(factor, b.add(first, r), shape), b.add(b.mul(oy, C), k)),
      right: (n, _oy, k) => b.load(u, factor, k, n),
    });
  };
  // y is far away: what is not yet whole stays near
  const order = [1, 2, 0, 3];
  const body = b.loop("oy", outputs[0], (oy) =>
    byRows("first", outputs[1] / 2, false, (first, rows) =>
      order.map((factor) => product(factor, rows, [oy, first])),
    ),
  );
  const buffers = [source, u, ...(bias ? [offsets] : []), partial, y];
  return b.kernel("winograd", buffers, [body]);
}
