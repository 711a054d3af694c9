/**
 * A product: a planned program with the names that its users see. What is emitted as C and as
 * WebAssembly.
 *
 * The program reads raw samples and pixels from its inputs and writes one s8 score a class.
 */

import { mismatch } from "../errors.ts";
import {
  bitsOf,
  bytesOf,
  type ElementType,
  type Placed,
  type Program,
  sizeOf,
  type TypedArray,
  writtenBy,
} from "../kernel/index.ts";
import { productName } from "./names.ts";

export interface ProductInput {
  /** The modality, which is the name of a storage of role input. */
  readonly name: string;
  readonly kind: "audio" | "image" | "series" | "features";
  /** For people: "16000 samples, 16 kHz mono, s16". */
  readonly description: string;
}

/** A golden vector: what the reference interpreter gives. */
export interface Example {
  readonly inputs: Readonly<Record<string, TypedArray>>;
  readonly scores: Int8Array;
}

/** A sensor whose features come hop by hop, computed apart from the product's program. */
export interface Stream {
  /** The modality. */
  readonly name: string;
  /** The product's input that holds its features. */
  readonly features: string;
  /**
   * Takes a hop a run: input `${name}`, s16 [hop]; state `${name}.features`, s8, all zero at first;
   * output `${name}.filled`, s32 [1]: rows of the features that are frames.
   */
  readonly program: Program;
  readonly frames: number;
  /** Hops before the one that completes the first frame. */
  readonly delayHops: number;
  /** For people: "368 samples, 16000 Hz mono, s16". */
  readonly description: string;
  /** Of each example of the product, the whole recording that its features come from. */
  readonly clips: readonly Int16Array[];
}

export interface Product {
  readonly name: string;
  readonly program: Program;
  readonly inputs: readonly ProductInput[];
  /** Name of the storage of role output, s8 [classes]. */
  readonly scores: string;
  readonly classes: readonly string[];
  readonly examples: readonly Example[];
  /** Sensors that are fed hop by hop; their features are inputs of the program. */
  readonly streams?: readonly Stream[];
}

/** The storage of a name. */
export function storageOf({ program }: Product, name: string): Placed {
  const found = program.storage.find((storage) => storage.name === name);
  if (found === undefined) {
    throw mismatch("product", "storage", { expected: "in the program", got: name });
  }
  return found;
}

/** The storage that a view lies in; itself if it is no view. */
export function rootStorage(product: Product, storage: Placed): Placed {
  return storage.within === undefined
    ? storage
    : rootStorage(product, storageOf(product, storage.within.name));
}

/** Element of its root at which a storage begins. */
export function offsetInRoot(product: Product, storage: Placed): number {
  const { address } = rootStorage(product, storage);
  return ((storage.address - address) * 8) / bitsOf(storage.type);
}

/** The storage that the calls name, in the program's order. */
export function usedStorage({ program }: Product): readonly Placed[] {
  const used = new Set(program.calls.flatMap((call) => call.arguments));
  return program.storage.filter(({ name }) => used.has(name));
}

/**
 * Check that a product can be emitted.
 *
 * throws   RangeError naming what is wrong: inputs, scores, examples, or a write to a constant
 */
export function checkProduct(product: Product): void {
  const { program, inputs, classes, examples } = product;
  const scores = storageOf(product, product.scores);
  if (scores.role !== "output" || scores.type !== "s8" || sizeOf(scores.shape) !== classes.length) {
    const expected = `output s8 ${classes.length}`;
    const got = `${scores.role} ${scores.type} ${sizeOf(scores.shape)}`;
    throw mismatch("product", `scores ${scores.name}`, { expected, got });
  }
  for (const { name } of inputs) {
    const { role, within } = storageOf(product, name);
    if (role !== "input" || within !== undefined) {
      throw mismatch("product", `input ${name}`, { expected: "storage of role input", got: role });
    }
  }
  const known = new Set([...inputs.map(({ name }) => name), scores.name]);
  for (const storage of program.storage) {
    const { role, name } = rootStorage(product, storage);
    if (role === "state") throw mismatch("product", name, { expected: "no state", got: "state" });
    if (role === "constant" && storageOf(product, name).data === undefined) {
      throw mismatch("product", `constant ${name}`, { expected: "with data", got: "none" });
    }
    if ((role === "input" || role === "output") && !known.has(name)) {
      throw mismatch("product", `${role} storage`, {
        expected: [...known].join(" or "),
        got: name,
      });
    }
  }
  for (const example of examples) checkExample(product, example);
  for (const stream of product.streams ?? []) checkStream(product, stream);
  checkWrites(product);
}

/**
 * Check what goes into a run.
 *
 * throws   RangeError naming the input that is missing or of another type or length
 */
export function checkInputs(product: Product, given: Readonly<Record<string, TypedArray>>): void {
  for (const { name } of product.inputs) {
    const { type, shape } = storageOf(product, name);
    const array = Object.hasOwn(given, name) ? given[name] : undefined;
    const got = array && `${array.constructor.name} ${array.length}`;
    const expected = `${ARRAYS[type]} ${sizeOf(shape)}`;
    if (got !== expected) throw mismatch("product", `input ${name}`, { expected, got });
  }
}

/** The JavaScript array of an element type. */
export const ARRAYS: Readonly<Record<ElementType, string>> = {
  s8: "Int8Array",
  u8: "Uint8Array",
  s4: "Uint8Array",
  s16: "Int16Array",
  s32: "Int32Array",
  f32: "Float32Array",
};

function checkStream(product: Product, { name, features, clips }: Stream): void {
  const { role, type } = storageOf(product, features);
  if (role !== "input" || type !== "s8") {
    const got = `${role} ${type}`;
    throw mismatch("product", `features of stream ${name}`, { expected: "input s8", got });
  }
  if (clips.length !== product.examples.length) {
    const expected = `${product.examples.length}, one an example`;
    throw mismatch("product", `clips of stream ${name}`, { expected, got: clips.length });
  }
}

/** What push and start of a stream are made of, for code that reads products. */
export function streamProduct({ name }: Pick<Product, "name">, stream: Stream): Product {
  return {
    name: productName(`${name} ${stream.name}`),
    program: stream.program,
    inputs: [{ name: stream.name, kind: "audio", description: stream.description }],
    scores: `${stream.name}.filled`,
    classes: [],
    examples: [],
  };
}

function checkExample(product: Product, { inputs, scores }: Example): void {
  checkInputs(product, inputs);
  if (scores.length !== product.classes.length) {
    const expected = `${product.classes.length}`;
    throw mismatch("product", "scores of an example", { expected, got: scores.length });
  }
}

function checkWrites(product: Product): void {
  for (const { label, kernel, arguments: names } of product.program.calls) {
    const written = writtenBy(kernel);
    kernel.buffers.forEach(({ name }, i) => {
      const { role } = storageOf(product, names[i]);
      if (written.has(name) && role !== "scratch" && role !== "output") {
        const what = `call ${label}: what it writes`;
        throw mismatch("product", what, {
          expected: "scratch or output",
          got: `${role} ${names[i]}`,
        });
      }
    });
  }
}

/** Roots of the used constants, in the program's order; equal contents once. */
export function constantsOf(product: Product): {
  readonly distinct: readonly Placed[];
  /** Of every used constant root, the distinct one that stands for it. */
  readonly standIn: ReadonlyMap<string, Placed>;
} {
  const roots = new Set(
    usedStorage(product)
      .filter(({ role }) => role === "constant")
      .map((storage) => rootStorage(product, storage)),
  );
  const byContent = new Map<string, Placed[]>();
  const standIn = new Map<string, Placed>();
  const distinct: Placed[] = [];
  for (const root of roots) {
    const key = `${root.type} ${bytesOf(root)}`;
    const alike = byContent.get(key) ?? [];
    const twin = alike.find((other) => haveEqualData(root, other));
    standIn.set(root.name, twin ?? root);
    if (twin !== undefined) continue;
    byContent.set(key, [...alike, root]);
    distinct.push(root);
  }
  return { distinct, standIn };
}

function haveEqualData({ data: a }: Placed, { data: b }: Placed): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
