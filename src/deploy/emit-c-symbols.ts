/**
 * The C names of everything a product emits. All files of one package ask here, so that they agree.
 */

import {
  cIdentifier,
  distinctKernels,
  type Kernel,
  kernelKey,
  namer,
  type Placed,
  SUPPORT_NAMES,
} from "../kernel/index.ts";
import { productName } from "./names.ts";
import { constantsOf, type Product, usedStorage } from "./product.ts";

export interface KernelSymbol {
  readonly name: string;
  readonly kernel: Kernel;
}

export interface Symbols {
  /** Begins every public name: demo, DEMO. */
  readonly prefix: string;
  readonly macro: string;
  /** Parameters of the run function, by storage. */
  readonly inputs: ReadonlyMap<string, string>;
  readonly scores: string;
  /** Macros: the length of each input, the index of each class. */
  readonly lengths: ReadonlyMap<string, string>;
  readonly classes: readonly string[];
  /** Arrays, by the storage that stands for them. */
  readonly constants: ReadonlyMap<string, string>;
  /** Typed pointers into the arena and, of a stream, into its state, by storage. */
  readonly scratch: ReadonlyMap<string, string>;
  readonly base: string;
  /** By kernelKey: equal kernels are one function. */
  readonly kernels: ReadonlyMap<string, KernelSymbol>;
}

export function symbolsOf(product: Product): Symbols {
  const prefix = productName(product.name);
  const own = ["run", "class_names", "start", "push", "features"].map((end) => `${prefix}_${end}`);
  const parameters = product.program.calls.flatMap(({ kernel }) =>
    kernel.buffers.map(({ name }) => cIdentifier(name)),
  ); // nothing global may have the name of a kernel's parameter: that would draw -Wshadow
  const claim = namer([
    ...SUPPORT_NAMES,
    ...own,
    `${prefix}_int_has_32_bits`,
    "arena",
    "stream",
    "held",
    ...parameters,
  ]);
  const claimMacro = macroNamer(prefix);
  const { distinct } = constantsOf(product);
  const byName = (all: readonly { readonly name: string }[]): Map<string, string> =>
    new Map(all.map(({ name }) => [name, claim(name)]));
  const inputs = byName(product.inputs);
  const scores = claim(product.scores);
  const base = claim("base");
  return {
    prefix,
    macro: prefix.toUpperCase(),
    inputs,
    scores,
    lengths: new Map(product.inputs.map(({ name }) => [name, claimMacro(`${name}_length`)])),
    classes: product.classes.map((name) => claimMacro(`class_${name}`)),
    base,
    kernels: new Map(
      distinctKernels(product.program).kernels.map(({ kernel }) => [
        kernelKey(kernel),
        { name: claim(kernel.name), kernel },
      ]),
    ),
    constants: byName(distinct),
    scratch: byName([...scratchOf(product), ...stateOf(product)]),
  };
}

/** What lies in the arena, by address. */
export function scratchOf(product: Product): readonly Placed[] {
  return byAddress(product, "scratch");
}

/** What survives from push to push, by address. */
export function stateOf(product: Product): readonly Placed[] {
  return byAddress(product, "state");
}

function byAddress(product: Product, role: "scratch" | "state"): readonly Placed[] {
  return usedStorage(product)
    .filter((storage) => storage.role === role)
    .sort((a, b) => a.address - b.address);
}

function macroNamer(prefix: string): (name: string) => string {
  const taken = [
    "arena_bytes",
    "arena",
    "class_count",
    "h",
    "frames",
    "stream",
    "stream_bytes",
  ].map((end) => `${prefix}_${end}`);
  const claim = namer(taken);
  return (name) => claim(`${prefix}_${name}`).toUpperCase();
}
