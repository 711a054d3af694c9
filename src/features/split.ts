/**
 * Bins of a real transform of N samples from the transform of its M = N/2 complex points, in place:
 * statements of the loop language (equation 4). Bin 0 is left alone: no band needs it.
 */

import { type Buffer, build as b, type Expr, type Statement } from "../kernel/index.ts";
import {
  addTurned,
  butterfly,
  type Complex,
  held,
  heldTwiddle,
  loadPoint,
  minus,
  shiftedDown,
  storePoint,
  type Twiddle,
} from "./complex.ts";
import { q31, type Table, table } from "./table.ts";

interface Split {
  readonly cosines: Buffer;
  /** Bits by which bins are shifted down. */
  readonly spare: number;
}

/**
 * cos and sin of 2 pi k / N, shifted down by `spare`; if a stage is joined, k goes to N/8 only, and
 * behind them lie the twiddles of the stage, cos and sin of 2 pi k / M.
 */
export function splitTable(
  N: number,
  { isJoined, spare }: { isJoined: boolean; spare: number },
): Table {
  const count = isJoined ? N / 8 + 1 : N / 4 + 1;
  const both = (angle: number, scale: number): number[] =>
    [Math.cos(angle), Math.sin(angle)].map((value) => q31(value * scale));
  const values = Array.from({ length: count }, (_, k) => {
    const angle = (2 * Math.PI * k) / N;
    return [...both(angle, 2 ** -spare), ...(isJoined ? both(2 * angle, 1) : [])];
  });
  return table("cosines", "s32", { shape: [count, isJoined ? 4 : 2], values: values.flat() });
}

/** Steps that are written out one after the other, and a vector of WebAssembly. */
const TOGETHER = 4;

/** Steps for k from 1 to `last`, a multiple of 4. */
function fromOne(last: number, step: (k: Expr) => Statement[]): Statement {
  return b.loop(
    "from",
    last,
    (from) => [
      b.lanes("bin", TOGETHER, (bin) => step(b.add(b.add(from, bin), 1)), { unrolled: true }),
    ],
    { step: TOGETHER },
  );
}

/** Where the points are the transform; bin M/2 is its own mirror, and twice the same. */
export function splitReal(points: Buffer, { cosines, spare }: Split): Statement[] {
  const [M] = points.shape;
  const two = (k: Expr): Statement[] => {
    const mirror = b.sub(M, k);
    const near = held("near", loadPoint(points, k));
    const far = held("far", loadPoint(points, mirror));
    const twiddle = heldTwiddle("turn", cosines, k, 0);
    const bins = binsOf("bin", [near.value, far.value], twiddle.value, spare);
    return [
      ...near.declare,
      ...far.declare,
      ...twiddle.declare,
      ...bins.declare,
      ...storePoint(points, k, bins.near),
      ...storePoint(points, mirror, bins.far),
    ];
  };
  return [fromOne(M / 2, two)];
}

/**
 * Where the points are two transforms of h = M/2 points each, the second at twice the scale: their
 * last radix-2 stage and the split in one. Points k and h - k of both give the bins k, h - k, h + k
 * and M - k; in the middle, where k is h - k, twice the same two.
 */
export function splitJoined(points: Buffer, { cosines, spare }: Split): Statement[] {
  const [M] = points.shape;
  const h = M / 2;
  const four = (k: Expr): Statement[] => {
    const [low, high] = [k, b.sub(h, k)].map((at, q) => {
      const a = held(`a${q}`, loadPoint(points, at));
      const x = held(`x${q}`, loadPoint(points, b.add(at, h)));
      return { inputs: [a, x] as const, at };
    });
    const stage = heldTwiddle("stage", cosines, k, 2);
    const turn = heldTwiddle("turn", cosines, k, 0);
    const near = butterfly("near", low.inputs, stage.value);
    const far = butterfly("far", high.inputs, stage.value, "mirrored");
    const outer = binsOf("outer", [near.sum, far.rest], turn.value, spare);
    const across = { cosine: turn.value.sine, sine: turn.value.cosine };
    const inner = binsOf("inner", [far.sum, near.rest], across, spare);
    return [
      ...stage.declare,
      ...near.declare,
      ...far.declare,
      ...turn.declare,
      ...outer.declare,
      ...storePoint(points, low.at, outer.near),
      ...storePoint(points, b.add(high.at, h), outer.far),
      ...inner.declare,
      ...storePoint(points, high.at, inner.near),
      ...storePoint(points, b.add(low.at, h), inner.far),
    ];
  };
  const first = held("first", loadPoint(points, b.s32(0)));
  const second = held("second", loadPoint(points, b.s32(h)));
  const difference = minus(first.value, shiftedDown(second.value, 1));
  return [
    ...first.declare,
    ...second.declare,
    ...storePoint(points, b.s32(h), shiftedDown(difference, spare)),
    fromOne(h / 2, four),
  ];
}

/** (E - i W O) / 2 and the conjugate of (E + i W O) / 2, shifted down. */
function binsOf(
  name: string,
  [z, y]: readonly Complex[],
  twiddle: Twiddle,
  spare: number,
): { near: Complex; far: Complex; declare: Statement[] } {
  const even = held(`${name}_even`, {
    re: b.shr(b.add(z.re, y.re), 1 + spare),
    im: b.shr(b.sub(z.im, y.im), 1 + spare),
  });
  const odd = held(`${name}_odd`, { re: b.add(z.im, y.im), im: b.sub(y.re, z.re) });
  const near = held(`${name}_near`, addTurned(even.value, odd.value, twiddle));
  const far = {
    re: b.sub(b.mul(even.value.re, 2), near.value.re),
    im: b.sub(near.value.im, b.mul(even.value.im, 2)),
  };
  const declare = [even, odd, near].flatMap((point) => point.declare);
  return { near: near.value, far, declare };
}
