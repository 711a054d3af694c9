/** The product of a run: its integer net lowered with its front-ends, and what that costs. */

import { basename, resolve } from "node:path";
import type { QuantizedGraph } from "../../src/compress/index.ts";
import {
  arenaBytes,
  type FlashPart,
  flashParts,
  lower,
  type Product,
  streamProduct,
} from "../../src/deploy/index.ts";
import type { Frontend } from "../../src/features/index.ts";
import { bytesOf } from "../../src/kernel/index.ts";
import { readCompressed, readGolden, readModel } from "./run.ts";

/** The product, and the hash of the integer net it is made of. */
export async function readProduct(
  run: string,
  { streaming = false }: { streaming?: boolean } = {},
): Promise<{ product: Product; compressed: string }> {
  const { graph, hash } = await readCompressed(run);
  const { frontend } = await readModel(run);
  const examples = await readGolden(run);
  return {
    product: lower(graph, frontend, { name: nameOf(run), examples, streaming }),
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
  /** Arena, raw inputs, streams and scores; the stack is stated apart. */
  readonly ramBytes: number;
  /** Of the net and the push of any stream, which share it. */
  readonly arenaBytes: number;
  /** Of a stream, one hop. */
  readonly inputBytes: number;
  /** What streams keep between hops: a window of sound, the last frames. */
  readonly streamBytes: number;
  readonly flash: readonly FlashPart[];
}

/** What a product takes, known without any compiler. */
export function memoryOf(product: Product): Memory {
  const flash = flashParts(product);
  const streams = (product.streams ?? []).map((stream) => streamProduct(product, stream));
  const streamed = new Set((product.streams ?? []).map(({ features }) => features));
  const inputBytes = [product, ...streams]
    .flatMap(({ program }) => program.storage)
    .filter(({ role, within, name }) => role === "input" && !within && !streamed.has(name))
    .reduce((sum, storage) => sum + bytesOf(storage), 0);
  const streamBytes = streams.reduce((sum, { program }) => sum + program.regionBytes.state, 0);
  const arena = Math.max(...[product, ...streams].map(arenaBytes));
  return {
    flash,
    flashBytes: flash.reduce((sum, { bytes }) => sum + bytes, 0),
    arenaBytes: arena,
    inputBytes,
    streamBytes,
    ramBytes: arena + inputBytes + streamBytes + product.classes.length,
  };
}

/** Memory of a net that is not in a run folder yet. */
export function memoryOfGraph(graph: QuantizedGraph, frontend: Frontend): Memory {
  return memoryOf(lower(graph, frontend, { name: "net" }));
}
