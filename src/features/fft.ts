/**
 * The spectrum of a real frame in integers: statements of the loop language.
 *
 * A frame of N samples is M = N/2 complex points, windowed as they are read, transformed in place
 * and split into the bins of the real transform. No stage rounds but in products: the second input
 * of a butterfly is kept at twice the scale of the first, so that the high word of its product with
 * a Q31 twiddle is added as it is. Range proofs and numbered equations: docs/features.md.
 */

import { type Buffer, build as b, type Expr, type Statement } from "../kernel/index.ts";
import {
  addTurned,
  butterfly,
  exactly,
  type Held,
  type HeldTwiddle,
  held,
  heldTwiddle,
  loadPoint,
  reflected,
  storePoint,
} from "./complex.ts";
import { type Frame, firstStages, firstTables } from "./first-stages.ts";
import { splitJoined, splitReal, splitTable } from "./split.ts";
import { q31, type Table, table } from "./table.ts";

/** Points of a transform of N samples, s32 [N/2, 2]: afterwards its bins, but for bin 0. */
export function pointsOf(N: number): Buffer {
  return b.buffer("points", "s32", [N / 2, 2]);
}

export interface Fft {
  readonly tables: readonly Table[];
  /** From the samples of a frame to bins 1..N/2 - 1 in the points. */
  statements(frame: Frame): Statement[];
}

/** log2 of what a bin is, were samples integers and nothing rounded: equation 2, less `spare`. */
export function gainBits(N: number, spare: number): number {
  return 15 - Math.log2(N / 2) - spare;
}

/**
 * The windowed real transform of N points, N a power of two and at least 32.
 *
 * spare  bits by which bins are shifted down, so that |bin| <= 2^(30 - spare)
 */
export function realFft(N: number, points: Buffer, spare: number): Fft {
  const M = N / 2;
  const first = firstTables(N);
  const stages: { h: number; twiddles: Table }[] = [];
  let h = 4;
  for (; 4 * h <= M; h *= 4) stages.push({ h, twiddles: twiddleTable(h) });
  const isJoined = h < M;
  const cosines = splitTable(N, { isJoined, spare });
  const split = isJoined ? splitJoined : splitReal;
  return {
    tables: [...first.tables, ...stages.map(({ twiddles }) => twiddles), cosines],
    statements: (frame) => [
      firstStages(points, first, frame),
      ...stages.map(({ h: size, twiddles }) => radix4(points, size, twiddles.buffer)),
      ...split(points, { cosines: cosines.buffer, spare }),
    ],
  };
}

/** cos and sin of 2 pi 2k / 4h, then of 2 pi k / 4h. */
function twiddleTable(h: number): Table {
  const values = Array.from({ length: h }, (_, k) =>
    [2, 1].flatMap((power) => {
      const angle = (2 * Math.PI * power * k) / (4 * h);
      return [q31(Math.cos(angle)), q31(Math.sin(angle))];
    }),
  );
  return table(`twiddles${h}`, "s32", { shape: [h, 4], values: values.flat() });
}

/** Butterflies that are written out one after the other, and a vector of WebAssembly. */
const TOGETHER = 4;

/** Two radix-2 stages in one: h and 2h (equation 1). */
function radix4(points: Buffer, h: number, twiddles: Buffer): Statement {
  const [M] = points.shape;
  const groups = M / (4 * h);
  if (h === TOGETHER) {
    return b.lanes(`group${h}`, groups, (group) =>
      Array.from({ length: h }, (_, k) => smallest(points, twiddles, { group, k })).flat(),
    );
  }
  const four = (group: Expr, from: Expr): Statement =>
    b.lanes(`k${h}`, TOGETHER, (k) => general(points, twiddles, { group, k: b.add(from, k) }), {
      unrolled: true,
    });
  return b.loop(`group${h}`, groups, (group) => [
    b.loop(`from${h}`, h, (from) => [four(group, from)], { step: TOGETHER }),
  ]);
}

interface Place {
  readonly group: Expr;
  readonly k: Expr;
}

function general(points: Buffer, twiddles: Buffer, place: Place): Statement[] {
  const [h] = twiddles.shape;
  const two = heldTwiddle(`two${h}`, twiddles, place.k, 0);
  const one = heldTwiddle(`one${h}`, twiddles, place.k, 2);
  return fourPoints(`${h}`, points, { h, ...place, two, one });
}

/** The same for h = 4, in which some twiddles are 1 or -i; the first stages leave a turned order. */
function smallest(
  points: Buffer,
  twiddles: Buffer,
  { group, k }: { group: Expr; k: number },
): Statement[] {
  const two = heldTwiddle(`two_${k}`, twiddles, b.s32(k), 0);
  const one = heldTwiddle(`one_${k}`, twiddles, b.s32(k), 2);
  return fourPoints(`_${k}`, points, {
    ...{ h: TOGETHER, group, k: b.s32(k), order: [0, 2, 1, 3] },
    two: k === 0 ? exactly(0) : k === 2 ? exactly(1) : two,
    one: k === 0 ? exactly(0) : one,
  });
}

interface FourPoints extends Place {
  readonly h: number;
  readonly two: HeldTwiddle;
  readonly one: HeldTwiddle;
  /** Which quarter each input lies in. */
  readonly order?: readonly number[];
}

/**
 * Points k, k + h, k + 2h and k + 3h of a group. The twiddle of the second stage is loaded when it is
 * needed, or registers of a Cortex-M4 would not do.
 */
function fourPoints(
  name: string,
  points: Buffer,
  { h, group, k, two, one, order = [0, 1, 2, 3] }: FourPoints,
): Statement[] {
  const at = (quarter: number): Expr => b.add(b.add(b.mul(group, 4 * h), k), quarter * h);
  const input = (q: number): Held => held(`x${q}${name}`, loadPoint(points, at(order[q])));
  const low = butterfly(`p${name}`, [input(0), input(1)], two.value);
  const high = butterfly(`q${name}`, [input(2), input(3)], two.value);
  const even = held(`even${name}`, addTurned(low.sum, high.sum, one.value));
  const odd = held(`odd${name}`, addTurned(low.rest, high.rest, one.value, "further"));
  return [
    ...two.declare,
    ...low.declare,
    ...high.declare,
    ...one.declare,
    ...even.declare,
    ...storePoint(points, at(0), even.value),
    ...storePoint(points, at(2), reflected(low.sum, even.value)),
    ...odd.declare,
    ...storePoint(points, at(1), odd.value),
    ...storePoint(points, at(3), reflected(low.rest, odd.value)),
  ];
}
