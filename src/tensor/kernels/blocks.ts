/**
 * Products with many columns, in blocks of them that fit the nearest cache with all rows.
 *
 * In a matrix whose rows are some power of two apart the same columns of all rows fall on few lines of
 * a cache and drive one another out; a block lies there as one piece.
 */

import { build as b, type Expr, type Kernel, type Statement } from "../../kernel/index.ts";
import { byRows, productTile } from "./product-tile.ts";

/** Columns of a block. */
const BLOCK = 64;

/** How many blocks a matrix of K columns has; 1 if it is not worth while or they do not come out even. */
export function blocksOf(K: number): number {
  return K >= 8 * BLOCK && K % BLOCK === 0 ? K / BLOCK : 1;
}

/** A product, and the blocks of its columns. */
interface Blocked {
  readonly M: number;
  readonly K: number;
  readonly N: number;
  readonly blocks: number;
}

/** blocked [blocks, M, K / blocks] of x [M, K]. */
export function inBlocks({ M, K, blocks }: Omit<Blocked, "N">): Kernel {
  const size = K / blocks;
  const x = b.buffer("x", "f32", [M, blocks, size]);
  const blocked = b.buffer("blocked", "f32", [blocks, M, size]);
  const row = (block: Expr, m: Expr): Statement =>
    b.lanes("k", size, (k) => [b.store(blocked, [block, m, k], b.load(x, m, block, k))], {
      vectors: 4,
    });
  return b.kernel("in_blocks", [x, blocked], [overBlocks(blocks, "m", M, row)]);
}

/** turned [blocks, N, K / blocks] of w [K, N]. */
export function turnInBlocks({ K, N, blocks }: Omit<Blocked, "M">): Kernel {
  const size = K / blocks;
  const w = b.buffer("w", "f32", [blocks, size, N]);
  const turned = b.buffer("turned", "f32", [blocks, N, size]);
  const row = (block: Expr, n: Expr): Statement =>
    b.lanes("k", size, (k) => [b.store(turned, [block, n, k], b.load(w, block, k, n))]);
  return b.kernel("turn_in_blocks", [w, turned], [overBlocks(blocks, "n", N, row)]);
}

/** Threads may share the blocks. */
function overBlocks(
  blocks: number,
  name: string,
  rows: number,
  row: (block: Expr, index: Expr) => Statement,
): Statement {
  const body = (block: Expr): Statement[] => [b.loop(name, rows, (i) => [row(block, i)])];
  return b.loop("block", blocks, body, { parallel: true });
}

/** y [M, K] of x [M, N] and w [blocks, N, K / blocks]; threads may share the rows. */
export function productInBlocks({ M, K, N, blocks }: Blocked): Kernel {
  const size = K / blocks;
  const x = b.buffer("x", "f32", [M, N]);
  const w = b.buffer("w", "f32", [blocks, N, size]);
  const y = b.buffer("y", "f32", [M, blocks, size]);
  const body = b.loop("block", blocks, (block) =>
    byRows("m", M, true, (m, rows) => [
      productTile(rows, size, {
        begin: () => b.f32(0),
        over: (add) => b.loop(`sum${rows}`, N, (n) => add(block, n)),
        left: (r, _block, n) => b.load(x, b.add(m, r), n),
        right: (k, _block, n) => b.load(w, block, n, k),
        end: (sum, k, r) => [b.store(y, [b.add(m, r), block, k], sum)],
      }),
    ]),
  );
  return b.kernel("product_in_blocks", [x, w, y], [body]);
}
