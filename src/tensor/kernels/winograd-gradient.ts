/**
 * The gradient by the weights of a convolution of which winograd.ts computes two outputs at a time.
 *
 * With e the gradient by y, (1) there gives
 *
 *     du = (e_0 v_0, (e_0 + e_1) v_1, (e_0 - e_1) v_2, e_1 v_3)
 *     dg = (du_0 + h, (du_1 - du_2) / 2, h - du_3),     h = (du_1 + du_2) / 2                       (2)
 *
 * where du is summed over all pairs of outputs first.
 */

import { build as b, type Expr, type Kernel, type Statement } from "../../kernel/index.ts";
import type { Convolution } from "./convolve.ts";
import { byRows, productTile } from "./product-tile.ts";
import { FACTORS, planesShape, rowOf } from "./winograd.ts";

/** Filters whose e are looked at together: of a row of outputs they stay in cache. */
const BLOCK = 32;

function blockOf(filters: number): number {
  return filters % BLOCK === 0 ? BLOCK : filters;
}

/** Of `pairs`: what of e the four products take, for a row of outputs and a block of filters. */
export function pairsShape({ outputs, filters }: Convolution): readonly number[] {
  return [outputs[1] / 2, FACTORS, blockOf(filters)];
}

interface Options {
  /** dy counts only where y [H', W', N] > 0. */
  readonly relu?: boolean;
  /** dsum [N] += the sums of dy over all outputs. */
  readonly sums?: boolean;
}

/** du [4, kh C, N] += sums over the pairs of outputs, of planes and dy [H', W', N]. */
export function winogradWeights(
  shape: Convolution,
  { relu = false, sums = false }: Options = {},
): Kernel {
  const { C, kernel, outputs, filters: N } = shape;
  const [taps, size] = [kernel[0] * C, blockOf(N)];
  const blocks = N / size;
  const inRow = outputs[1] / 2;
  const source = b.buffer("planes", "f32", planesShape(shape));
  const [y, dy] = ["y", "dy"].map((name) => b.buffer(name, "f32", [...outputs, blocks, size]));
  const pairs = b.buffer("pairs", "f32", pairsShape(shape));
  const dsum = b.buffer("dsum", "f32", [blocks, size]);
  const du = b.buffer("du", "f32", [FACTORS, taps, blocks, size]);
  const [even, odd, sum] = ["even", "odd", "sum"].map((name) => b.variable(name, "f32"));
  const arrange = (oy: Expr, block: Expr): Statement =>
    b.loop("pair", inRow, (pair) => [
      b.lanes(
        "n",
        size,
        (n) => {
          const put = (factor: number, value: Expr): Statement =>
            b.store(pairs, [pair, factor, n], value);
          const declare = (value: typeof even, i: number): Statement => {
            const at = [oy, b.add(b.mul(pair, 2), i), block, n];
            const given = b.load(dy, ...at);
            if (!relu) return b.declare(value, given);
            return b.declare(value, b.select(b.less(0, b.load(y, ...at)), given, b.f32(0)));
          };
          return [
            ...[even, odd].map(declare),
            ...[even, b.add(even, odd), b.sub(even, odd), odd].map((e, i) => put(i, e)),
          ];
        },
        { vectors: 2 },
      ),
    ]);
  const addUp = (block: Expr): Statement =>
    b.lanes(
      "m",
      size,
      (m) => [
        b.declare(sum, b.load(dsum, block, m)),
        b.loop("also", inRow, (pair) => [b.set(sum, b.add(sum, b.load(pairs, pair, 1, m)))]),
        b.store(dsum, [block, m], sum),
      ],
      { vectors: 4 },
    );
  const multiply = (factor: number, oy: Expr, block: Expr): Statement[] => {
    return byRows(`k${factor}`, taps, false, (k, rows) => [
      productTile(rows, size, {
        name: `${factor}_${rows}`,
        begin: (n, r) => b.load(du, factor, b.add(k, r), block, n),
        over: (add) => b.loop(`pair${factor}_${rows}`, inRow, (pair) => add(oy, pair)),
        left: (r, _oy, pair) => {
          const at = b.add(b.mul(oy, C), b.add(k, r));
          return b.load(source, rowOf(factor, pair, shape), at);
        },
        right: (n, _oy, pair) => b.load(pairs, pair, factor, n),
        end: (total, n, r) => [b.store(du, [factor, b.add(k, r), block, n], total)],
      }),
    ]);
  };
  const body = b.loop("oy", outputs[0], (oy) => [
    b.loop("block", blocks, (block) => [
      arrange(oy, block),
      ...(sums ? [addUp(block)] : []),
      ...[0, 1, 2, 3].flatMap((factor) => multiply(factor, oy, block)),
    ]),
  ]);
  const buffers = [source, ...(relu ? [y] : []), dy, pairs, ...(sums ? [dsum] : []), du];
  return b.kernel("winograd_weights", buffers, [body]);
}

/** dw [kh, 3, C, N] of du [4, kh, C, N]. */
export function weightsOfFactors({ kernel, C, filters: N }: Convolution): Kernel {
  const du = b.buffer("du", "f32", [FACTORS, kernel[0], C, N]);
  const dw = b.buffer("dw", "f32", [kernel[0], 3, C, N]);
  const [plus, minus] = ["plus", "minus"].map((name) => b.variable(name, "f32"));
  const body = b.loop("ky", kernel[0], (ky) => [
    b.loop("c", C, (c) => [
      b.lanes("n", N, (n) => {
        const of = (factor: number): Expr => b.load(du, factor, ky, c, n);
        return [
          b.declare(plus, b.mul(b.f32(0.5), b.add(of(1), of(2)))),
          b.declare(minus, b.mul(b.f32(0.5), b.sub(of(1), of(2)))),
          b.store(dw, [ky, 0, c, n], b.add(of(0), plus)),
          b.store(dw, [ky, 1, c, n], minus),
          b.store(dw, [ky, 2, c, n], b.sub(plus, of(3))),
        ];
      }),
    ]),
  ]);
  return b.kernel("weights_of_factors", [du, dw], [body]);
}
