/**
 * Neighbouring elements in four lanes: two vectors, the first elements and the second ones, of what
 * lies in memory as four pairs.
 *
 * Of 32 bits, pairs side by side, upwards or downwards, are two whole vectors, any others four
 * halves; all are put in order by shuffles. Of 16 bits, loaded only, pairs are the words of one
 * vector, put apart by shifts.
 */

import type { Affine } from "../affine.ts";
import { bitsOf, type Expr, type Statement } from "../language.ts";
import { isLoadLet, isStorePair } from "../pairs.ts";
import { SIMD, TYPE, unsigned } from "./bytes.ts";
import { pushScalar } from "./scalar.ts";
import {
  constant,
  getLocal,
  type Lane,
  newLocal,
  pushAddress,
  type Scope,
  setLocal,
  vectorLocals,
} from "./scope.ts";
import { hasVectorForm, layoutOf, pushVector, simd } from "./vector.ts";

const LANES = 4;

/** Of the eight words of two vectors those that make a new one: apart to load, together to store. */
const UPWARDS = {
  apart: [
    [0, 2, 4, 6],
    [1, 3, 5, 7],
  ],
  together: [
    [0, 4, 1, 5],
    [2, 6, 3, 7],
  ],
};
const DOWNWARDS = {
  apart: [
    [2, 0, 6, 4],
    [3, 1, 7, 5],
  ],
  together: [
    [1, 5, 0, 4],
    [3, 7, 2, 6],
  ],
};

type Store = Extract<Statement, { op: "store" }>;
type Access = Pick<Store, "buffer" | "index">;

/** The statements of a pair that has a form here; undefined for all else. */
export function vectorPair(
  scope: Scope,
  step: readonly Statement[],
  lane: Lane,
): { readonly access: Access; readonly values?: readonly Expr[] } | undefined {
  const [first, second] = step;
  if (second === undefined) return undefined;
  if (first.op === "store" && second.op === "store" && isStorePair(first, second)) {
    const values = [first.value, second.value];
    const isVector =
      hasPairs(scope, first, lane, 32) && values.every((v) => hasVectorForm(v, lane));
    return isVector ? { access: first, values } : undefined;
  }
  if (!isLoadLet(first)) return undefined;
  const isVector = hasPairs(scope, first.value, lane, 32) || hasPairs(scope, first.value, lane, 16);
  return isVector ? { access: first.value } : undefined;
}

/** Lanes one element apart are better off with a whole vector for each of the two, of 16 bits. */
function hasPairs(scope: Scope, { buffer, index }: Access, lane: Lane, bits: 16 | 32): boolean {
  const { stride, regular } = layoutOf(scope, buffer, index, lane);
  const isApart = stride !== 0 && (bits === 32 || stride !== 1);
  return bitsOf(buffer.type) === bits && regular && isApart;
}

/** Load four pairs into two variables. */
export function loadPairs(
  scope: Scope,
  lane: Lane,
  access: Access,
  variables: readonly string[],
  u: number,
): void {
  const to = variables.map((name) => vectorLocals(scope, name)[u]);
  if (bitsOf(access.buffer.type) === 16) return loadShortPairs(scope, lane, access, to, LANES * u);
  const { stride } = layoutOf(scope, access.buffer, access.index, lane);
  const { apart } = stride === -2 ? DOWNWARDS : UPWARDS;
  const halves = [0, 2].map((from) => {
    const local = newLocal(scope, TYPE.v128);
    pushPairs(scope, lane, access, LANES * u + from, local);
    return local;
  });
  apart.forEach((words, i) => {
    for (const local of halves) getLocal(scope, local);
    shuffle(scope, words);
    setLocal(scope, to[i]);
  });
}

/** Load four pairs of 16 bits, beginning with the lane `from`, into two locals. */
function loadShortPairs(
  scope: Scope,
  lane: Lane,
  access: Access,
  [first, second]: readonly number[],
  from: number,
): void {
  const { stride } = layoutOf(scope, access.buffer, access.index, lane);
  const isWhole = stride === 2;
  const at = pushPlace(scope, lane, access, from);
  simd(scope, isWhole ? SIMD.load : SIMD.load32Zero, ...at);
  setLocal(scope, second);
  for (const i of isWhole ? [] : [1, 2, 3]) {
    const place = pushPlace(scope, lane, access, from + i);
    getLocal(scope, second);
    simd(scope, SIMD.load32Lane, ...place, i);
    setLocal(scope, second);
  }
  getLocal(scope, second);
  shift(scope, SIMD.i32x4Shl);
  shift(scope, SIMD.i32x4ShrS);
  setLocal(scope, first);
  getLocal(scope, second);
  shift(scope, SIMD.i32x4ShrS);
  setLocal(scope, second);
}

/** By half a word. */
function shift(scope: Scope, opcode: number): void {
  constant(scope, 16);
  simd(scope, opcode);
}

/** The pairs of lanes `from` and `from` + 1. */
function pushPairs(scope: Scope, lane: Lane, access: Access, from: number, local: number): void {
  const { stride } = layoutOf(scope, access.buffer, access.index, lane);
  const at = (i: number): number[] => pushPlace(scope, lane, access, i);
  if (Math.abs(stride) === 2) {
    simd(scope, SIMD.load, ...at(stride > 0 ? from : from + 1));
  } else {
    simd(scope, SIMD.load64Zero, ...at(from));
    setLocal(scope, local);
    const place = at(from + 1);
    getLocal(scope, local);
    simd(scope, SIMD.load64Lane, ...place, 1);
  }
  setLocal(scope, local);
}

/** Push the address of a lane's pair; returns the memory argument. */
function pushPlace(scope: Scope, lane: Lane, { buffer, index }: Access, i: number): number[] {
  const { affine, stride } = layoutOf(scope, buffer, index, lane);
  const moved: Affine = { ...affine, offset: affine.offset + stride * i };
  return [0, ...unsigned(pushAddress(scope, buffer, moved, (expr) => pushScalar(scope, expr)))];
}

/** Store two values as four pairs. */
export function storePairs(
  scope: Scope,
  lane: Lane,
  access: Access,
  values: readonly Expr[],
  u: number,
): void {
  const { stride } = layoutOf(scope, access.buffer, access.index, lane);
  const locals = values.map((value) => {
    const local = newLocal(scope, TYPE.v128);
    pushVector(scope, lane, value, u);
    setLocal(scope, local);
    return local;
  });
  const isWhole = Math.abs(stride) === 2;
  const { together } = stride === -2 ? DOWNWARDS : UPWARDS;
  together.forEach((words, half) => {
    const ordered = newLocal(scope, TYPE.v128);
    for (const local of locals) getLocal(scope, local);
    shuffle(scope, words);
    setLocal(scope, ordered);
    const from = LANES * u + 2 * half;
    for (const i of isWhole ? [stride > 0 ? 0 : 1] : [0, 1]) {
      const place = pushPlace(scope, lane, access, from + i);
      getLocal(scope, ordered);
      if (isWhole) simd(scope, SIMD.store, ...place);
      else simd(scope, SIMD.store64Lane, ...place, i);
    }
  });
}

function shuffle(scope: Scope, words: readonly number[]): void {
  simd(
    scope,
    SIMD.shuffle,
    ...words.flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte)),
  );
}
