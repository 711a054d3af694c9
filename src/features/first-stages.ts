/**
 * The first two stages of the transform, from a ring of samples, with the window: statements of the
 * loop language.
 *
 * The ring is transformed as it lies: where a frame begins in it turns every bin by an angle, and
 * leaves its power alone. Only the window begins where the frame does.
 */

import { type Buffer, build as b, type Expr, type Statement } from "../kernel/index.ts";
import { type Complex, type Held, held, plus, reflected, storePoint } from "./complex.ts";
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

/** Blocks of four points that lie side by side, and a vector of WebAssembly. */
const TOGETHER = 4;

/** A scale is a fraction; a factor whose products lose their low words has as many bits more. */
const SCALE_BITS = 16;

/**
 * For each four blocks where their inputs begin, twice a bit-reversed number, and the scale of the
 * first of them: twice as much for each stage in which the block is the second input (equation 2).
 */
function orderTable(M: number): Table {
  const count = M / 4 / TOGETHER;
  const bits = Math.log2(count);
  const values = Array.from({ length: count }, (_, i) => {
    let [reversed, seconds] = [0, 0];
    for (let bit = 0; bit < bits; bit++) {
      reversed = reversed * 2 + ((i >> bit) & 1);
      seconds += (i >> bit) & 1;
    }
    return [2 * reversed, 2 ** (SCALE_BITS - Math.log2(M) + seconds)];
  });
  return table("order", "s16", { shape: [count, 2], values: values.flat() });
}

/** Periodic Hann in Q15, going on for nearly a second period: no index turns round. */
function windowTable(N: number): Table {
  const values = Array.from({ length: N + (3 * N) / 4 + (3 * N) / 16 + 1 }, (_, n) =>
    Math.min(32767, Math.round(2 ** 14 * (1 - Math.cos((2 * Math.PI * n) / N)))),
  );
  return table("window", "s16", { shape: [values.length], values });
}

/**
 * Two radix-2 stages without twiddles. Of each four blocks the second and the third change places,
 * so that the four lie evenly in the ring as well as in the points.
 */
export function firstStages(points: Buffer, tables: FirstTables, frame: Frame): Statement {
  const [M] = points.shape;
  const [j, fraction, scale, from] = ["j", "fraction", "scale", "from"].map((name) =>
    b.variable(name, "s32"),
  );
  return b.loop("four", M / 4 / TOGETHER, (four) => [
    b.declare(j, b.load(tables.order, four, 0)),
    b.declare(fraction, b.load(tables.order, four, 1)),
    b.declare(scale, b.shl(fraction, SCALE_BITS)),
    b.declare(from, b.bitAnd(b.sub(j, frame.start), 2 * M - 1)),
    b.lanes(
      "block",
      TOGETHER,
      (block) => fourPoints(points, { ...tables, ...frame, j, scale, from, four, block }),
      { unrolled: true },
    ),
  ]);
}

interface Block extends Frame, Omit<FirstTables, "tables" | "order"> {
  /** Where in the ring the inputs of the four blocks begin, and their weights in the window. */
  readonly j: Expr;
  readonly from: Expr;
  /** Of the first block. */
  readonly scale: Expr;
  readonly four: Expr;
  readonly block: Expr;
}

/** The points of one block; each one of the block's number, in binary, doubles its scale. */
function fourPoints(
  points: Buffer,
  { window, ring, j, from, scale, four, block }: Block,
): Statement[] {
  const [M] = points.shape;
  const doubled = (x: Expr, bit: Expr): Expr => b.mul(x, b.add(bit, 1));
  const own = b.variable("own_scale", "s32");
  const windowed = (at: number, name: string): Windowed => {
    const place = b.add(b.mul(block, M / 8), 2 * at);
    return {
      sample: held(name, pairOf(ring, b.add(j, place))),
      weight: held(`${name}_weight`, pairOf(window, b.add(from, place))),
    };
  };
  const even = firstButterfly("even", windowed(0, "low0"), windowed(M / 2, "high0"));
  const odd = firstButterfly("odd", windowed(M / 4, "low1"), windowed((3 * M) / 4, "high1"));
  const quarter = { re: odd.rest.im, im: b.sub(0, odd.rest.re) };
  const [upper, lower] = [
    secondButterfly("upper", [even.sum, odd.sum], own),
    secondButterfly("lower", [even.rest, quarter], own),
  ];
  const outputs = [upper.sum, lower.sum, upper.rest, lower.rest];
  const first = b.add(b.mul(four, 4 * TOGETHER), b.mul(block, 4));
  return [
    b.declare(own, doubled(doubled(scale, b.bitAnd(block, 1)), b.shr(block, 1))),
    ...[even, odd, upper, lower].flatMap(({ declare }) => declare),
    ...outputs.flatMap((value, q) => storePoint(points, b.add(first, q), value)),
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

/** Sum and difference of two points, scaled. */
function secondButterfly(
  name: string,
  [x, y]: readonly [Complex, Complex],
  scale: Expr,
): { sum: Complex; rest: Complex; declare: Statement[] } {
  const scaled = ({ re, im }: Complex): Complex => ({
    re: b.mulShift(re, scale, 32),
    im: b.mulShift(im, scale, 32),
  });
  const first = held(name, scaled(x));
  const sum = held(`${name}_sum`, plus(first.value, scaled(y)));
  const declare = [...first.declare, ...sum.declare];
  return { sum: sum.value, rest: reflected(first.value, sum.value), declare };
}

/** Two neighbours as real and imaginary part. */
function pairOf(buffer: Buffer, at: Expr): Complex {
  return { re: b.load(buffer, at), im: b.load(buffer, b.add(at, 1)) };
}
