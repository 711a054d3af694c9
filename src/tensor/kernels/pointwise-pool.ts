/**
 * A 1 x 1 convolution, bias, ReLU, maximum over 2 x 2 tiles and dropout in one pass over one image.
 *
 * The four rows of a register tile are the four pixels of a pooling tile, so nothing before the
 * maximum is stored; `choice` remembers which pixel it was, or NONE where ReLU or dropout gave 0.
 * Backward, only the chosen pixel of each tile has a gradient: a quarter of the products at most.
 * Those are listed first, pixel tile by pixel tile, without branches.
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Kernel,
  type Statement,
} from "../../kernel/index.ts";
import { type Dropped, droppedBy } from "./elementwise.ts";

export interface PooledProduct {
  /** Of the image: [H, W, K]; an odd last row or column has no tile. */
  readonly shape: readonly number[];
  readonly filters: number;
}

const TILE = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
] as const;
const NONE = 4;

function tilesOf([H, W]: readonly number[]): [number, number] {
  return [Math.floor(H / 2), Math.floor(W / 2)];
}

/** y and choice (s8) [H/2, W/2, N] of x [H, W, K], w [K, N], bias [N]. */
export function pointwisePool({ shape, filters: N }: PooledProduct, dropped?: Dropped): Kernel {
  const [H, W, K] = shape;
  const tiles = tilesOf(shape);
  const x = b.buffer("x", "f32", [H, W, K]);
  const w = b.buffer("w", "f32", [K, N]);
  const bias = b.buffer("bias", "f32", [N]);
  const y = b.buffer("y", "f32", [...tiles, N]);
  const choice = b.buffer("choice", "s8", [...tiles, N]);
  const mask = dropped && droppedBy(dropped, tiles[0] * tiles[1] * N);
  const sums = TILE.map((_, r) => b.variable(`acc${r}`, "f32"));
  const left = TILE.map((_, r) => b.variable(`x${r}`, "f32"));
  const right = b.variable("right", "f32");
  const largest = b.variable("largest", "f32");
  const which = b.variable("which", "s32");
  const scale = dropped === undefined ? 1 : 1 / (1 - dropped.rate);
  const tile = (oy: Expr, ox: Expr, n: Expr): Statement[] => {
    const element = b.add(b.mul(b.add(b.mul(oy, tiles[1]), ox), N), n);
    return [
      ...sums.map((sum) => b.declare(sum, 0)),
      b.loop("k", K, (k) => [
        b.declare(right, b.load(w, k, n)),
        ...TILE.map(([dy, dx], r) => {
          const pixel = [b.add(b.mul(oy, 2), dy), b.add(b.mul(ox, 2), dx)];
          return b.declare(left[r], b.load(x, ...pixel, k));
        }),
        ...sums.map((sum, r) => b.set(sum, b.add(sum, b.mul(left[r], right)))),
      ]),
      b.declare(largest, sums[0]),
      b.declare(which, 0),
      ...sums
        .slice(1)
        .flatMap((sum, r) => [
          b.set(which, b.select(b.less(largest, sum), b.s32(r + 1), which)),
          b.set(largest, b.max(largest, sum)),
        ]),
      b.set(largest, b.add(largest, b.load(bias, n))),
      ...(mask === undefined ? [] : mask.declare(element)),
      ...(mask === undefined ? [] : [b.set(largest, b.select(mask.isDropped, b.f32(0), largest))]),
      b.set(which, b.select(b.less(0, largest), which, b.s32(NONE))),
      b.store(choice, [oy, ox, n], which),
      b.store(y, [oy, ox, n], b.mul(b.max(largest, 0), b.f32(scale))),
    ];
  };
  const body = b.loop("oy", tiles[0], (oy) => [
    b.loop("ox", tiles[1], (ox) => [b.lanes("n", N, (n) => tile(oy, ox, n), { vectors: 2 })]),
  ]);
  const masks = mask?.buffers ?? [];
  const buffers = [x, w, bias, ...masks, y, choice];
  return b.kernel("pointwise_pool", buffers, [...(mask?.begin ?? []), body]);
}

/**
 * chosen [tiles, N + 1]: the filters of each tile that have a gradient, as filter * 4 + pixel, and
 * their count at the end. db [N] += the gradients, dy times `scale`.
 */
export function listChosen(
  { shape, filters: N }: PooledProduct,
  { scale }: { scale: number },
): Kernel {
  const [rows, columns] = tilesOf(shape);
  const tiles = rows * columns;
  const choice = b.buffer("choice", "s8", [tiles, N]);
  const dy = b.buffer("dy", "f32", [tiles, N]);
  const chosen = b.buffer("chosen", "s32", [tiles, N + 1]);
  const db = b.buffer("db", "f32", [N]);
  const count = b.variable("count", "s32");
  const pixel = b.variable("pixel", "s32");
  const sum = b.variable("sum", "f32");
  const lists = b.loop("tile", tiles, (tile) => [
    b.declare(count, 0),
    b.loop("n", N, (n) => [
      b.declare(pixel, b.load(choice, tile, n)),
      // written over by the next one unless it counts
      b.store(chosen, [tile, count], b.add(b.mul(n, 4), pixel)),
      b.set(count, b.add(count, b.less(pixel, NONE))),
    ]),
    b.store(chosen, [tile, N], count),
  ]);
  const biases = b.lanes(
    "m",
    N,
    (m) => [
      b.declare(sum, 0),
      b.loop("p", tiles, (p) => {
        const isChosen = b.less(b.load(choice, p, m), NONE);
        return [b.set(sum, b.add(sum, b.select(isChosen, b.load(dy, p, m), b.f32(0))))];
      }),
      b.store(db, [m], b.add(b.load(db, m), b.mul(sum, b.f32(scale)))),
    ],
    { vectors: 2 },
  );
  return b.kernel("list_chosen", [choice, dy, chosen, db], [lists, biases]);
}

interface Chosen {
  readonly filter: Expr;
  readonly row: Expr;
  readonly column: Expr;
  readonly gradient: Expr;
}

/** Loops over what listChosen has listed. */
function overChosen(
  { shape, filters: N }: PooledProduct,
  scale: number,
  body: (chosen: Chosen) => Statement[],
  before: (oy: Expr, ox: Expr) => Statement[] = () => [],
) {
  const [rows, columns] = tilesOf(shape);
  const chosen = b.buffer("chosen", "s32", [rows, columns, N + 1]);
  const dy = b.buffer("dy", "f32", [rows, columns, N]);
  const [entry, filter, row, column] = ["entry", "filter", "row", "column"].map((name) =>
    b.variable(name, "s32"),
  );
  const gradient = b.variable("gradient", "f32");
  const statement = b.loop("oy", rows, (oy) => [
    b.loop("ox", columns, (ox) => [
      ...before(oy, ox),
      b.loop("i", b.load(chosen, oy, ox, N), (i) => [
        b.declare(entry, b.load(chosen, oy, ox, i)),
        b.declare(filter, b.shr(entry, 2)),
        b.declare(row, b.add(b.mul(oy, 2), b.bitAnd(b.shr(entry, 1), 1))),
        b.declare(column, b.add(b.mul(ox, 2), b.bitAnd(entry, 1))),
        b.declare(gradient, b.mul(b.load(dy, oy, ox, filter), b.f32(scale))),
        ...body({ filter, row, column, gradient }),
      ]),
    ]),
  ]);
  return { chosen, dy, statement };
}

type Row = readonly [Buffer, ...Expr[]];

/** One row of K numbers += another times a factor. */
function addTimes(K: number, factor: Expr, { of, to }: { of: Row; to: Row }): Statement {
  const [[from, ...at], [target, ...there]] = [of, to];
  return b.lanes(
    "k",
    K,
    (k) => {
      const share = b.mul(b.load(from, ...at, k), factor);
      return [b.store(target, [...there, k], b.add(b.load(target, ...there, k), share))];
    },
    { vectors: 4 },
  );
}

/** dw [N, K] += gradients times the chosen pixels of x [H, W, K]. */
export function chosenWeights(product: PooledProduct, { scale }: { scale: number }): Kernel {
  const [H, W, K] = product.shape;
  const x = b.buffer("x", "f32", [H, W, K]);
  const dw = b.buffer("dw", "f32", [product.filters, K]);
  const { chosen, dy, statement } = overChosen(
    product,
    scale,
    ({ filter, row, column, gradient }) => [
      addTimes(K, gradient, { of: [x, row, column], to: [dw, filter] }),
    ],
  );
  return b.kernel("chosen_weights", [x, dy, chosen, dw], [statement]);
}

/** dx [H, W, K] of turned weights [N, K]: sums at the chosen pixels, zero at the others. */
export function chosenInput(product: PooledProduct, { scale }: { scale: number }): Kernel {
  const [H, W, K] = product.shape;
  const turned = b.buffer("turned", "f32", [product.filters, K]);
  const dx = b.buffer("dx", "f32", [H, W, K]);
  const clear = (tag: string, row: Expr, column: Expr): Statement =>
    b.lanes(`z${tag}`, K, (k) => [b.store(dx, [row, column, k], 0)], { vectors: 4 });
  const { chosen, dy, statement } = overChosen(
    product,
    scale,
    ({ filter, row, column, gradient }) => [
      addTimes(K, gradient, { of: [turned, filter], to: [dx, row, column] }),
    ],
    (oy, ox) =>
      TILE.map(([dy, dx], r) => clear(`${r}`, b.add(b.mul(oy, 2), dy), b.add(b.mul(ox, 2), dx))),
  );
  const last = H % 2 === 0 ? [] : [b.loop("lx", W, (lx) => [clear("y", b.s32(H - 1), lx)])];
  const side = W % 2 === 0 ? [] : [b.loop("ly", H, (ly) => [clear("x", ly, b.s32(W - 1))])];
  return b.kernel("chosen_input", [dy, chosen, turned, dx], [...last, ...side, statement]);
}
