/** What compilers and binutils print about an object file, read back. */

import { constantBytes, type Product } from "../deploy/index.ts";
import { SUPPORT_NAMES } from "../kernel/index.ts";
import type { Outcome } from "./tool.ts";

/** A measured number and on what, or none and why. */
export type Reading =
  | { readonly value: number; readonly on: string }
  | { readonly value: null; readonly reason: string };

/** Bytes of .text and .rodata from `size -A`, less the product's constants. */
export function codeReading(product: Product, { code, stdout }: Outcome, on: string): Reading {
  if (code !== 0) return { value: null, reason: "size -A failed: no binutils?" };
  const rows = new TextDecoder().decode(stdout).matchAll(/^\.(text|rodata)\S*\s+(\d+)/gm);
  const bytes = [...rows].reduce((sum, [, , size]) => sum + Number(size), 0);
  if (bytes === 0) return { value: null, reason: "size -A names no .text" };
  return { value: bytes - constantBytes(product), on };
}

/**
 * The deepest chain of calls: the entry, one kernel, one support function. Lines:
 * file:line:column:function bytes kind.
 */
export function stackReading(entry: string, usage: string, on: string): Reading {
  const frames = [...usage.matchAll(/:([A-Za-z_]\w*)(?:\.\S+)?\t(\d+)\t(\S+)/g)].map(
    ([, name, bytes, kind]) => ({ name, bytes: Number(bytes), isStatic: kind === "static" }),
  );
  const run = frames.find(({ name }) => name === entry);
  if (run === undefined || frames.some(({ isStatic }) => !isStatic)) {
    return { value: null, reason: "the compiler gives no fixed frame sizes" };
  }
  const isSupport = (name: string): boolean => SUPPORT_NAMES.some((known) => known === name);
  const deepest = (of: typeof frames): number => Math.max(0, ...of.map(({ bytes }) => bytes));
  const kernels = frames.filter((frame) => frame !== run && !isSupport(frame.name));
  const support = frames.filter(({ name }) => isSupport(name));
  return { value: run.bytes + deepest(kernels) + deepest(support), on };
}
