/** What order a phase's calls come in. */

import { expect, test } from "vitest";
import { frugalOrder } from "./frugal-order.ts";

const bytes: Record<string, number> = { big: 100, other: 100, small: 1, kept: 0 };
const bytesOf = (name: string): number => bytes[name];
const call = (uses: string[], needs: number[] = []) => ({ uses: new Set(uses), needs });

test("what can be let go is used up before more is made", () => {
  const calls = [
    call(["kept", "big"]),
    call(["kept", "other"]),
    call(["kept", "other"], [1]),
    call(["big", "small"], [0]),
    call(["small", "kept"], [3]),
  ];
  expect(frugalOrder(calls, bytesOf)).toEqual([0, 3, 4, 1, 2]);
});

test("small things are made before big ones", () => {
  const calls = [
    call(["big", "kept"]),
    call(["small", "kept"]),
    call(["big", "small"], [0, 1]),
    call(["kept", "big", "small"], [2]),
  ];
  expect(frugalOrder(calls, bytesOf)).toEqual([1, 0, 2, 3]);
});

test("branches follow one another, also where one is joined late", () => {
  const calls = [
    call(["big"]),
    call(["other"]),
    call(["small"]),
    call(["other", "small"], [1, 2]),
    call(["big"], [0]),
  ];
  expect(frugalOrder(calls, bytesOf)).toEqual([0, 4, 2, 1, 3]);
});
