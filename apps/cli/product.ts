/** The product of a run: its integer net lowered with its front-ends, and what that costs. */

import { basename, resolve } from "node:path";
import type { QuantizedGraph } from "../../src/compress/index.ts";
import {
  arenaBytes,
  type FlashPart,
  flashParts,
  lower,
  type Product,
} from "../../src/deploy/index.ts";
import type { Frontend } from "../../src/features/index.ts";
import { bytesOf } from "../../src/kernel/index.ts";
import { readCompressed, readGolden, readModel } from "./run.ts";

/** The product, and the hash of the integer net it is made of. */
export async function readProduct(run: string): Promise<{ product: Product; compressed: string }> {
  const { graph, hash } = await readCompressed(run);
  const { frontend } = await readModel(run);
  const examples = await readGolden(run);
  return {
    product: lower(graph, frontend, { name: nameOf(run), examples }),
    compressed: hash,
  };
}

/** The last part of the run's path; "run/" and "run" give the same. */
export function nameOf(run: string): string {
  return basename(resolve(run)) || "net";
}

export interface Memory {
  /** Constants exact, code estimated. */
  readonly flashBytes: number;
  /** Arena, raw inputs and scores; the stack is stated apart. */
  readonly ramBytes: number;
  readonly arenaBytes: number;
  readonly inputBytes: number;
  readonly flash: readonly FlashPart[];
}

/** What a product takes, known without any compiler. */
export function memoryOf(product: Product): Memory {
  const flash = flashParts(product);
  const inputBytes = product.program.storage
    .filter(({ role, within }) => role === "input" && within === undefined)
    .reduce((sum, storage) => sum + bytesOf(storage), 0);
  const arena = arenaBytes(product);
  return {
    flash,
    flashBytes: flash.reduce((sum, { bytes }) => sum + bytes, 0),
    arenaBytes: arena,
    inputBytes,
    ramBytes: arena + inputBytes + product.classes.length,
  };
}

/** Memory of a net that is not in a run folder yet. */
export function memoryOfGraph(graph: QuantizedGraph, frontend: Frontend): Memory {
  return memoryOf(lower(graph, frontend, { name: "net" }));
}
