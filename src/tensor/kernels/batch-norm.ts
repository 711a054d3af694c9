/**
 * Batch normalisation over [rows, C]: y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, per
 * channel.
 *
 * Source: Ioffe, Szegedy 2015 (arXiv:1502.03167). Sums run block by block, which bounds the
 * rounding error.
 */

import { build as b, type Expr, type Kernel, type Statement } from "../../kernel/index.ts";
import { zero } from "./matmul.ts";

export interface Rows {
  readonly rows: number;
  readonly C: number;
}

const BLOCK = 64;
const LANES = { vectors: 2, parallel: true };

/** target [C] += terms over the rows, where each term is one of the loaded values' function. */
function accumulate(
  tag: string,
  { rows, C }: Rows,
  targets: readonly { buffer: Kernel["buffers"][number]; term: (row: Expr, c: Expr) => Expr }[],
): Statement[] {
  const sums = targets.map((_, i) => b.variable(`acc${tag}_${i}`, "f32"));
  const blocks = b.loop(
    `block${tag}`,
    rows,
    (block) => [
      b.lanes(
        `c${tag}`,
        C,
        (c) => [
          ...sums.map((sum) => b.declare(sum, 0)),
          b.loop(
            `row${tag}`,
            b.min(b.add(block, BLOCK), rows),
            (row) => sums.map((sum, i) => b.set(sum, b.add(sum, targets[i].term(row, c)))),
            { from: block },
          ),
          ...sums.map((sum, i) =>
            b.store(targets[i].buffer, [c], b.add(b.load(targets[i].buffer, c), sum)),
          ),
        ],
        LANES,
      ),
    ],
    { step: BLOCK },
  );
  return [...targets.map(({ buffer }, i) => zero(C, buffer, `z${tag}${i}`)), blocks];
}

/**
 * Statistics of a batch: mean [C], inverse [C] = 1 / sqrt(variance + epsilon); running [2, C] is
 * moved towards them.
 */
export function batchStatistics(
  { rows, C }: Rows,
  { epsilon, momentum }: { epsilon: number; momentum: number },
): Kernel {
  const x = b.buffer("x", "f32", [rows, C]);
  const mean = b.buffer("mean", "f32", [C]);
  const inverse = b.buffer("inverse", "f32", [C]);
  const running = b.buffer("running", "f32", [2, C]);
  const centred = (row: Expr, c: Expr): Expr => b.sub(b.load(x, row, c), b.load(mean, c));
  const moved = (which: number, c: Expr, value: Expr): Statement => {
    const old = b.load(running, which, c);
    return b.store(running, [which, c], b.add(old, b.mul(b.sub(value, old), b.f32(momentum))));
  };
  const variance = b.variable("variance", "f32");
  const unbiased = rows / Math.max(1, rows - 1);
  return b.kernel(
    "batch_statistics",
    [x, mean, inverse, running],
    [
      ...accumulate("a", { rows, C }, [{ buffer: mean, term: (row, c) => b.load(x, row, c) }]),
      b.lanes("cm", C, (c) => [b.store(mean, [c], b.mul(b.load(mean, c), b.f32(1 / rows)))], LANES),
      ...accumulate("b", { rows, C }, [
        { buffer: inverse, term: (row, c) => b.mul(centred(row, c), centred(row, c)) },
      ]),
      b.lanes(
        "cv",
        C,
        (c) => [
          b.declare(variance, b.mul(b.load(inverse, c), b.f32(1 / rows))),
          moved(0, c, b.load(mean, c)),
          moved(1, c, b.mul(variance, b.f32(unbiased))),
          b.store(inverse, [c], b.div(b.f32(1), b.unary("sqrt", b.add(variance, b.f32(epsilon))))),
        ],
        LANES,
      ),
    ],
  );
}

/** The same from the running statistics: mean and inverse [C] of running [2, C]. */
export function runningStatistics(C: number, epsilon: number): Kernel {
  const running = b.buffer("running", "f32", [2, C]);
  const mean = b.buffer("mean", "f32", [C]);
  const inverse = b.buffer("inverse", "f32", [C]);
  const body = b.lanes(
    "c",
    C,
    (c) => [
      b.store(mean, [c], b.load(running, 0, c)),
      b.store(
        inverse,
        [c],
        b.div(b.f32(1), b.unary("sqrt", b.add(b.load(running, 1, c), b.f32(epsilon)))),
      ),
    ],
    LANES,
  );
  return b.kernel("running_statistics", [running, mean, inverse], [body]);
}

/**
 * y = (x - mean) * inverse * gamma + beta; x and y may be one storage only if x is not read again.
 */
export function normalize({ rows, C }: Rows): Kernel {
  const [x, y] = [b.buffer("x", "f32", [rows, C]), b.buffer("y", "f32", [rows, C])];
  const [mean, inverse, gamma, beta] = ["mean", "inverse", "gamma", "beta"].map((name) =>
    b.buffer(name, "f32", [C]),
  );
  const body = b.loop("row", rows, (row) => [
    b.lanes(
      "c",
      C,
      (c) => {
        const centred = b.sub(b.load(x, row, c), b.load(mean, c));
        const scale = b.mul(b.load(inverse, c), b.load(gamma, c));
        return [b.store(y, [row, c], b.add(b.mul(centred, scale), b.load(beta, c)))];
      },
      LANES,
    ),
  ]);
  return b.kernel("normalize", [x, mean, inverse, gamma, beta, y], [body]);
}

/** dgamma and dbeta [C] from dy, for statistics of the batch itself. */
export function normalizeSums({ rows, C }: Rows): Kernel {
  const [x, dy] = ["x", "dy"].map((name) => b.buffer(name, "f32", [rows, C]));
  const [mean, inverse, dgamma, dbeta] = vectors(C, ["mean", "inverse", "dgamma", "dbeta"]);
  const sums = accumulate("a", { rows, C }, [
    { buffer: dbeta, term: (row, c) => b.load(dy, row, c) },
    {
      buffer: dgamma,
      term: (row, c) => b.mul(b.load(dy, row, c), hat(x, mean, inverse, row, c)),
    },
  ]);
  return b.kernel("normalize_sums", [x, dy, mean, inverse, dgamma, dbeta], sums);
}

/** dx = gamma / sigma * (dy - mean(dy) - hat * mean(dy * hat)), [rows, C]. */
export function normalizeGradient({ rows, C }: Rows): Kernel {
  const [x, dy, dx] = ["x", "dy", "dx"].map((name) => b.buffer(name, "f32", [rows, C]));
  const [mean, inverse, gamma, dgamma, dbeta] = vectors(C, [
    "mean",
    "inverse",
    "gamma",
    "dgamma",
    "dbeta",
  ]);
  const gradient = b.loop("row", rows, (row) => [
    b.lanes(
      "c",
      C,
      (c) => {
        const centred = hat(x, mean, inverse, row, c);
        const share = b.add(b.load(dbeta, c), b.mul(centred, b.load(dgamma, c)));
        const scale = b.mul(b.load(inverse, c), b.load(gamma, c));
        const rest = b.sub(b.load(dy, row, c), b.mul(share, b.f32(1 / rows)));
        return [b.store(dx, [row, c], b.mul(scale, rest))];
      },
      LANES,
    ),
  ]);
  return b.kernel(
    "normalize_gradient",
    [x, dy, mean, inverse, gamma, dgamma, dbeta, dx],
    [gradient],
  );
}

type Buffer = Kernel["buffers"][number];

function vectors(C: number, names: readonly string[]): Buffer[] {
  return names.map((name) => b.buffer(name, "f32", [C]));
}

/** The normalised value, before gamma and beta. */
function hat(x: Buffer, mean: Buffer, inverse: Buffer, row: Expr, c: Expr): Expr {
  return b.mul(b.sub(b.load(x, row, c), b.load(mean, c)), b.load(inverse, c));
}
