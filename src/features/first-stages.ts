/**
 * The first two stages of the transform, from a ring of samples, with the window: statements of the
 * loop language.
 *
 * The ring is transformed as it lies: where a frame begins in it turns every bin by an angle, and
 * leaves its power alone. Only the window begins where the frame does.
 */

import { type Buffer, build as b, type Expr, type Statement } from "../kernel/index.ts";
import {
  type Complex,
  type Held,
  held,
  minus,
  plus,
  reflected,
  shiftedDown,
  storePoint,
} from "./complex.ts";
import { type Table, table } from "./table.ts";

/** N samples in a ring of N: sample n is ring[(start + n) mod N]. */
export interface Frame {
  readonly ring: Buffer;
  /** In [0, N). */
  readonly start: Expr;
}

export interface FirstTables {
  readonly tables: readonly Table[];
  readonly order: Buffer;
  readonly window: Buffer;
}

export function firstTables(N: number): FirstTables {
  const [order, window] = [orderTable(N / 2), windowTable(N)];
  return { tables: [order, window], order: order.buffer, window: window.buffer };
}

/**
 * For each block of four points where its inputs lie, a bit-reversed number, and by how much it is
 * shifted down: less by one for each stage in which it is the second input (equation 2).
 */
function orderTable(M: number): Table {
  const bits = Math.log2(M / 4);
  const values = Array.from({ length: M / 4 }, (_, i) => {
    let [reversed, seconds] = [0, 0];
    for (let bit = 0; bit < bits; bit++) {
      reversed = reversed * 2 + ((i >> bit) & 1);
      seconds += (i >> bit) & 1;
    }
    return [2 * reversed, Math.log2(M) - seconds];
  });
  return table("order", "s16", { shape: [M / 4, 2], values: values.flat() });
}

/** Periodic Hann in Q15, going on for three quarters of a second period: no index turns round. */
function windowTable(N: number): Table {
  const values = Array.from({ length: (7 * N) / 4 + 1 }, (_, n) =>
    Math.min(32767, Math.round(2 ** 14 * (1 - Math.cos((2 * Math.PI * n) / N)))),
  );
  return table("window", "s16", { shape: [values.length], values });
}

/** Blocks that are written out one after the other. */
const TOGETHER = 2;

/** Two radix-2 stages without twiddles. */
export function firstStages(points: Buffer, tables: FirstTables, frame: Frame): Statement {
  const [M] = points.shape;
  return b.loop(
    "i",
    M / 4,
    (i) => [
      b.loop(
        "next",
        TOGETHER,
        (next) => block(points, { ...tables, ...frame, i: b.add(i, next) }),
        {
          unrolled: true,
        },
      ),
    ],
    { step: TOGETHER },
  );
}

interface Block extends Frame, Omit<FirstTables, "tables"> {
  readonly i: Expr;
}

/** Points 4i to 4i + 3. */
function block(points: Buffer, { order, window, ring, start, i }: Block): Statement[] {
  const [M] = points.shape;
  const [j, shift, from] = ["j", "shift", "from"].map((name) => b.variable(name, "s32"));
  const pairs = [0, M / 4].map((offset, q) => {
    const windowed = (at: number, name: string): Windowed => ({
      sample: held(`${name}${q}`, pairOf(ring, b.add(j, 2 * at))),
      weight: held(`${name}_weight${q}`, pairOf(window, b.add(from, 2 * at))),
    });
    return firstButterfly(`${q}`, windowed(offset, "low"), windowed(offset + M / 2, "high"));
  });
  const [even, odd] = pairs;
  const parts = [even.sum, odd.sum, even.rest, odd.rest].map((value, q) =>
    held(`part${q}`, shiftedDown(value, shift)),
  );
  const [a, t, c, u] = parts.map(({ value }) => value);
  const quarter = { re: u.im, im: b.sub(0, u.re) };
  const outputs = [plus(a, t), plus(c, quarter), minus(a, t), minus(c, quarter)];
  return [
    b.declare(j, b.load(order, i, 0)),
    b.declare(shift, b.load(order, i, 1)),
    b.declare(from, b.bitAnd(b.sub(j, start), 2 * M - 1)),
    ...pairs.flatMap(({ declare }) => declare),
    ...parts.flatMap(({ declare }) => declare),
    ...outputs.flatMap((value, q) => storePoint(points, b.add(b.mul(i, 4), q), value)),
  ];
}

interface Windowed {
  readonly sample: Held;
  readonly weight: Held;
}

/** Sum and difference of two windowed points; products are exact. */
function firstButterfly(
  name: string,
  low: Windowed,
  high: Windowed,
): { sum: Complex; rest: Complex; declare: Statement[] } {
  const times = ({ sample: { value: x }, weight: { value: w } }: Windowed): Complex => ({
    re: b.mul(x.re, w.re),
    im: b.mul(x.im, w.im),
  });
  const first = held(`first${name}`, times(low));
  const sum = held(`sum${name}`, plus(first.value, times(high)));
  const rest = held(`rest${name}`, reflected(first.value, sum.value));
  const read = [low, high].flatMap(({ sample, weight }) => [sample, weight]);
  const declare = [...read, first, sum, rest].flatMap((point) => point.declare);
  return { sum: sum.value, rest: rest.value, declare };
}

/** Two neighbours as real and imaginary part. */
function pairOf(buffer: Buffer, at: Expr): Complex {
  return { re: b.load(buffer, at), im: b.load(buffer, b.add(at, 1)) };
}
