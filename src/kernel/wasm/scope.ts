/**
 * What the encoder knows while it writes one function: its code, its locals, and the addresses it
 * has already computed.
 *
 * Addresses: on entry of each loop the part of every address below that has just become known is
 * added to the part known before and kept in a local ("pointer"). So an inner loop adds only what
 * changes in it, and accesses that differ by a constant share one pointer and differ in the
 * instruction's immediate offset.
 */

import { type Affine, addressOf, type Term } from "../affine.ts";
import {
  type Buffer,
  bitsOf,
  bodiesOf,
  type Expr,
  expressionsOf,
  parts,
  type Scalar,
  type Statement,
} from "../language.ts";
import { OP, signed, TYPE, unsigned } from "./bytes.ts";
import type { Part } from "./parts.ts";

type For = Extract<Statement, { op: "for" }>;

export interface Lane {
  readonly variable: string;
  /** Vectors of four lanes that one iteration handles. */
  readonly vectors: number;
  /** Variables whose value differs between lanes. */
  readonly varying: ReadonlySet<string>;
  /** Variables that are the same in all lanes and declared once, by their vector of four copies. */
  readonly splats: Map<string, number>;
  /** Variables that are set after their declaration. */
  readonly changing: ReadonlySet<string>;
}

export interface Scope {
  readonly code: number[];
  readonly localTypes: number[];
  /** Base address of each buffer. */
  readonly parameters: ReadonlyMap<string, number>;
  readonly scalars: Map<string, number>;
  readonly vectors: Map<string, readonly number[]>;
  readonly pointers: ReadonlyMap<string, number>;
  readonly loopVariables: ReadonlySet<string>;
  /** Loop variables that are known never to be below 0. */
  readonly nonNegative: ReadonlySet<string>;
  readonly lane?: Lane;
  /** Which share of the parallel loops is written. */
  readonly part: Part;
  /** Affine forms already found, by the index they are of. */
  readonly affines: Map<readonly Expr[], Affine>;
  /** Lists of terms by their key: accesses to one buffer that differ by a constant have one list. */
  readonly forms: Map<string, readonly Term[]>;
  /** What is known here of each list of terms. */
  readonly reached: Map<readonly Term[], Reached>;
  /** Accesses already collected, by the statements below which they are. */
  readonly accesses: Map<readonly Statement[], readonly Access[]>;
  /** Products that are added may be fused, with one rounding. */
  readonly fused: boolean;
}

/** A list of terms inside a nest of loops. */
interface Reached {
  /** Terms that are loop variables, and the local with their sum, if it is kept. */
  readonly inLoops: readonly Term[];
  readonly pointer: number | undefined;
  readonly late: readonly Term[];
  /** Nothing that is added is below 0, so a constant may be added by the instruction. */
  readonly isMonotone: boolean;
}

export function emit({ code }: Scope, ...bytes: number[]): void {
  for (const byte of bytes) code.push(byte);
}

/** One opcode and an unsigned immediate, by far the most frequent: without lists. */
function emitWith({ code }: Scope, opcode: number, immediate: number): void {
  code.push(opcode);
  if (immediate < 0x80) code.push(immediate);
  else code.push(...unsigned(immediate));
}

export function newLocal(scope: Scope, type: number): number {
  scope.localTypes.push(type);
  return scope.parameters.size + scope.localTypes.length - 1;
}

export function getLocal(scope: Scope, local: number): void {
  emitWith(scope, OP.localGet, local);
}

export function setLocal(scope: Scope, local: number): void {
  emitWith(scope, OP.localSet, local);
}

export function constant(scope: Scope, value: number): void {
  emit(scope, OP.i32Const, ...signed(value));
}

/** The affine form of an access; an index list belongs to one access. */
export function affineOf(scope: Scope, buffer: Buffer, index: readonly Expr[]): Affine {
  const known = scope.affines.get(index);
  if (known !== undefined) return known;
  const { offset, terms: own } = addressOf(buffer, index);
  const key = pointerKey(buffer, own);
  const terms = scope.forms.get(key) ?? own;
  scope.forms.set(key, terms);
  const affine = { offset, terms };
  scope.affines.set(index, affine);
  return affine;
}

/** The local of a uniform variable, made on first sight. */
export function scalarLocal(scope: Scope, name: string, type: Scalar): number {
  const known = scope.scalars.get(name);
  if (known !== undefined) return known;
  const types = { s32: TYPE.i32, s64: TYPE.i64, f32: TYPE.f32 };
  const local = newLocal(scope, types[type]);
  scope.scalars.set(name, local);
  return local;
}

/** The locals of a varying variable, one a vector. */
export function vectorLocals(scope: Scope, name: string): readonly number[] {
  const count = scope.lane?.vectors ?? 1;
  const known = scope.vectors.get(name) ?? [];
  if (known.length >= count) return known;
  const more = Array.from({ length: count - known.length }, () => newLocal(scope, TYPE.v128));
  const locals = [...known, ...more];
  scope.vectors.set(name, locals);
  return locals;
}

/**
 * Bytes an element step moves an address; an s4 address counts elements and is halved at the
 * access.
 */
function stepOf(buffer: Buffer): number {
  return buffer.type === "s4" ? 1 : bitsOf(buffer.type) / 8;
}

function pointerKey(buffer: Buffer, terms: readonly Term[]): string {
  return `${buffer.name}|${terms.map(({ key, coefficient }) => `${key}*${coefficient}`).join("+")}`;
}

function pointerOf({ pointers }: Scope, buffer: Buffer, terms: readonly Term[]) {
  return terms.length === 0 ? undefined : pointers.get(pointerKey(buffer, terms));
}

function pushPointer(scope: Scope, buffer: Buffer, terms: readonly Term[]): void {
  const local = pointerOf(scope, buffer, terms);
  if (local !== undefined) return getLocal(scope, local);
  if (buffer.type === "s4") constant(scope, 0);
  else getLocal(scope, parameterOf(scope, buffer));
  for (const { key, coefficient } of terms) {
    getLocal(scope, scalarLocal(scope, key, "s32"));
    addScaled(scope, coefficient * stepOf(buffer));
  }
}

/** The local that holds a buffer's base address. */
export function parameterOf(scope: Scope, buffer: Buffer): number {
  const parameter = scope.parameters.get(buffer.name);
  if (parameter === undefined)
    throw new Error(`internal: ${buffer.name} is no argument of the kernel`);
  return parameter;
}

/**
 * Push the address of an access.
 *
 * pushTerm  pushes the value of a term that is no loop variable
 * beyond    elements that are added, of an access that is inside its buffer without them, too
 * returns   the immediate offset (bytes) for the instruction; for s4 the element index is pushed,
 *           offset 0
 */
export function pushAddress(
  scope: Scope,
  buffer: Buffer,
  { offset, terms }: Affine,
  pushTerm: (expr: Expr) => void,
  beyond = 0,
): number {
  const { inLoops, pointer, late, isMonotone } = reachedOf(scope, buffer, terms);
  if (pointer !== undefined) getLocal(scope, pointer);
  else pushPointer(scope, buffer, inLoops);
  for (const { expr, coefficient } of late) {
    pushTerm(expr);
    addScaled(scope, coefficient * stepOf(buffer));
  }
  const isBytes = buffer.type !== "s4";
  const moved = isBytes ? beyond * stepOf(buffer) : 0;
  const bytes = (isBytes ? offset : offset + beyond) * stepOf(buffer);
  if (bytes >= 0 && isMonotone && isBytes) return bytes + moved;
  if (bytes !== 0) {
    constant(scope, bytes);
    emit(scope, OP.i32Add);
  }
  return moved;
}

function reachedOf(scope: Scope, buffer: Buffer, terms: readonly Term[]): Reached {
  const known = scope.reached.get(terms);
  if (known !== undefined) return known;
  const { loopVariables, nonNegative } = scope;
  const inLoops = terms.filter(({ key }) => loopVariables.has(key));
  const reached: Reached = {
    inLoops,
    pointer: pointerOf(scope, buffer, inLoops),
    late: terms.filter(({ key }) => !loopVariables.has(key)),
    isMonotone: terms.every(({ key, coefficient }) => coefficient > 0 && nonNegative.has(key)),
  };
  scope.reached.set(terms, reached);
  return reached;
}

function addScaled(scope: Scope, factor: number): void {
  if (factor !== 1) {
    constant(scope, factor);
    emit(scope, OP.i32Mul);
  }
  emit(scope, OP.i32Add);
}

/** A loop being written: the scope inside, and what moves its pointers on. */
export interface Entered {
  readonly scope: Scope;
  /** Write the increments of the pointers, at the end of an iteration. */
  advance(): void;
}

/** Write, in front of a loop, the pointers that its variable makes known. */
export function enterLoop(scope: Scope, loop: For): Entered {
  const { from, body, step } = loop;
  const variable = loop.variable.name;
  const pointers = new Map(scope.pointers);
  const loopVariables = new Set([...scope.loopVariables, variable]);
  const counter = scalarLocal(scope, variable, "s32");
  const moving: { local: number; bytes: number }[] = [];
  for (const { buffer, affine } of accessesOf(scope, body)) {
    const known = affine.terms.filter(({ key }) => loopVariables.has(key));
    const mine = known.find(({ key }) => key === variable);
    const key = pointerKey(buffer, known);
    if (mine === undefined || pointers.has(key)) continue;
    pushPointer(
      scope,
      buffer,
      known.filter((term) => term !== mine),
    );
    getLocal(scope, counter);
    const bytes = mine.coefficient * stepOf(buffer);
    addScaled(scope, bytes);
    const local = newLocal(scope, TYPE.i32);
    setLocal(scope, local);
    pointers.set(key, local);
    moving.push({ local, bytes: bytes * step });
  }
  const isFromZeroUp = from.op === "constant" ? from.value >= 0 : isNonNegative(from, scope);
  const nonNegative = isFromZeroUp ? new Set([...scope.nonNegative, variable]) : scope.nonNegative;
  const advance = (): void => {
    for (const { local, bytes } of moving) {
      getLocal(scope, local);
      constant(scope, bytes);
      emit(scope, OP.i32Add);
      setLocal(scope, local);
    }
  };
  const inner = { ...scope, pointers, loopVariables, nonNegative, reached: new Map() };
  return { scope: inner, advance };
}

function isNonNegative(expr: Expr, { nonNegative }: Scope): boolean {
  return expr.op === "variable" && nonNegative.has(expr.name);
}

export interface Access {
  readonly buffer: Buffer;
  readonly affine: Affine;
}

/** Every load and store below some statements, each pointer of them once. */
function accessesOf(scope: Scope, body: readonly Statement[]): readonly Access[] {
  const known = scope.accesses.get(body);
  if (known !== undefined) return known;
  const found = new Map<readonly Term[], Access>();
  const add = (access: Access): void => {
    const { terms } = access.affine;
    if (!found.has(terms)) found.set(terms, access);
  };
  const visitExpr = (expr: Expr): void => {
    if (expr.op === "load") {
      add({ buffer: expr.buffer, affine: affineOf(scope, expr.buffer, expr.index) });
    }
    parts(expr).forEach(visitExpr);
  };
  for (const statement of body) {
    expressionsOf(statement).forEach(visitExpr);
    if (statement.op === "store") {
      const { buffer, index } = statement;
      add({ buffer, affine: affineOf(scope, buffer, index) });
    }
    for (const inner of bodiesOf(statement)) accessesOf(scope, inner).forEach(add);
  }
  const accesses = [...found.values()];
  scope.accesses.set(body, accesses);
  return accesses;
}
