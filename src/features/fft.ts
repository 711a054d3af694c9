/**
 * The spectrum of a real frame in integers: statements of the loop language.
 *
 * A frame of N samples is N/2 complex points, transformed in place and split into the N/2 + 1 bins
 * of the real transform. Points are scaled up so that A * G = 2^28 (A: largest sample, G: gain of
 * the stages), by a shift that is chosen frame by frame; each radix-4 stage halves, so no stage can
 * overflow and rounding errors stay near the last bit. Range proofs and numbered equations:
 * docs/features.md.
 */

import {
  type Buffer,
  build as b,
  type Expr,
  type Statement,
  type Variable,
} from "../kernel/index.ts";
import {
  type Complex,
  half,
  halfTimesConjugate,
  halved,
  held,
  loadPoint,
  minus,
  plus,
  type Spectrum,
  shifted,
  storePoint,
} from "./complex.ts";
import { q31, type Table, table } from "./table.ts";

/** log2 of A * G. */
const RANGE_BITS = 28;

/** N samples in a ring of N: sample n is ring[(start + n) mod N]. */
export interface Frame {
  readonly ring: Buffer;
  /** In [0, N). */
  readonly start: Expr;
  /** Whether start is always even, so that no pair of samples is torn. */
  readonly isEven: boolean;
}

export interface Fft {
  readonly tables: readonly Table[];
  /** From s16 samples, shifted up by `shift`, to bins 0..N/2 in the spectrum. */
  statements(frame: Frame, shift: Expr): Statement[];
}

/** Bits that samples are scaled up to: log2 A (equation 3). */
export function sampleBits(N: number): number {
  return RANGE_BITS - gainBits(N);
}

/** log2 of G, the gain of all stages: 1 + floor(log2(N/2) / 2) (equation 2). */
export function gainBits(N: number): number {
  return 1 + Math.floor(Math.log2(N / 2) / 2);
}

/**
 * The real transform of N points, N a power of two and at least 32.
 *
 * Bin k is X[k] * 2^shift * G / (N/2).
 */
export function realFft(N: number, spectrum: Spectrum): Fft {
  const M = N / 2;
  const isOdd = Math.log2(M) % 2 === 1;
  const order = orderTable(M, isOdd ? 8 : 4);
  const stages: { h: number; twiddles: Table }[] = [];
  for (let h = isOdd ? 8 : 4; 4 * h <= M; h *= 4) stages.push({ h, twiddles: twiddleTable(h) });
  const cosine = cosineTable(N);
  const first = isOdd ? radix8FromFrame : radix4FromFrame;
  return {
    tables: [order, ...stages.map(({ twiddles }) => twiddles), cosine],
    statements: (frame, shift) => [
      first(spectrum, { M, frame, shift, order: order.buffer }),
      ...stages.map(({ h, twiddles }) => radix4(spectrum, { M, h, twiddles: twiddles.buffer })),
      ...splitReal(spectrum, { M, cosine: cosine.buffer }),
    ],
  };
}

/** Bit-reversed numbers below M / radix: where the inputs of the first stage lie. */
function orderTable(M: number, radix: 4 | 8): Table {
  const count = M / radix;
  const bits = Math.log2(count);
  const values = Array.from({ length: count }, (_, i) => {
    let reversed = 0;
    for (let bit = 0; bit < bits; bit++) reversed = reversed * 2 + ((i >> bit) & 1);
    return reversed;
  });
  return table("order", "s16", { shape: [count], values });
}

/** W^-2k, W^-k, W^-3k with W = e^(-2 pi i / 4h), real and imaginary parts, each contiguous in k. */
function twiddleTable(h: number): Table {
  const values = [2, 1, 3].flatMap((power) => {
    const angles = Array.from({ length: h }, (_, k) => (2 * Math.PI * power * k) / (4 * h));
    return [...angles.map((a) => q31(Math.cos(a))), ...angles.map((a) => q31(Math.sin(a)))];
  });
  return table(`twiddles${h}`, "s32", { shape: [6, h], values });
}

/** cos(2 pi k / N) up to a quarter turn; read backwards it is the sine. */
function cosineTable(N: number): Table {
  const count = N / 4 + 1;
  const values = Array.from({ length: count }, (_, k) => q31(Math.cos((2 * Math.PI * k) / N)));
  return table("cosine", "s32", { shape: [count], values });
}

interface FromFrame {
  readonly M: number;
  readonly frame: Frame;
  readonly shift: Expr;
  readonly order: Buffer;
}

/** Point j + offset of the frame: two neighbouring samples as real and imaginary part. */
function pointOf({ ring, start, isEven }: Frame, j: Expr, offset: number): Complex {
  const [N] = ring.shape;
  const at = b.bitAnd(b.add(start, b.add(b.mul(j, 2), 2 * offset)), N - 1);
  const next = b.add(at, 1);
  return { re: b.load(ring, at), im: b.load(ring, isEven ? next : b.bitAnd(next, N - 1)) };
}

/**
 * A radix-2 stage and the radix-4 stage after it, whose twiddles are powers of (1 - i) / sqrt 2: exact
 * but for four products.
 */
function radix8FromFrame(spectrum: Spectrum, { M, frame, shift, order }: FromFrame): Statement {
  const j = b.variable("j", "s32");
  const [less, diagonal] = [b.sub(shift, 1), b.s32(q31(Math.SQRT1_2))];
  const turned = (x: Expr): Expr => b.mulShift(b.shl(x, shift), diagonal, 32);
  return b.loop("i", M / 8, (i) => {
    const pairs = [0, M / 4, M / 8, (3 * M) / 8].map((offset, q) => {
      const low = held(`low${q}`, pointOf(frame, j, offset));
      const high = held(`high${q}`, pointOf(frame, j, offset + M / 2));
      const sum = held(`sum${q}`, plus(low.value, high.value));
      const rest = held(`rest${q}`, minus(low.value, high.value));
      const declare = [low, high, sum, rest].flatMap((point) => point.declare);
      return { declare, sum: sum.value, rest: rest.value };
    });
    const [s0, s1, s2, s3] = pairs.map(({ sum }) => shifted(sum, less));
    const [r0, r1, r2, r3] = pairs.map(({ rest }) => rest);
    const quarter = { re: r1.im, im: b.sub(0, r1.re) };
    const eighth = { re: turned(b.add(r2.re, r2.im)), im: turned(b.sub(r2.im, r2.re)) };
    const three = {
      re: turned(b.sub(r3.im, r3.re)),
      im: turned(b.sub(b.sub(0, r3.re), r3.im)),
    };
    const even = [s0, s1, s2, s3].map((value, q) => held(`even${q}`, value));
    const odd = [shifted(r0, less), shifted(quarter, less), eighth, three].map((value, q) =>
      held(`odd${q}`, value),
    );
    return [
      b.declare(j, b.load(order, i)),
      ...pairs.flatMap(({ declare }) => declare),
      ...[even, odd].flatMap((inputs, k) => {
        const [a, t1, t2, t3] = inputs.map(({ value }) => value);
        return [
          ...inputs.flatMap(({ declare }) => declare),
          ...butterfly(a, t1, t2, t3).flatMap((value, q) =>
            storePoint(spectrum, b.add(b.mul(i, 8), 2 * q + k), value),
          ),
        ];
      }),
    ];
  });
}

function radix4FromFrame(spectrum: Spectrum, { M, frame, shift, order }: FromFrame): Statement {
  const j = b.variable("j", "s32");
  return b.loop("i", M / 4, (i) => {
    const points = [0, M / 2, M / 4, (3 * M) / 4].map((offset, q) =>
      held(`point${q}`, pointOf(frame, j, offset)),
    );
    const [p0, p1, p2, p3] = points.map(({ value }) => value);
    return [
      b.declare(j, b.load(order, i)),
      ...points.flatMap(({ declare }) => declare),
      ...butterfly(p0, p1, p2, p3).flatMap((value, q) =>
        storePoint(spectrum, b.add(b.mul(i, 4), q), shifted(value, shift)),
      ),
    ];
  });
}

/** Two radix-2 stages in one, halving: h and 2h (equation 1). */
function radix4(
  spectrum: Spectrum,
  { M, h, twiddles }: { M: number; h: number; twiddles: Buffer },
): Statement {
  return b.loop(`group${h}`, M / (4 * h), (group) => [
    b.lanes(`k${h}`, h, (k) => {
      const at = (quarter: number): Expr => b.add(b.mul(group, 4 * h), b.add(k, quarter * h));
      const twiddle = (row: number): Complex => ({
        re: b.load(twiddles, 2 * row, k),
        im: b.load(twiddles, 2 * row + 1, k),
      });
      const inputs = [
        held(`a${h}`, halved(loadPoint(spectrum, at(0)))),
        ...[1, 2, 3].map((q) =>
          held(`t${q}_${h}`, halfTimesConjugate(loadPoint(spectrum, at(q)), twiddle(q - 1))),
        ),
      ];
      const [a, t1, t2, t3] = inputs.map(({ value }) => value);
      return [
        ...inputs.flatMap(({ declare }) => declare),
        ...butterfly(a, t1, t2, t3).flatMap((value, q) => storePoint(spectrum, at(q), value)),
      ];
    }),
  ]);
}

/**
 * Outputs at quarters 0..3 of inputs in bit-reversed order, already multiplied by their twiddles.
 */
function butterfly(a: Complex, t1: Complex, t2: Complex, t3: Complex): Complex[] {
  const [sum, difference] = [plus(a, t1), minus(a, t1)];
  const [outer, inner] = [plus(t2, t3), minus(t2, t3)];
  return [
    plus(sum, outer),
    { re: b.add(difference.re, inner.im), im: b.sub(difference.im, inner.re) },
    minus(sum, outer),
    { re: b.sub(difference.re, inner.im), im: b.add(difference.im, inner.re) },
  ];
}

/**
 * Bins of the real transform from those of the complex one, in place, two at a time (equation 4).
 */
function splitReal(spectrum: Spectrum, { M, cosine }: { M: number; cosine: Buffer }): Statement[] {
  const zero = held("zero", loadPoint(spectrum, b.s32(0)));
  const { re, im } = zero.value;
  const body = (k: Variable): Statement[] => {
    const mirror = b.sub(M, k);
    const near = held("near", loadPoint(spectrum, k));
    const far = held("far", loadPoint(spectrum, mirror));
    const [z, y] = [near.value, far.value];
    const even = held("even", { re: half(b.add(z.re, y.re)), im: half(b.sub(z.im, y.im)) });
    const odd = held("odd", { re: b.add(z.im, y.im), im: b.sub(y.re, z.re) });
    const twiddle = { re: b.load(cosine, k), im: b.load(cosine, b.sub(M / 2, k)) };
    const turned = held("turned", halfTimesConjugate(odd.value, twiddle));
    const [e, t] = [even.value, turned.value];
    const declare = [near, far, even, odd, turned].flatMap((point) => point.declare);
    return [
      ...declare,
      ...storePoint(spectrum, k, plus(e, t)),
      ...storePoint(spectrum, mirror, { re: b.sub(e.re, t.re), im: b.sub(t.im, e.im) }),
    ];
  };
  return [
    ...zero.declare,
    ...storePoint(spectrum, b.s32(0), { re: b.add(re, im), im: b.s32(0) }),
    ...storePoint(spectrum, b.s32(M), { re: b.sub(re, im), im: b.s32(0) }),
    b.loop("bin", M / 2 + 1, body, { from: 1 }),
  ];
}
