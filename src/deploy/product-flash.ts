/**
 * What a product takes in flash, part by part, and how each number came about.
 *
 * Constants are exact: their bytes are what the arrays hold. Code is estimated until a compiler is
 * asked (bench): CODE_BYTES_A_NODE for each statement and expression of each distinct kernel, and
 * CALL_BYTES for each argument of a call.
 */

import {
  bytesOf,
  distinctKernels,
  type Expr,
  type Kernel,
  type Program,
  type Statement,
} from "../kernel/index.ts";
import { constantsOf, type Product, streamProduct } from "./product.ts";

export interface FlashPart {
  readonly part: string;
  readonly bytes: number;
  readonly how: "exact" | "measured" | "estimated";
}

/**
 * Thumb-2 bytes a node, arm-none-eabi-gcc 12.2 -Os -mcpu=cortex-m4. Over the layers of
 * test/conformance-kernels.ts the estimate is 0.85 to 1.5 of what gcc makes; code that is mostly
 * 64-bit arithmetic or conditions may be off by a factor of three either way.
 */
const CODE_BYTES_A_NODE = 4;
/** Bytes to load one argument: an address from a literal pool and its load. */
const CALL_BYTES = 6;
const POINTER_BYTES = 4;

/** Every constant by name, the class names, and the code; those of streams after the net's. */
export function flashParts(product: Product): FlashPart[] {
  return [product, ...streamProducts(product)].flatMap(ownFlashParts);
}

function ownFlashParts(product: Product): FlashPart[] {
  const constants = constantsOf(product).distinct.map(
    (storage): FlashPart => ({ part: storage.name, bytes: bytesOf(storage), how: "exact" }),
  );
  const names = product.classes.map((name) => new TextEncoder().encode(name).length + 1);
  const nameBytes = names.reduce((sum, bytes) => sum + bytes + POINTER_BYTES, 0);
  const named: FlashPart[] = [{ part: "class names", bytes: nameBytes, how: "exact" }];
  return [
    ...constants,
    ...(names.length > 0 ? named : []),
    { part: "code", bytes: estimatedCodeBytes(product.program), how: "estimated" },
  ];
}

/** Bytes of all distinct constants: weights, biases, multipliers, tables. */
export function constantBytes(product: Product): number {
  return [product, ...streamProducts(product)]
    .flatMap((part) => constantsOf(part).distinct)
    .reduce((sum, storage) => sum + bytesOf(storage), 0);
}

function streamProducts(product: Product): Product[] {
  return (product.streams ?? []).map((stream) => streamProduct(product, stream));
}

function estimatedCodeBytes(program: Program): number {
  const { kernels } = distinctKernels(program);
  const nodes = kernels.reduce((sum, { kernel }) => sum + nodesOf(kernel), 0);
  const passed = program.calls.reduce((sum, call) => sum + call.arguments.length + 1, 0);
  return nodes * CODE_BYTES_A_NODE + passed * CALL_BYTES;
}

function nodesOf(kernel: Kernel): number {
  return kernel.body.reduce((sum, statement) => sum + statementNodes(statement), 0);
}

function statementNodes(statement: Statement): number {
  const bodies = (list: readonly Statement[]): number =>
    list.reduce((sum, inner) => sum + statementNodes(inner), 0);
  const all = (list: readonly Expr[]): number =>
    list.reduce((sum, expr) => sum + expressionNodes(expr), 0);
  switch (statement.op) {
    case "for":
      return 2 + all([statement.from, statement.to]) + bodies(statement.body);
    case "let":
    case "set":
      return 1 + all([statement.value]);
    case "store":
      return 1 + all([...statement.index, statement.value]);
    case "when":
      return 1 + all([statement.condition]) + bodies([...statement.then, ...statement.otherwise]);
    default:
      return statement satisfies never;
  }
}

function expressionNodes(expr: Expr): number {
  switch (expr.op) {
    case "constant":
    case "variable":
      return 0;
    case "load":
      return 1 + expr.index.reduce((sum, i) => sum + 1 + expressionNodes(i), 0);
    case "select":
      return 1 + [expr.condition, expr.a, expr.b].reduce((sum, e) => sum + expressionNodes(e), 0);
    default:
      return 1 + expressionNodes(expr.a) + ("b" in expr ? expressionNodes(expr.b) : 0);
  }
}
