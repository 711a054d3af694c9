/**
 * Batch normalisation over the last axis: y = gamma * (x - mean) / sqrt(variance + epsilon) + beta.
 *
 * What the samples of a batch have in common is found in two steps: each sample's own sums, then
 * one kernel that puts them together in the order of the samples.
 *
 * Source: Ioffe, Szegedy 2015 (arXiv:1502.03167); parts of a variance put together as in Chan, Golub,
 * LeVeque 1979 (updating formulae for computing sample variances).
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Kernel,
  type Statement,
  type Variable,
} from "../../kernel/index.ts";

/** Pixels of one sample, and channels. */
export interface Rows {
  readonly rows: number;
  readonly C: number;
}
export interface Batch extends Rows {
  readonly batch: number;
}

const WIDE = { vectors: 4 };
const SHARED = { vectors: 2, parallel: true };

/**
 * moments [2, C] of one sample x [rows, C]: its mean, and the sum of squared distances from it. Sums
 * are of distances from the first row, which keeps them small.
 */
export function sampleMoments({ rows, C }: Rows): Kernel {
  const x = b.buffer("x", "f32", [rows, C]);
  const moments = b.buffer("moments", "f32", [2, C]);
  const [pivot, distance, sum, squares] = variables("pivot", "distance", "sum", "squares");
  const body = b.lanes(
    "c",
    C,
    (c) => [
      b.declare(pivot, b.load(x, 0, c)),
      b.declare(sum, 0),
      b.declare(squares, 0),
      b.loop("row", rows, (row) => [
        b.declare(distance, b.sub(b.load(x, row, c), pivot)),
        b.set(sum, b.add(sum, distance)),
        b.set(squares, b.add(squares, b.mul(distance, distance))),
      ]),
      b.store(moments, [0, c], b.add(pivot, b.mul(sum, b.f32(1 / rows)))),
      b.store(moments, [1, c], b.sub(squares, b.mul(sum, b.mul(sum, b.f32(1 / rows))))),
    ],
    WIDE,
  );
  return b.kernel("sample_moments", [x, moments], [body]);
}

/**
 * affine [2, C]: the scale and offset that normalise a batch; statistics [2, C]: its mean, and
 * 1 / sqrt(variance + epsilon). running [2, C] is moved towards mean and variance.
 */
export function batchStatistics(
  { batch, rows, C }: Batch,
  { epsilon, momentum }: { epsilon: number; momentum: number },
): Kernel {
  const moments = b.buffer("moments", "f32", [batch, 2, C]);
  const [gamma, beta] = vectors(C, "gamma", "beta");
  const [running, statistics, affine] = pairs(C, "running", "statistics", "affine");
  const [mean, total, shift, variance] = variables("mean", "total", "shift", "variance");
  const count = batch * rows;
  const body = b.lanes(
    "c",
    C,
    (c) => [
      b.declare(mean, 0),
      b.loop("n", batch, (n) => [b.set(mean, b.add(mean, b.load(moments, n, 0, c)))]),
      b.set(mean, b.mul(mean, b.f32(1 / batch))),
      b.declare(total, 0),
      b.loop("m", batch, (m) => [
        b.declare(shift, b.sub(b.load(moments, m, 0, c), mean)),
        b.set(total, b.add(total, b.load(moments, m, 1, c))),
        b.set(total, b.add(total, b.mul(b.mul(shift, b.f32(rows)), shift))),
      ]),
      b.declare(variance, b.max(b.mul(total, b.f32(1 / count)), 0)),
      ...moveRunning(running, c, { mean, variance, count, momentum }),
      ...normalizers({ statistics, affine, gamma, beta }, c, mean, variance, epsilon),
    ],
    SHARED,
  );
  const buffers = [moments, gamma, beta, running, statistics, affine];
  return b.kernel("batch_statistics", buffers, [body]);
}

/** The same from the running statistics [2, C]: mean and variance. */
export function runningStatistics(C: number, epsilon: number): Kernel {
  const [gamma, beta] = vectors(C, "gamma", "beta");
  const [running, statistics, affine] = pairs(C, "running", "statistics", "affine");
  const targets = { statistics, affine, gamma, beta };
  const body = b.lanes(
    "c",
    C,
    (c) => normalizers(targets, c, b.load(running, 0, c), b.load(running, 1, c), epsilon),
    SHARED,
  );
  return b.kernel("running_statistics", [gamma, beta, running, statistics, affine], [body]);
}

/** running [2, C] moved towards the mean and the unbiased variance of `count` values. */
export function moveRunning(
  running: Buffer,
  c: Expr,
  {
    mean,
    variance,
    count,
    momentum,
  }: { mean: Expr; variance: Expr; count: number; momentum: number },
): Statement[] {
  const unbiased = b.mul(variance, b.f32(count / Math.max(1, count - 1)));
  return [mean, unbiased].map((value, which) => {
    const old = b.load(running, which, c);
    return b.store(running, [which, c], b.add(old, b.mul(b.sub(value, old), b.f32(momentum))));
  });
}

/** `inverse` = 1 / sqrt(variance + epsilon), and `scale`, gamma times it. */
export function declareScale(
  variance: Expr,
  gamma: Expr,
  epsilon: number,
): { inverse: Variable; scale: Variable; statements: Statement[] } {
  const [inverse, scale] = variables("inverse", "scale");
  const root = b.unary("sqrt", b.add(variance, b.f32(epsilon)));
  const statements = [
    b.declare(inverse, b.div(b.f32(1), root)),
    b.declare(scale, b.mul(inverse, gamma)),
  ];
  return { inverse, scale, statements };
}

type Targets = Readonly<Record<"statistics" | "affine" | "gamma" | "beta", Buffer>>;

function normalizers(
  { statistics, affine, gamma, beta }: Targets,
  c: Expr,
  mean: Expr,
  variance: Expr,
  epsilon: number,
): Statement[] {
  const { inverse, scale, statements } = declareScale(variance, b.load(gamma, c), epsilon);
  return [
    ...statements,
    b.store(statistics, [0, c], mean),
    b.store(statistics, [1, c], inverse),
    b.store(affine, [0, c], scale),
    b.store(affine, [1, c], b.sub(b.load(beta, c), b.mul(mean, scale))),
  ];
}

interface Options {
  /** A ReLU follows: y = max(0, that), and dy counts where y > 0. */
  readonly relu?: boolean;
}

/** y = x scale + offset of one sample [rows, C]. */
export function normalize({ rows, C }: Rows, { relu = false }: Options = {}): Kernel {
  const [x, y] = ["x", "y"].map((name) => b.buffer(name, "f32", [rows, C]));
  const [affine] = pairs(C, "affine");
  const [scale, offset] = variables("scale", "offset");
  const body = b.lanes(
    "c",
    C,
    (c) => [
      b.declare(scale, b.load(affine, 0, c)),
      b.declare(offset, b.load(affine, 1, c)),
      b.loop("row", rows, (row) => {
        const value = b.add(b.mul(b.load(x, row, c), scale), offset);
        return [b.store(y, [row, c], relu ? b.max(value, 0) : value)];
      }),
    ],
    WIDE,
  );
  return b.kernel("normalize", [x, affine, y], [body]);
}

/** dy, or 0 where the ReLU after x scale + offset gave 0. */
function given(
  { dy, x, scale, offset }: Readonly<Record<"dy" | "x" | "scale" | "offset", Expr>>,
  relu: boolean,
): Expr {
  if (!relu) return dy;
  return b.select(b.less(0, b.add(b.mul(x, scale), offset)), dy, b.f32(0));
}

/** sums [2, C] of one sample: of dy, and of dy times the normalised value. */
export function sampleGradientSums({ rows, C }: Rows, { relu = false }: Options = {}): Kernel {
  const [x, dy] = ["x", "dy"].map((name) => b.buffer(name, "f32", [rows, C]));
  const [statistics, affine, sums] = pairs(C, "statistics", "affine", "sums");
  const [mean, sum, products, own] = variables("mean", "sum", "products", "own");
  const [scale, offset, value] = variables("scale", "offset", "value");
  const body = b.lanes(
    "c",
    C,
    (c) => [
      b.declare(mean, b.load(statistics, 0, c)),
      b.declare(scale, b.load(affine, 0, c)),
      b.declare(offset, b.load(affine, 1, c)),
      b.declare(sum, 0),
      b.declare(products, 0),
      b.loop("row", rows, (row) => [
        b.declare(value, b.load(x, row, c)),
        b.declare(own, given({ dy: b.load(dy, row, c), x: value, scale, offset }, relu)),
        b.set(sum, b.add(sum, own)),
        b.set(products, b.add(products, b.mul(own, b.sub(value, mean)))),
      ]),
      b.store(sums, [0, c], sum),
      b.store(sums, [1, c], b.mul(products, b.load(statistics, 1, c))),
    ],
    { vectors: 2 },
  );
  return b.kernel("sample_gradient_sums", [x, dy, statistics, affine, sums], [body]);
}

/**
 * dgamma and dbeta [C] from the samples' sums, and slopes [3, C] such that dx = slopes[0] dy +
 * slopes[1] x + slopes[2].
 */
export function batchGradient({ batch, rows, C }: Batch): Kernel {
  const sums = b.buffer("sums", "f32", [batch, 2, C]);
  const [statistics, affine] = pairs(C, "statistics", "affine");
  const [dgamma, dbeta] = vectors(C, "dgamma", "dbeta");
  const slopes = b.buffer("slopes", "f32", [3, C]);
  const [sum, products, slope] = variables("sum", "products", "slope");
  const share = b.f32(1 / (batch * rows));
  const body = b.lanes(
    "c",
    C,
    (c) => {
      const scale = b.load(affine, 0, c);
      return [
        b.declare(sum, 0),
        b.declare(products, 0),
        b.loop("n", batch, (n) => [
          b.set(sum, b.add(sum, b.load(sums, n, 0, c))),
          b.set(products, b.add(products, b.load(sums, n, 1, c))),
        ]),
        b.store(dbeta, [c], sum),
        b.store(dgamma, [c], products),
        // dx = scale (dy - (sum + (x - mean) inverse products) / count)
        b.declare(
          slope,
          b.mul(b.mul(b.mul(scale, b.load(statistics, 1, c)), b.mul(products, share)), -1),
        ),
        b.store(slopes, [0, c], scale),
        b.store(slopes, [1, c], slope),
        b.store(
          slopes,
          [2, c],
          b.sub(b.mul(b.mul(scale, b.mul(sum, share)), -1), b.mul(slope, b.load(statistics, 0, c))),
        ),
      ];
    },
    SHARED,
  );
  return b.kernel("batch_gradient", [sums, statistics, affine, dgamma, dbeta, slopes], [body]);
}

/** dx of one sample [rows, C]. */
export function normalizeGradient({ rows, C }: Rows, { relu = false }: Options = {}): Kernel {
  const [affine] = pairs(C, "affine");
  const [x, dy, dx] = ["x", "dy", "dx"].map((name) => b.buffer(name, "f32", [rows, C]));
  const slopes = b.buffer("slopes", "f32", [3, C]);
  const [scale, offset, value] = variables("scale", "offset", "value");
  const slope = variables("slope0", "slope1", "slope2");
  const body = b.lanes(
    "c",
    C,
    (c) => [
      b.declare(scale, b.load(affine, 0, c)),
      b.declare(offset, b.load(affine, 1, c)),
      ...slope.map((one, i) => b.declare(one, b.load(slopes, i, c))),
      b.loop("row", rows, (row) => {
        const own = given({ dy: b.load(dy, row, c), x: value, scale, offset }, relu);
        const shared = b.add(b.mul(value, slope[1]), slope[2]);
        return [
          b.declare(value, b.load(x, row, c)),
          b.store(dx, [row, c], b.add(shared, b.mul(own, slope[0]))),
        ];
      }),
    ],
    { vectors: 2 },
  );
  return b.kernel("normalize_gradient", [x, dy, affine, slopes, dx], [body]);
}

/** f32 variables of these names. */
export function variables(...names: readonly string[]): Variable[] {
  return names.map((name) => b.variable(name, "f32"));
}

function vectors(C: number, ...names: readonly string[]): Buffer[] {
  return names.map((name) => b.buffer(name, "f32", [C]));
}

function pairs(C: number, ...names: readonly string[]): Buffer[] {
  return names.map((name) => b.buffer(name, "f32", [2, C]));
}
