import { expect, test } from "vitest";
import { MismatchError, mismatch, nearest, UserError, unknown } from "./errors.ts";

test("a misspelt name is told the nearest one, a strange one all of them", () => {
  expect(unknown("split", "tset", ["train", "test"]).message).toBe(
    "unknown split: tset; did you mean test?",
  );
  expect(unknown("bits", "16", ["8", "4"]).message).toBe("unknown bits: 16; known: 8, 4");
  expect(nearest("5", ["4", "8"])).toBeUndefined();
  expect(nearest("a".repeat(1e6), ["a".repeat(1e6 - 1)])).toBeUndefined(); // at once
  expect(unknown("split", "x", ["train"])).toBeInstanceOf(UserError);
});

test("a mismatch says where, what, expected and got", () => {
  const error = mismatch("pool", "size", { expected: ">= 1", got: [0, "a"] });
  expect(error.message).toBe('pool: size must be >= 1, got [0, "a"]');
  expect(error).toBeInstanceOf(RangeError);
  expect(error).toBeInstanceOf(MismatchError);
});
