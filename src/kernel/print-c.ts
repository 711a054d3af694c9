/**
 * Kernels as C99 functions, written as a person would write them: no libc, no float, no undefined
 * behaviour.
 *
 * One function a kernel, whose parameters are its buffers in order, `const` where it never writes.
 * Scalars are int32_t and int64_t, `lanes` loops are plain loops. What C leaves open and we rely on
 * stands in c/support.ts; beyond that `int` must have 32 bits.
 */

import {
  nameOf,
  type Printing,
  printAccess,
  printCondition,
  printExpr,
  printPlace,
  use,
} from "./c/expression.ts";
import { namer } from "./c/names.ts";
import { SUPPORT_NAMES, type SupportName } from "./c/support.ts";
import {
  type Buffer,
  bodiesOf,
  type Expr,
  expressionsOf,
  type Kernel,
  parts,
  type Statement,
} from "./language.ts";
import { inPairs, isLoadLet, type LoadLet, type Store } from "./pairs.ts";
import { writtenBy } from "./routine.ts";

const COLUMNS = 100;

export interface PrintedKernel {
  /** The definition of a `static` function, ended by a newline. */
  readonly text: string;
  /** What of c/support.ts it calls. */
  readonly support: ReadonlySet<SupportName>;
}

/** C types of elements. 4-bit values are read out of bytes. */
export const C_TYPES: Readonly<Record<Exclude<Buffer["type"], "f32">, string>> = {
  s8: "int8_t",
  u8: "uint8_t",
  s4: "uint8_t",
  s16: "int16_t",
  s32: "int32_t",
};

/**
 * Print one kernel.
 *
 * name     of the function; must be a C identifier
 * throws   an internal error for f32, which devices here do not have
 */
export function printKernel(kernel: Kernel, name: string): PrintedKernel {
  const claim = namer([...SUPPORT_NAMES, name]);
  const usage = usageOf(kernel);
  const names = new Map(kernel.buffers.map((buffer) => [buffer.name, claim(buffer.name)]));
  for (const variable of usage.types.keys()) names.set(variable, claim(variable));
  const printing: Body = {
    kernel: kernel.name,
    names,
    support: new Set(),
    unrolled: usage.unrolled,
    usage,
    claim,
    lines: [],
  };
  for (const buffer of kernel.buffers) {
    if (!usage.buffers.has(buffer.name)) line(printing, 1, `(void)${names.get(buffer.name)};`);
  }
  for (const variable of usage.hoisted) {
    line(printing, 1, `${usage.types.get(variable)} ${names.get(variable)} = 0;`);
  }
  printBlock(printing, kernel.body, 1, usage.hoisted);
  const text = [...head(kernel, name, printing), ...printing.lines, "}", ""].join("\n");
  return { text, support: printing.support };
}

interface Body extends Printing {
  readonly usage: Usage;
  readonly claim: (name: string) => string;
  readonly lines: string[];
}

function head(kernel: Kernel, name: string, printing: Printing): string[] {
  const written = writtenBy(kernel);
  const parameters = kernel.buffers.map((buffer) => {
    if (buffer.type === "f32")
      throw new Error(`internal: ${kernel.name} uses f32, which has no C form`);
    const isConst = written.has(buffer.name) ? "" : "const ";
    return `${isConst}${C_TYPES[buffer.type]} *${nameOf(printing, buffer.name)}`;
  });
  const shapes = kernel.buffers.map(
    (buffer) => `${nameOf(printing, buffer.name)} ${buffer.type}[${buffer.shape.join(",")}]`,
  );
  return [
    ...broken(`/* ${shapes.join(", ")} */`, "", "   "),
    ...broken(`static void ${name}(${parameters.join(", ")}) {`, "", "    "),
  ];
}

function line(printing: Body, depth: number, text: string): void {
  const indent = "  ".repeat(depth);
  printing.lines.push(...broken(text, indent, `${indent}    `));
}

/** Break a long line after the last comma or operator that stands in the fewest parentheses. */
function broken(text: string, indent: string, continuation: string): string[] {
  if (indent.length + text.length <= COLUMNS) return [indent + text];
  let [depth, best, bestDepth] = [0, -1, Number.POSITIVE_INFINITY];
  for (let i = 0; i < Math.min(text.length, COLUMNS - indent.length); i++) {
    if (text[i] === "(" || text[i] === "[") depth++;
    if (text[i] === ")" || text[i] === "]") depth--;
    const isBreak = text[i] === " " && /[=,+*|&?:<>;^-]/.test(text[i - 1] ?? "");
    const isFar = i >= (COLUMNS - indent.length) / 5;
    if (isBreak && isFar && depth <= bestDepth) [best, bestDepth] = [i, depth];
  }
  if (best < 0) return [indent + text];
  const rest = broken(text.slice(best + 1), continuation, continuation);
  return [indent + text.slice(0, best), ...rest];
}

/** visible: variables that a block around this one declares. */
function printBlock(
  printing: Body,
  body: readonly Statement[],
  depth: number,
  visible: ReadonlySet<string>,
): void {
  const here = new Set(visible);
  for (const step of inPairs(body)) {
    if (printPair(printing, step, depth, here)) continue;
    for (const statement of step) printStatement(printing, statement, depth, here);
  }
}

/** Two statements as one where they move neighbours; false if they do not. */
function printPair(
  printing: Body,
  [first, second]: readonly Statement[],
  depth: number,
  here: Set<string>,
): boolean {
  if (second === undefined) return false;
  if (isLoadLet(first) && isLoadLet(second)) {
    return printLoadPair(printing, [first, second], depth, here);
  }
  if (first.op !== "store" || second.op !== "store" || first.buffer.type !== "s32") return false;
  const values = [first, second].map(({ value }) => printExpr(printing, value));
  const to = printPlace(printing, first.buffer, first.index);
  line(printing, depth, `${use(printing, "store_pair_s32", to, ...values)};`);
  return true;
}

function printLoadPair(
  printing: Body,
  pair: readonly LoadLet[],
  depth: number,
  here: Set<string>,
): boolean {
  const [{ buffer, index }] = pair.map(({ value }) => value);
  const variables = pair.map(({ variable }) => variable.name);
  const areNew = variables.every((name) => !here.has(name) && printing.usage.read.has(name));
  if (!areNew || (buffer.type !== "s32" && buffer.type !== "s16")) return false;
  const names = variables.map((name) => nameOf(printing, name));
  for (const name of variables) here.add(name);
  line(printing, depth, `int32_t ${names.join(", ")};`);
  const places = names.map((name) => `&${name}`);
  const from = printPlace(printing, buffer, index);
  line(printing, depth, `${use(printing, `load_pair_${buffer.type}`, from, ...places)};`);
  return true;
}

function printStatement(
  printing: Body,
  statement: Statement,
  depth: number,
  here: Set<string>,
): void {
  switch (statement.op) {
    case "for":
      if (statement.unrolled) printing.support.add("UNROLLED");
      line(
        printing,
        depth,
        `${statement.unrolled ? "UNROLLED " : ""}${loopHead(printing, statement)} {`,
      );
      printBlock(printing, statement.body, depth + 1, new Set([...here, statement.variable.name]));
      return line(printing, depth, "}");
    case "let":
    case "set": {
      const { name, type } = statement.variable;
      if (!printing.usage.read.has(name)) return;
      if (here.has(name)) return line(printing, depth, assignment(printing, name, statement.value));
      here.add(name);
      const value = initial(printing, statement.value);
      return line(printing, depth, `${SCALARS[type]} ${nameOf(printing, name)} = ${value};`);
    }
    case "store":
      return line(printing, depth, storing(printing, statement));
    case "when":
      return printWhen(printing, statement, depth, here);
    default:
      return statement satisfies never;
  }
}

const SCALARS = { s32: "int32_t", s64: "int64_t", f32: "float" };

/** The target of an assignment has a type: a constant needs none. */
function initial(printing: Printing, value: Expr): string {
  const isSmall = value.op === "constant" && Math.abs(value.value) < 2 ** 31;
  return isSmall ? `${value.value}` : printExpr(printing, value);
}

/** `acc += product` where the variable is the left operand. */
function assignment(printing: Printing, variable: string, value: Expr): string {
  const name = nameOf(printing, variable);
  const isTarget = (expr: Expr): boolean => expr.op === "variable" && expr.name === variable;
  const isMultiplyAdd = value.op === "add" && value.b.op === "mulShift" && value.b.shift === 32;
  const isSum = value.op === "add" || value.op === "sub" || value.op === "mul";
  if (isSum && isTarget(value.a) && !isMultiplyAdd) {
    const { op, b } = value;
    if (op === "mul") return `${name} *= ${initial(printing, b)};`;
    const turned = b.op === "constant" && b.value < 0 && b.value > -(2 ** 31);
    const right: Expr = turned ? { ...b, value: -b.value } : b;
    return `${name} ${(op === "add") !== turned ? "+=" : "-="} ${initial(printing, right)};`;
  }
  return `${name} = ${initial(printing, value)};`;
}

function storing(printing: Printing, { buffer, index, value }: Store): string {
  if (buffer.type === "s4")
    throw new Error(`internal: ${printing.kernel} writes s4, which is read-only`);
  if (buffer.type === "f32")
    throw new Error(`internal: ${printing.kernel} uses f32, which has no C form`);
  const target = printAccess(printing, buffer, index);
  if (buffer.type === "s32") return `${target} = ${printExpr(printing, value)};`;
  const operand = printExpr(printing, value, "unary");
  return `${target} = (${C_TYPES[buffer.type]})${operand};`;
}

type When = Extract<Statement, { op: "when" }>;

function printWhen(
  printing: Body,
  statement: When,
  depth: number,
  here: Set<string>,
  lead = "",
): void {
  const { condition, then, otherwise } = statement;
  line(printing, depth, `${lead}if (${printCondition(printing, condition)}) {`);
  printBlock(printing, then, depth + 1, here);
  const [next] = otherwise;
  if (next?.op === "when" && otherwise.length === 1) {
    return printWhen(printing, next, depth, here, "} else ");
  }
  if (otherwise.length > 0) {
    line(printing, depth, "} else {");
    printBlock(printing, otherwise, depth + 1, here);
  }
  line(printing, depth, "}");
}

type For = Extract<Statement, { op: "for" }>;

/** The language evaluates the end once; so does C, where it could change meanwhile. */
function loopHead(printing: Body, { variable, from, to, step, body }: For): string {
  const name = nameOf(printing, variable.name);
  const start = `int32_t ${name} = ${printExpr(printing, from)}`;
  const next = step === 1 ? `${name}++` : `${name} += ${step}`;
  const assigned = assignedIn(body);
  const isFixed = (expr: Expr): boolean =>
    expr.op !== "load" &&
    !(expr.op === "variable" && assigned.has(expr.name)) &&
    parts(expr).every(isFixed);
  if (isFixed(to)) return `for (${start}; ${name} < ${printExpr(printing, to, "sum")}; ${next})`;
  const end = printing.claim(`${name}_end`);
  return `for (${start}, ${end} = ${printExpr(printing, to)}; ${name} < ${end}; ${next})`;
}

function assignedIn(body: readonly Statement[]): ReadonlySet<string> {
  const inner = body.flatMap((statement) => [...assignedIn(bodiesOf(statement).flat())]);
  const own = body.flatMap((s) => (s.op === "let" || s.op === "set" ? [s.variable.name] : []));
  return new Set([...own, ...inner]);
}

interface Usage {
  /** C type of every variable. */
  readonly types: ReadonlyMap<string, string>;
  readonly read: ReadonlySet<string>;
  readonly buffers: ReadonlySet<string>;
  /** Variables of loops that C is asked to write out. */
  readonly unrolled: ReadonlySet<string>;
  /** Variables in use outside of the block that declares them. */
  readonly hoisted: ReadonlySet<string>;
}

/** C scopes variables by block, the language by kernel: find those that need the wider scope. */
function usageOf(kernel: Kernel): Usage {
  const types = new Map<string, string>();
  const [read, buffers, hoisted] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const [loops, unrolled] = [new Set<string>(), new Set<string>()];
  const visitExpr = (expr: Expr, here: ReadonlySet<string>): void => {
    if (expr.op === "load") buffers.add(expr.buffer.name);
    if (expr.op === "variable") {
      read.add(expr.name);
      if (!here.has(expr.name)) hoisted.add(expr.name);
    }
    for (const part of parts(expr)) visitExpr(part, here);
  };
  const visit = (body: readonly Statement[], visible: ReadonlySet<string>): void => {
    const here = new Set(visible);
    for (const statement of body) {
      for (const expr of expressionsOf(statement)) visitExpr(expr, here);
      if (statement.op === "store") buffers.add(statement.buffer.name);
      if (statement.op === "let" || statement.op === "set" || statement.op === "for") {
        types.set(statement.variable.name, SCALARS[statement.variable.type]);
      }
      if (statement.op === "let") here.add(statement.variable.name);
      if (statement.op === "set" && !here.has(statement.variable.name)) {
        hoisted.add(statement.variable.name);
      }
      if (statement.op === "for") {
        loops.add(statement.variable.name);
        if (statement.unrolled) unrolled.add(statement.variable.name);
      }
      const inner = statement.op === "for" ? new Set([...here, statement.variable.name]) : here;
      for (const nested of bodiesOf(statement)) visit(nested, inner);
    }
  };
  visit(kernel.body, new Set());
  const escaped = [...loops].find((name) => hoisted.has(name));
  if (escaped !== undefined) {
    throw new Error(
      `internal: ${kernel.name} reads the loop variable ${escaped} outside of its loop`,
    );
  }
  return {
    types,
    read,
    buffers,
    unrolled,
    hoisted: new Set([...hoisted].filter((name) => read.has(name))),
  };
}
