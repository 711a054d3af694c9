/** Kernels whose neighbouring elements are moved together, and loops that C writes out. */

import { build as b, type Expr, type Kernel } from "../src/kernel/index.ts";

/** Neighbours that are moved together, near and far, even and odd; and what only looks so. */
export function neighbours(): Kernel {
  const x = b.buffer("x", "s32", [900]);
  const w = b.buffer("w", "s16", [601]);
  const y = b.buffer("y", "s32", [900]);
  const z = b.buffer("z", "s32", [8]);
  const [p, q, r, s] = ["p", "q", "r", "s"].map((name) => b.variable(name, "s32"));
  const [j, next] = [b.variable("j", "s32"), b.variable("next", "s32")];
  const far = 580;
  const body = [
    b.loop("i", 150, (i) => [
      b.declare(p, b.load(x, b.mul(i, 2))),
      b.declare(q, b.load(x, b.add(b.mul(i, 2), 1))),
      b.declare(r, b.load(w, b.add(b.mul(i, 3), 1))),
      b.declare(s, b.load(w, b.add(b.mul(i, 3), 2))),
      b.store(y, [b.mul(i, 2)], b.add(b.shr(p, 1), b.mul(r, r))),
      b.store(y, [b.add(b.mul(i, 2), 1)], b.sub(b.shr(q, 1), b.mul(s, s))),
      b.store(y, [b.add(b.mul(i, 2), far)], b.shr(q, 3)),
      b.store(y, [b.add(b.mul(i, 2), far + 1)], b.shr(p, 3)),
    ]),
    // The second index depends on the first value, the second value on the first store.
    b.declare(j, b.load(z, 0)),
    b.declare(next, b.load(z, b.add(b.bitAnd(j, 3), 1))),
    b.store(z, [2], next),
    b.store(z, [3], b.bitXor(b.load(z, 2), 5)),
    b.store(z, [5], 1),
    b.store(z, [4], 2),
  ];
  return b.kernel("neighbours", [x, w, y, z], body);
}

/**
 * Neighbours in lanes: side by side upwards and downwards, in rows of four; of 16 bits side by side,
 * in rows and one in the other.
 */
export function neighbourLanes(): Kernel {
  const x = b.buffer("x", "s32", [23, 2]);
  const rows = b.buffer("rows", "s32", [11, 4]);
  const w = b.buffer("w", "s16", [11, 2]);
  const wide = b.buffer("wide", "s16", [60]);
  const y = b.buffer("y", "s32", [23, 2]);
  const z = b.buffer("z", "s32", [11, 4]);
  const names = ["near", "far", "c", "v", "apart", "down", "shared"].map((name) => [
    `${name}_re`,
    `${name}_im`,
  ]);
  const pairs = names.map((pair) => pair.map((name) => b.variable(name, "s32")));
  const [near, far, c, v, apart, down, shared] = pairs;
  const from = b.variable("from", "s32");
  const fives = (k: Expr, i: number): Expr => b.load(wide, b.add(b.add(b.mul(k, 5), from), i));
  const body = b.lanes(
    "k",
    11,
    (k) => [
      ...near.map((part, i) => b.declare(part, b.load(x, k, i))),
      ...far.map((part, i) => b.declare(part, b.load(x, b.sub(22, k), i))),
      ...c.map((part, i) => b.declare(part, b.load(rows, k, 2 + i))),
      ...v.map((part, i) => b.declare(part, b.load(w, k, i))),
      ...apart.map((part, i) => b.declare(part, fives(k, i))),
      ...down.map((part, i) => b.declare(part, b.load(wide, b.add(b.sub(50, b.mul(k, 2)), i)))),
      ...shared.map((part, i) => b.declare(part, b.load(wide, b.add(k, i)))),
      ...near.map((part, i) => b.store(y, [k, i], b.add(b.shr(part, 2), b.shr(far[i], 2)))),
      ...far.map((part, i) => b.store(y, [b.sub(22, k), i], b.mulShift(part, c[i], 32))),
      ...v.map((part, i) =>
        b.store(
          z,
          [k, 1 + i],
          b.bitXor(b.bitXor(part, near[i]), b.bitXor(apart[i], b.mul(down[i], shared[i]))),
        ),
      ),
    ],
    { vectors: 2 },
  );
  const start = b.declare(from, b.bitAnd(b.load(w, 0, 0), 3));
  return b.kernel("neighbour_lanes", [x, rows, w, wide, y, z], [start, body]);
}

/** Loops that C writes out: of eight and of two iterations, and lanes; neighbours in one. */
export function writtenOut(): Kernel {
  const x = b.buffer("x", "s16", [4, 8]);
  const y = b.buffer("y", "s32", [4, 8]);
  const z = b.buffer("z", "s32", [4, 8]);
  const sum = b.variable("sum", "s32");
  const [even, odd] = [b.variable("even", "s32"), b.variable("odd", "s32")];
  const place = (k: Expr, i: number): Expr => b.add(b.mul(k, 2), i);
  const body = b.loop("i", 4, (i) => [
    b.declare(sum, i),
    b.loop(
      "n",
      3,
      (n) => [
        b.declare(even, b.load(x, i, place(n, 1))),
        b.declare(odd, b.load(x, i, place(n, 2))),
        b.store(z, [i, place(n, 2)], b.sub(even, odd)),
        b.store(z, [i, place(n, 3)], b.mul(even, odd)),
      ],
      { unrolled: true },
    ),
    b.loop("j", 8, (j) => [b.set(sum, b.add(sum, b.load(x, i, j)))], { unrolled: true, step: 4 }),
    b.lanes("k", 8, (k) => [b.store(y, [i, k], b.mul(b.load(x, i, k), b.add(k, 3)))], {
      unrolled: true,
    }),
    b.store(y, [i, 7], sum),
  ]);
  return b.kernel("written_out", [x, y, z], [body]);
}
