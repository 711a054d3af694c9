/**
 * The gradients of a pointwisePool. Only the chosen pixel of a tile has a gradient in each filter: a
 * quarter of the products at most.
 *
 *     dw[n, :] += g[t, n] x[c(t, n), :],      dx[p, :] = sum over (t, n) with c(t, n) = p of g[t, n] w[n, :]
 *
 * with g = dy times the scale of dropout and c(t, n) the pixel that tile t has chosen in filter n. First
 * the filters of each tile are listed by the pixel they chose, without branches; then a pixel's row of
 * x or dx stays in registers while its list is gone through.
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Kernel,
  type Statement,
} from "../../kernel/index.ts";
import { NONE, type PooledProduct, TILE, tilesOf } from "./pointwise-pool.ts";

/**
 * Vectors of a pixel's row that stay in registers: for dx a vector of weights beside each must fit the
 * sixteen that there are, too.
 */
const VECTORS = { x: 8, dx: 4 };

/** The lists of a tile are counted in a byte each. */
export const MOST_CHOSEN = 255;

/**
 * The filters that chose each pixel of each tile, and at the end of a list how many there are; behind
 * them a list of the others, which is not counted.
 *
 * shape  of `lists`, s16: [H / 2, W / 2, 5, N + 1]
 */
export function listsOf({ shape, filters: N }: PooledProduct): readonly number[] {
  return [...tilesOf(shape), TILE.length + 1, N + 1];
}

/**
 * The lists of `choice` [H/2, W/2, N]; db [N] += the gradients, dy times `scale`.
 *
 * scale  what dropout multiplies values by that it keeps
 */
export function listChosen(product: PooledProduct, { scale }: { scale: number }): Kernel {
  const { filters: N } = product;
  const [rows, columns] = tilesOf(product.shape);
  const choice = b.buffer("choice", "s8", [rows, columns, N]);
  const dy = b.buffer("dy", "f32", [rows, columns, N]);
  const lists = b.buffer("lists", "s16", listsOf(product));
  const db = b.buffer("db", "f32", [N]);
  const pixel = b.variable("pixel", "s32");
  const sum = b.variable("sum", "f32");
  // a byte for each of the four pixels
  const [counts, byte] = [b.variable("counts", "s32"), b.variable("byte", "s32")];
  const countOf = (bits: Expr): Expr => b.bitAnd(b.shrU(counts, bits), 255);
  const listing = overTiles(product, (oy, ox) => [
    b.declare(counts, 0),
    b.loop("n", N, (n) => [
      b.declare(pixel, b.load(choice, oy, ox, n)),
      b.declare(byte, b.shl(b.bitAnd(pixel, 3), 3)),
      b.store(lists, [oy, ox, pixel, countOf(byte)], n),
      b.set(counts, b.addWrap(counts, b.shl(b.less(pixel, NONE), byte))),
    ]),
    ...TILE.map((_, p) => b.store(lists, [oy, ox, p, N], countOf(b.s32(8 * p)))),
  ]);
  const biases = b.lanes(
    "m",
    N,
    (m) => [
      b.declare(sum, 0),
      b.loop("y", rows, (y) => [
        b.loop("x", columns, (x) => {
          const isChosen = b.less(b.load(choice, y, x, m), NONE);
          return [b.set(sum, b.add(sum, b.select(isChosen, b.load(dy, y, x, m), b.f32(0))))];
        }),
      ]),
      b.store(db, [m], b.add(b.load(db, m), b.mul(sum, b.f32(scale)))),
    ],
    { vectors: 2 },
  );
  return b.kernel("list_chosen", [choice, dy, lists, db], [listing, biases]);
}

/** dw [N, K] += gradients times the chosen pixels of x [H, W, K]. */
export function chosenWeights(product: PooledProduct, { scale }: { scale: number }): Kernel {
  const K = product.shape[2];
  const list = listOf(product);
  const x = b.buffer("x", "f32", product.shape);
  const dw = b.buffer("dw", "f32", [product.filters, K]);
  const value = b.variable("value", "f32");
  const body = overPixels(product, (pixel) => [
    b.lanes(
      "k",
      K,
      (k) => [
        b.declare(value, b.mul(b.load(x, pixel.row, pixel.column, k), b.f32(scale))),
        list.over(pixel, (filter, gradient) =>
          b.store(dw, [filter, k], b.add(b.load(dw, filter, k), b.mul(value, gradient))),
        ),
      ],
      { vectors: VECTORS.x },
    ),
  ]);
  return b.kernel("chosen_weights", [x, ...list.buffers, dw], [body]);
}

/** dx [H, W, K] of turned weights [N, K]: sums at the chosen pixels, zero at the others. */
export function chosenInput(product: PooledProduct, { scale }: { scale: number }): Kernel {
  const [H, W, K] = product.shape;
  const list = listOf(product);
  const turned = b.buffer("turned", "f32", [product.filters, K]);
  const dx = b.buffer("dx", "f32", [H, W, K]);
  const sum = b.variable("sum", "f32");
  const body = overPixels(product, (pixel) => [
    b.lanes(
      "k",
      K,
      (k) => [
        b.declare(sum, 0),
        list.over(pixel, (filter, gradient) =>
          b.set(sum, b.add(sum, b.mul(b.load(turned, filter, k), gradient))),
        ),
        b.store(dx, [pixel.row, pixel.column, k], b.mul(sum, b.f32(scale))),
      ],
      { vectors: VECTORS.dx },
    ),
  ]);
  const clear = (name: string, row: Expr, column: Expr): Statement[] => [
    b.lanes(name, K, (k) => [b.store(dx, [row, column, k], 0)], { vectors: 4 }),
  ];
  // an odd last row or column is in no tile: nothing depends on it
  const last = b.loop("lx", W, (lx) => clear("zy", b.s32(H - 1), lx));
  const side = b.loop("ly", H, (ly) => clear("zx", ly, b.s32(W - 1)));
  const rests = [...(H % 2 === 0 ? [] : [last]), ...(W % 2 === 0 ? [] : [side])];
  return b.kernel("chosen_input", [...list.buffers, turned, dx], [...rests, body]);
}

function overTiles({ shape }: PooledProduct, body: (oy: Expr, ox: Expr) => Statement[]): Statement {
  const [rows, columns] = tilesOf(shape);
  return b.loop("oy", rows, (oy) => [b.loop("ox", columns, (ox) => body(oy, ox))]);
}

/** A pixel: its tile, its number there, and its place in the image. */
interface Pixel {
  readonly oy: Expr;
  readonly ox: Expr;
  readonly p: Expr;
  readonly row: Expr;
  readonly column: Expr;
}

function overPixels(product: PooledProduct, body: (pixel: Pixel) => Statement[]): Statement {
  return overTiles(product, (oy, ox) => [
    b.loop("p", TILE.length, (p) => {
      const row = b.add(b.mul(oy, 2), b.shr(p, 1));
      const column = b.add(b.mul(ox, 2), b.bitAnd(p, 1));
      return body({ oy, ox, p, row, column });
    }),
  ]);
}

interface List {
  readonly buffers: readonly Buffer[];
  /** The filters that chose a pixel, with their gradients before dropout's scale. */
  over(pixel: Pixel, body: (filter: Expr, gradient: Expr) => Statement): Statement;
}

function listOf(product: PooledProduct): List {
  const { filters: N } = product;
  const lists = b.buffer("lists", "s16", listsOf(product));
  const dy = b.buffer("dy", "f32", [...tilesOf(product.shape), N]);
  const filter = b.variable("filter", "s32");
  const gradient = b.variable("gradient", "f32");
  return {
    buffers: [lists, dy],
    over: ({ oy, ox, p }, body) =>
      b.loop("i", b.load(lists, oy, ox, p, N), (i) => [
        b.declare(filter, b.load(lists, oy, ox, p, i)),
        b.declare(gradient, b.load(dy, oy, ox, filter)),
        body(filter, gradient),
      ]),
  };
}
