/**
 * A 1 x 1 convolution, bias, ReLU, maximum over 2 x 2 tiles and dropout in one pass over one image.
 *
 * The four rows of a register tile are the four pixels of a pooling tile, so nothing before the
 * maximum is stored; `choice` remembers which pixel of the image it was, or NONE where ReLU or dropout
 * gave 0.
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

/** The pixels of a tile: rows and columns from its corner. */
export const TILE = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
] as const;
/** The choice where nothing was chosen. */
export const NONE = -1;

/** Whole tiles along both axes. */
export function tilesOf([H, W]: readonly number[]): [number, number] {
  return [Math.floor(H / 2), Math.floor(W / 2)];
}

/** The chosen pixels, y W + x or NONE, of all tiles and filters: [tiles, N]. */
export function choiceOf({ shape: [H, W], filters: N }: PooledProduct): Buffer {
  const [rows, columns] = tilesOf([H, W]);
  return b.buffer("choice", H * W <= 2 ** 15 ? "s16" : "s32", [rows * columns, N]);
}

/** y [H/2, W/2, N] and choice [H/2 W/2, N] of x [H, W, K], w [K, N], bias [N]. */
export function pointwisePool(product: PooledProduct, dropped?: Dropped): Kernel {
  const { shape, filters: N } = product;
  const [H, W, K] = shape;
  const tiles = tilesOf(shape);
  const x = b.buffer("x", "f32", [H, W, K]);
  const w = b.buffer("w", "f32", [K, N]);
  const bias = b.buffer("bias", "f32", [N]);
  const y = b.buffer("y", "f32", [...tiles, N]);
  const choice = choiceOf(product);
  const mask = dropped && droppedBy(dropped, tiles[0] * tiles[1] * N);
  const sums = TILE.map((_, r) => b.variable(`acc${r}`, "f32"));
  const left = TILE.map((_, r) => b.variable(`x${r}`, "f32"));
  const right = b.variable("right", "f32");
  const largest = b.variable("largest", "f32");
  const which = b.variable("which", "s32");
  const offsets = TILE.map(([dy, dx]) => dy * W + dx);
  const scale = dropped === undefined ? 1 : 1 / (1 - dropped.rate);
  const tile = (oy: Expr, ox: Expr, n: Expr): Statement[] => {
    const place = b.add(b.mul(oy, tiles[1]), ox);
    const element = b.add(b.mul(place, N), n);
    const corner = b.add(b.mul(oy, 2 * W), b.mul(ox, 2));
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
          b.set(which, b.select(b.less(largest, sum), b.s32(offsets[r + 1]), which)),
          b.set(largest, b.max(largest, sum)),
        ]),
      b.set(largest, b.add(largest, b.load(bias, n))),
      ...(mask === undefined ? [] : mask.declare(element)),
      ...(mask === undefined ? [] : [b.set(largest, b.select(mask.isDropped, b.f32(0), largest))]),
      b.set(which, b.select(b.less(0, largest), b.add(which, corner), b.s32(NONE))),
      b.store(choice, [place, n], which),
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
