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

/** Samples in a step of evenIntoRing. */
const STEP = 16;

/** Whether runs of these lengths, one after the other, go into a ring of N in whole steps. */
export function areEven(N: number, ...lengths: readonly number[]): boolean {
  return [N, ...lengths].every((length) => length % STEP === 0);
}

/**
 * The same for samples that begin, end and lie at multiples of STEP: no step crosses the end of the
 * ring.
 */
export function evenIntoRing(
  name: string,
  ring: Buffer,
  { input, from, to, ahead }: Omit<Run, "ring">,
): Statement[] {
  const [N] = ring.shape;
  const place = b.variable(`${name}_place`, "s32");
  return [
    b.loop(
      `${name}_i`,
      to,
      (i) => [
        b.declare(place, inRing(b.add(i, ahead), N)),
        ...moved(`${name}_moved`, STEP, { ring, input, from: i, to: place }),
      ],
      { from, step: STEP },
    ),
  ];
}

interface Run {
  readonly ring: Buffer;
  readonly input: Buffer;
  readonly from: Expr;
  readonly to: Expr;
  readonly ahead: Expr;
}

/** ring[i + ahead] = input[i], from <= i < to. */
function copied(name: string, { ring, input, from, to, ahead }: Run): Statement[] {
  const step = (i: Expr, length: number): Statement[] =>
    moved(`${name}${length}`, length, { ring, input, from: i, to: b.add(i, ahead) });
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

/**
 * ring[to + n] = input[from + n], n < length. Loaded backwards, or they were loaded in pairs to be
 * multiplied, and not as words to be stored.
 */
function moved(
  name: string,
  length: number,
  { ring, input, from, to }: Omit<Run, "ahead">,
): Statement[] {
  const values = Array.from({ length }, (_, n) => b.variable(`${name}_${n}`, "s32"));
  return [
    ...values.map((value, n) => b.declare(value, b.load(input, b.add(from, n)))).reverse(),
    ...values.map((value, n) => b.store(ring, [b.add(to, n)], value)),
  ];
}
