/**
 * The register tile of all matrix products: four rows of the left factor by eight columns of the right.
 *
 * Each loaded vector of the right feeds four products, each splat of the left two. Measured reason:
 * eight accumulators with an inner loop that is not unrolled are the fastest in V8. Tiles with fewer
 * rows are wider.
 */

import { build as b, type Expr, type Statement } from "../../kernel/index.ts";

/** Rows of a whole tile. */
export const ROWS = 4;
const ACCUMULATORS = 8;

/** sums[r, n] = begin + sum of left[r] right[n] over what `over` goes through. */
export interface TileProduct {
  /** Of the loops and variables, where a kernel has several tiles of as many rows. */
  readonly name?: string;
  begin(n: Expr, r: number): Expr;
  /** The loops of the sum, whose body is `add` of two of their variables. */
  over(add: (outer: Expr, inner: Expr) => Statement[]): Statement;
  left(r: number, outer: Expr, inner: Expr): Expr;
  right(n: Expr, outer: Expr, inner: Expr): Expr;
  end(sum: Expr, n: Expr, r: number): readonly Statement[];
}

/** A tile of `rows` rows, over all N columns. */
export function productTile(rows: number, N: number, product: TileProduct): Statement {
  const { name = `${rows}` } = product;
  const sums = Array.from({ length: rows }, (_, r) => b.variable(`acc${name}_${r}`, "f32"));
  const left = sums.map((_, r) => b.variable(`left${name}_${r}`, "f32"));
  const right = b.variable(`right${name}`, "f32");
  return b.lanes(
    `n${name}`,
    N,
    (n) => [
      ...sums.map((sum, r) => b.declare(sum, product.begin(n, r))),
      product.over((outer, inner) => [
        b.declare(right, product.right(n, outer, inner)),
        ...left.map((value, r) => b.declare(value, product.left(r, outer, inner))),
        ...sums.map((sum, r) => b.set(sum, b.add(sum, b.mul(left[r], right)))),
      ]),
      ...sums.flatMap((sum, r) => product.end(sum, n, r)),
    ],
    { vectors: 2 ** Math.floor(Math.log2(ACCUMULATORS / rows)) },
  );
}

/** Statements for whole groups of rows, then for the ones that are left. */
export function byRows(
  name: string,
  extent: number,
  parallel: boolean,
  tile: (row: Expr, rows: number) => readonly Statement[],
): Statement[] {
  const rest = extent % ROWS;
  const whole = extent - rest;
  const statements: Statement[] = [];
  if (whole > 0) {
    const options = { step: ROWS, parallel };
    statements.push(b.loop(name, whole, (row) => tile(row, ROWS), options));
  }
  if (rest > 0) {
    const options = { from: whole, step: rest, parallel };
    statements.push(b.loop(`${name}_rest`, extent, (row) => tile(row, rest), options));
  }
  return statements;
}
