/**
 * The gradients of a pointwisePool. Only the chosen pixel of a tile has a gradient in each filter: a
 * quarter of the products at most.
 *
 *     dw[n, :] += sum over t of g[t, n] x[c(t, n), :],      dx[c(t, n), :] += g[t, n] w[n, :]
 *
 * with g = dy times the scale of dropout and c(t, n) the pixel that tile t has chosen in filter n. First
 * the chosen pixels of each filter are listed, without branches, for bands of tiles whose pixels stay in
 * the nearest cache; then a filter's row of dw or w stays in registers while its list is gone through.
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Kernel,
  type Statement,
} from "../../kernel/index.ts";
import { choiceOf, NONE, type PooledProduct, tilesOf } from "./pointwise-pool.ts";

/** Vectors of a filter's row that stay in registers: for dw a vector of x beside each must fit, too. */
const VECTORS = { dw: 4, w: 8 };

/** Bytes of the pixels of a band. */
const BAND = 32 * 1024;

/** How the rows of tiles are cut. */
interface Bands {
  readonly count: number;
  /** Rows of tiles; the last band may have fewer. */
  readonly rows: number;
  /** Tiles of a band. */
  readonly tiles: number;
}

function bandsOf({ shape: [H, W, K] }: PooledProduct): Bands {
  const [rows, columns] = tilesOf([H, W]);
  const most = Math.max(1, Math.floor(BAND / (2 * W * K * 4)));
  const count = Math.ceil(rows / most);
  const each = Math.ceil(rows / count);
  return { count, rows: each, tiles: each * columns };
}

/**
 * The pixels that the filters chose in each band, and at the end of a list how many there are.
 *
 * shape  of `lists`, s32, and of `gradients`, f32: [bands, N, tiles of a band + 1]
 */
export function listsOf(product: PooledProduct): readonly number[] {
  const { count, tiles } = bandsOf(product);
  return [count, product.filters, tiles + 1];
}

/**
 * The lists of `choice`, with the gradients of the chosen pixels; db [N] += them.
 *
 * scale  what dropout multiplies values by that it keeps
 */
export function listChosen(product: PooledProduct, { scale }: { scale: number }): Kernel {
  const { filters: N } = product;
  const [rows, columns] = tilesOf(product.shape);
  const tiles = rows * columns;
  const bands = bandsOf(product);
  const choice = choiceOf(product);
  const dy = b.buffer("dy", "f32", [tiles, N]);
  const lists = b.buffer("lists", "s32", listsOf(product));
  const gradients = b.buffer("gradients", "f32", listsOf(product));
  const db = b.buffer("db", "f32", [N]);
  const [pixel, count] = [b.variable("pixel", "s32"), b.variable("count", "s32")];
  const sum = b.variable("sum", "f32");
  const listing = b.loop("band", bands.count, (band) => [
    b.loop("n", N, (n) => [
      b.declare(count, 0),
      b.loop(
        "t",
        b.min(b.mul(b.add(band, 1), bands.tiles), tiles),
        (t) => [
          b.declare(pixel, b.load(choice, t, n)),
          b.store(lists, [band, n, count], pixel),
          b.store(gradients, [band, n, count], b.load(dy, t, n)),
          b.set(count, b.add(count, b.add(b.shr(pixel, 31), 1))),
        ],
        { from: b.mul(band, bands.tiles) },
      ),
      b.store(lists, [band, n, bands.tiles], count),
    ]),
  ]);
  const biases = b.lanes(
    "m",
    N,
    (m) => [
      b.declare(sum, 0),
      b.loop("u", tiles, (u) => {
        const isChosen = b.less(NONE, b.load(choice, u, m));
        return [b.set(sum, b.add(sum, b.select(isChosen, b.load(dy, u, m), b.f32(0))))];
      }),
      b.store(db, [m], b.add(b.load(db, m), b.mul(sum, b.f32(scale)))),
    ],
    { vectors: 2 },
  );
  return b.kernel("list_chosen", [choice, dy, lists, gradients, db], [listing, biases]);
}

/** dw [N, K] += gradients times the chosen pixels of x [H, W, K]. */
export function chosenWeights(product: PooledProduct, { scale }: { scale: number }): Kernel {
  const { filters: N } = product;
  const [H, W, K] = product.shape;
  const list = listOf(product);
  const x = b.buffer("x", "f32", [H * W, K]);
  const dw = b.buffer("dw", "f32", [N, K]);
  const sum = b.variable("sum", "f32");
  const row = (band: Expr, n: Expr): Statement =>
    b.lanes(
      "k",
      K,
      (k) => [
        b.declare(sum, 0),
        list.over(band, n, (pixel, gradient) =>
          b.set(sum, b.add(sum, b.mul(b.load(x, pixel, k), gradient))),
        ),
        b.store(dw, [n, k], b.add(b.load(dw, n, k), b.mul(sum, b.f32(scale)))),
      ],
      { vectors: VECTORS.dw },
    );
  const body = b.loop("band", list.bands, (band) => [b.loop("n", N, (n) => [row(band, n)])]);
  return b.kernel("chosen_weights", [x, ...list.buffers, dw], [body]);
}

/** dx [H, W, K] of turned weights [N, K]: sums at the chosen pixels, zero at the others. */
export function chosenInput(product: PooledProduct, { scale }: { scale: number }): Kernel {
  const { filters: N } = product;
  const [H, W, K] = product.shape;
  const list = listOf(product);
  const turned = b.buffer("turned", "f32", [N, K]);
  const dx = b.buffer("dx", "f32", [H * W, K]);
  const weight = b.variable("weight", "f32");
  const row = (band: Expr, n: Expr): Statement =>
    b.lanes(
      "k",
      K,
      (k) => [
        b.declare(weight, b.mul(b.load(turned, n, k), b.f32(scale))),
        list.over(band, n, (pixel, gradient) =>
          b.store(dx, [pixel, k], b.add(b.load(dx, pixel, k), b.mul(weight, gradient))),
        ),
      ],
      { vectors: VECTORS.w },
    );
  // with the last band an odd last row, which is in no tile: nothing depends on it
  const isLast = (band: Expr): Expr => b.equal(band, list.bands - 1);
  const end = (band: Expr): Expr =>
    b.select(isLast(band), b.s32(H * W), b.mul(b.add(band, 1), list.pixels));
  const clear = (band: Expr): Statement =>
    b.loop(
      "p",
      end(band),
      (p) => [b.lanes("zero", K, (k) => [b.store(dx, [p, k], 0)], { vectors: 4 })],
      { from: b.mul(band, list.pixels) },
    );
  const body = b.loop("band", list.bands, (band) => [
    clear(band),
    b.loop("n", N, (n) => [row(band, n)]),
  ]);
  return b.kernel("chosen_input", [...list.buffers, turned, dx], [body]);
}

interface List {
  readonly buffers: readonly Buffer[];
  readonly bands: number;
  /** Of a band. */
  readonly pixels: number;
  /** The pixels that a filter chose in a band, with their gradients before dropout's scale. */
  over(band: Expr, n: Expr, body: (pixel: Expr, gradient: Expr) => Statement): Statement;
}

function listOf(product: PooledProduct): List {
  const { count, rows, tiles } = bandsOf(product);
  const lists = b.buffer("lists", "s32", listsOf(product));
  const gradients = b.buffer("gradients", "f32", listsOf(product));
  const pixel = b.variable("pixel", "s32");
  const gradient = b.variable("gradient", "f32");
  return {
    buffers: [lists, gradients],
    bands: count,
    pixels: 2 * rows * product.shape[1],
    over: (band, n, body) =>
      b.loop("i", b.load(lists, band, n, tiles), (i) => [
        b.declare(pixel, b.load(lists, band, n, i)),
        b.declare(gradient, b.load(gradients, band, n, i)),
        body(pixel, gradient),
      ]),
  };
}
