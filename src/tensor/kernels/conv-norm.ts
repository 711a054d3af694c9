/**
 * Convolution, batch normalisation and ReLU as one convolution with folded weights.
 *
 * The statistics of a batch follow from the Gram matrix of the patches alone. With X [R, K] all
 * patches of a batch, s their sums, C = X'X / R - s s' / R^2 their covariance, u = X w:
 *
 *     mean(u_n) = s' w_n / R,      var(u_n) = w_n' C w_n                                          (1)
 *
 * so y = max(0, X (w scale) + offset) is computed once, and neither u nor its normalised form is
 * ever stored. Backward, with dy masked by y > 0, dsum its column sums and h = (u - mean) inverse:
 *
 *     dgamma = sum dy h = inverse (w' (X' dy) - mean dsum),      dbeta = dsum
 *     dw = scale (X' dy - s dsum / R - inverse (C w) dgamma)                                      (2)
 *
 * which needs X' dy only. There is no gradient by the image: the first convolution needs none.
 * Source: (2) is the gradient of Ioffe, Szegedy 2015 multiplied by X'. Where lags will do (lag-sums.ts),
 * X is not made either.
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Kernel,
  type Statement,
} from "../../kernel/index.ts";
import { declareScale, moveRunning, variables } from "./batch-norm.ts";
import type { Convolution } from "./convolve.ts";

/** Columns of the patches: the window's values, a one, and zeros up to whole vectors. */
export function patchColumns({ kernel, C }: Convolution): number {
  return Math.ceil((kernel[0] * kernel[1] * C + 1) / 4) * 4;
}

function patchSize({ kernel, C }: Convolution): number {
  return kernel[0] * kernel[1] * C;
}

/** patches [H' W', columns] of the padded image x [H, W C]. */
export function patches(shape: Convolution): Kernel {
  const { height, width, C, kernel, stride, outputs } = shape;
  const [taps, columns, K] = [kernel[1] * C, patchColumns(shape), patchSize(shape)];
  const x = b.buffer("x", "f32", [height, width * C]);
  const rows = b.buffer("patches", "f32", [...outputs, columns]);
  const body = b.loop("oy", outputs[0], (oy) => [
    b.loop("ox", outputs[1], (ox) => [
      ...Array.from({ length: kernel[0] }, (_, ky) =>
        b.lanes(`k${ky}`, taps, (k) => {
          const column = b.add(b.mul(ox, stride[1] * C), k);
          const value = b.load(x, b.add(b.mul(oy, stride[0]), ky), column);
          return [b.store(rows, [oy, ox, b.add(k, ky * taps)], value)];
        }),
      ),
      ...Array.from({ length: columns - K }, (_, i) =>
        b.store(rows, [oy, ox, K + i], b.f32(i === 0 ? 1 : 0)),
      ),
    ]),
  ]);
  return b.kernel("patches", [x, rows], [body]);
}

/** gram [columns, columns] += patches' patches, of which only the lower triangle is used. */
export function gram(shape: Convolution): Kernel {
  const pixels = shape.outputs[0] * shape.outputs[1];
  const columns = patchColumns(shape);
  const rows = b.buffer("patches", "f32", [pixels, columns]);
  const sums = b.buffer("gram", "f32", [columns, columns]);
  const tiles = Array.from({ length: columns / 4 }, (_, t): Statement => {
    const acc = Array.from({ length: 4 }, (_, r) => b.variable(`acc${t}_${r}`, "f32"));
    const left = acc.map((_, r) => b.variable(`left${t}_${r}`, "f32"));
    const right = b.variable(`right${t}`, "f32");
    return b.lanes(
      `n${t}`,
      4 * t + 4,
      (n) => [
        ...acc.map((sum, r) => b.declare(sum, b.load(sums, 4 * t + r, n))),
        b.loop(`m${t}`, pixels, (m) => [
          b.declare(right, b.load(rows, m, n)),
          ...left.map((value, r) => b.declare(value, b.load(rows, m, 4 * t + r))),
          ...acc.map((sum, r) => b.set(sum, b.add(sum, b.mul(left[r], right)))),
        ]),
        ...acc.map((sum, r) => b.store(sums, [4 * t + r, n], sum)),
      ],
      { vectors: 2 },
    );
  });
  return b.kernel("gram", [rows, sums], tiles);
}

interface Batch {
  /** The convolution has a bias [N]. */
  readonly bias: boolean;
  readonly batch: number;
  readonly epsilon: number;
  readonly momentum: number;
}

/**
 * What a batch makes of the weights w [K, N], bias, gamma and beta [N]:
 *
 * covered     [K, N] = C w
 * statistics  [2, N]: mean of u, and 1 / sqrt(variance + epsilon); running [2, N] is moved
 * folded      [K, N] = w scale, and offset [N]
 */
export function gramStatistics(
  shape: Convolution,
  { bias: hasBias, batch, epsilon, momentum }: Batch,
): Kernel {
  const [columns, K, N] = [patchColumns(shape), patchSize(shape), shape.filters];
  const count = batch * shape.outputs[0] * shape.outputs[1];
  const sums = b.buffer("gram", "f32", [columns, columns]);
  const covariance = b.buffer("covariance", "f32", [K, K]);
  const { w, bias, gamma, beta, running, statistics, folded, offset } = buffers(K, N);
  const covered = b.buffer("covered", "f32", [K, N]);
  const [total, mean, variance] = variables("total", "mean", "variance");
  const sumOf = (k: Expr): Expr => b.load(sums, K, k);
  const centred = (row: Expr, column: Expr): Expr => {
    const product = b.mul(b.mul(sumOf(row), b.f32(1 / count)), sumOf(column));
    return b.mul(b.sub(b.load(sums, row, column), product), b.f32(1 / count));
  };
  const spread = b.loop("row", K, (row) => [
    b.loop("column", b.add(row, 1), (column) => [
      b.store(covariance, [row, column], centred(row, column)),
      b.store(covariance, [column, row], centred(row, column)),
    ]),
  ]);
  const cover = b.loop("k", K, (k) => [
    b.lanes(
      "n",
      N,
      (n) => [
        b.declare(total, 0),
        b.loop("j", K, (j) => [
          b.set(total, b.add(total, b.mul(b.load(covariance, k, j), b.load(w, j, n)))),
        ]),
        b.store(covered, [k, n], total),
      ],
      { vectors: 2 },
    ),
  ]);
  const normalise = b.lanes("m", N, (m) => [
    b.declare(mean, 0),
    b.declare(variance, 0),
    b.loop("i", K, (i) => [
      b.set(mean, b.add(mean, b.mul(b.load(w, i, m), b.mul(sumOf(i), b.f32(1 / count))))),
      b.set(variance, b.add(variance, b.mul(b.load(w, i, m), b.load(covered, i, m)))),
    ]),
    b.set(variance, b.max(variance, 0)),
    b.store(statistics, [0, m], mean),
    ...moveRunning(running, m, {
      mean: hasBias ? b.add(mean, b.load(bias, m)) : mean,
      ...{ variance, count, momentum },
    }),
    ...foldInto({ w, gamma, beta, statistics, folded, offset }, K, m, mean, variance, epsilon),
  ]);
  return b.kernel(
    "gram_statistics",
    [
      ...[sums, w, ...(hasBias ? [bias] : []), gamma, beta, running],
      ...[covariance, covered, statistics, folded, offset],
    ],
    [spread, cover, normalise],
  );
}

/** The same from the running statistics [2, N]: mean (with the bias) and variance. */
export function foldRunning(
  { K, N, bias: hasBias }: { K: number; N: number; bias: boolean },
  { epsilon }: { epsilon: number },
): Kernel {
  const { w, bias, gamma, beta, running, statistics, folded, offset } = buffers(K, N);
  const mean = b.variable("mean", "f32");
  const body = b.lanes("m", N, (m) => [
    b.declare(mean, b.load(running, 0, m)),
    ...(hasBias ? [b.set(mean, b.sub(mean, b.load(bias, m)))] : []),
    b.store(statistics, [0, m], mean),
    ...foldInto(
      { w, gamma, beta, statistics, folded, offset },
      K,
      m,
      mean,
      b.load(running, 1, m),
      epsilon,
    ),
  ]);
  const given = [w, ...(hasBias ? [bias] : []), gamma, beta, running];
  return b.kernel("fold_running", [...given, statistics, folded, offset], [body]);
}

type Fold = Readonly<Record<"w" | "gamma" | "beta" | "statistics" | "folded" | "offset", Buffer>>;

function foldInto(
  { w, gamma, beta, statistics, folded, offset }: Fold,
  K: number,
  n: Expr,
  mean: Expr,
  variance: Expr,
  epsilon: number,
): Statement[] {
  const { inverse, scale, statements } = declareScale(variance, b.load(gamma, n), epsilon);
  return [
    ...statements,
    b.store(statistics, [1, n], inverse),
    b.store(offset, [n], b.sub(b.load(beta, n), b.mul(mean, scale))),
    b.loop("f", K, (f) => [b.store(folded, [f, n], b.mul(b.load(w, f, n), scale))]),
  ];
}

type Parameter =
  | ("w" | "folded")
  | ("bias" | "gamma" | "beta" | "offset")
  | ("running" | "statistics");

/**
 * dy where y > 0, else 0, of [pixels, N], which may be one storage; dsum [N] += the sums of its
 * columns.
 */
export function maskedGradient(
  { pixels, N }: { pixels: number; N: number },
  { relu }: { relu: boolean },
): Kernel {
  const [y, dy, masked] = ["y", "dy", "masked"].map((name) => b.buffer(name, "f32", [pixels, N]));
  const dsum = b.buffer("dsum", "f32", [N]);
  const [sum, own] = variables("sum", "own");
  const body = b.lanes(
    "n",
    N,
    (n) => [
      b.declare(sum, b.load(dsum, n)),
      b.loop("m", pixels, (m) => {
        const given = b.load(dy, m, n);
        const counts = b.less(0, b.load(y, m, n));
        return [
          b.declare(own, relu ? b.select(counts, given, b.f32(0)) : given),
          b.store(masked, [m, n], own),
          b.set(sum, b.add(sum, own)),
        ];
      }),
      b.store(dsum, [n], sum),
    ],
    { vectors: 4 },
  );
  return b.kernel("masked_gradient", [...(relu ? [y] : []), dy, masked, dsum], [body]);
}

/** Equation (2) from given [K, N] = X' dy and dsum [N]; the bias has no gradient. */
export function gramGradient(shape: Convolution, { batch }: { batch: number }): Kernel {
  const [columns, K, N] = [patchColumns(shape), patchSize(shape), shape.filters];
  const count = batch * shape.outputs[0] * shape.outputs[1];
  const sums = b.buffer("gram", "f32", [columns, columns]);
  const { w, gamma, statistics } = buffers(K, N);
  const [given, covered, dw] = ["given", "covered", "dw"].map((name) =>
    b.buffer(name, "f32", [K, N]),
  );
  const [dsum, dgamma, dbeta] = ["dsum", "dgamma", "dbeta"].map((name) =>
    b.buffer(name, "f32", [N]),
  );
  const [product, inverse, slope, scale] = variables("product", "inverse", "slope", "scale");
  const body = b.lanes("n", N, (n) => {
    const own = b.load(dsum, n);
    return [
      b.declare(product, 0),
      b.loop("k", K, (k) => [
        b.set(product, b.add(product, b.mul(b.load(w, k, n), b.load(given, k, n)))),
      ]),
      b.declare(inverse, b.load(statistics, 1, n)),
      b.declare(slope, b.mul(inverse, b.sub(product, b.mul(b.load(statistics, 0, n), own)))),
      b.store(dgamma, [n], slope),
      b.store(dbeta, [n], own),
      b.declare(scale, b.mul(inverse, b.load(gamma, n))),
      b.loop("j", K, (j) => {
        const mean = b.mul(b.load(sums, K, j), b.f32(1 / count));
        const shared = b.mul(b.mul(inverse, b.load(covered, j, n)), slope);
        const rest = b.sub(b.sub(b.load(given, j, n), b.mul(mean, own)), shared);
        return [b.store(dw, [j, n], b.mul(scale, rest))];
      }),
    ];
  });
  return b.kernel(
    "gram_gradient",
    [sums, w, gamma, statistics, covered, given, dsum, dgamma, dbeta, dw],
    [body],
  );
}

function buffers(K: number, N: number): Readonly<Record<Parameter, Buffer>> {
  const matrix = (name: string): Buffer => b.buffer(name, "f32", [K, N]);
  const vector = (name: string): Buffer => b.buffer(name, "f32", [N]);
  const pair = (name: string): Buffer => b.buffer(name, "f32", [2, N]);
  return {
    w: matrix("w"),
    folded: matrix("folded"),
    bias: vector("bias"),
    gamma: vector("gamma"),
    beta: vector("beta"),
    offset: vector("offset"),
    running: pair("running"),
    statistics: pair("statistics"),
  };
}
