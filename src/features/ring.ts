/**
 * A ring holds the last N samples of a sound, N a power of two: sample i lies at i mod N. Statements
 * of the loop language that fill it.
 */

import { type Buffer, build as b, type Expr, type Statement } from "../kernel/index.ts";

/** Elements in a step of a copy: compilers make words of them. */
const UNROLLED = 8;

/** Where sample i lies in a ring of N. */
export function inRing(i: Expr, N: number): Expr {
  return b.bitAnd(i, N - 1);
}

/**
 * Put samples `from` to `to` of a buffer into the ring, up to its end and on from its beginning; of
 * more than N the last N.
 *
 * name   of what is declared
 * ahead  sample i lies at i + ahead mod N
 */
export function intoRing(
  name: string,
  ring: Buffer,
  { input, from, to, ahead }: Omit<Run, "ring">,
): Statement[] {
  const [N] = ring.shape;
  const [first, place] = [`${name}_first`, `${name}_place`].map((v) => b.variable(v, "s32"));
  const turn = b.variable(`${name}_turn`, "s32");
  const run = { ring, input };
  const offset = b.sub(place, first);
  return [
    b.declare(first, b.max(from, b.sub(to, N))),
    b.declare(place, inRing(b.add(first, ahead), N)),
    b.declare(turn, b.min(to, b.add(first, b.sub(N, place)))),
    ...copied(`${name}_high`, { ...run, from: first, to: turn, ahead: offset }),
    ...copied(`${name}_low`, { ...run, from: turn, to, ahead: b.sub(offset, N) }),
  ];
}

interface Run {
  readonly ring: Buffer;
  readonly input: Buffer;
  readonly from: Expr;
  readonly to: Expr;
  readonly ahead: Expr;
}

/**
 * ring[i + ahead] = input[i], from <= i < to. Loaded backwards, or they were loaded in pairs to be
 * multiplied, and not as words to be stored.
 */
function copied(name: string, { ring, input, from, to, ahead }: Run): Statement[] {
  const step = (i: Expr, length: number): Statement[] => {
    const moved = Array.from({ length }, (_, n) => b.variable(`${name}${length}_${n}`, "s32"));
    return [
      ...moved.map((value, n) => b.declare(value, b.load(input, b.add(i, n)))).reverse(),
      ...moved.map((value, n) => b.store(ring, [b.add(b.add(i, ahead), n)], value)),
    ];
  };
  const [first, whole] = [`${name}_first`, `${name}_whole`].map((v) => b.variable(v, "s32"));
  return [
    b.declare(first, from),
    b.declare(whole, b.sub(to, UNROLLED - 1)),
    b.loop(`${name}_i`, whole, (i) => [...step(i, UNROLLED), b.set(first, b.add(i, UNROLLED))], {
      from,
      step: UNROLLED,
    }),
    b.loop(`${name}_rest`, to, (i) => step(i, 1), { from: first }),
  ];
}
