/**
 * Kernels as WebAssembly functions: statements and loops.
 *
 * A `lanes` loop becomes three: whole groups of vectors, single vectors, and a scalar rest, from
 * the same body. Where the body has no vector form (a branch on a lane, s64, a store that is not
 * contiguous) all of it runs in the scalar one.
 */

import { bodiesOf, expressionsOf, type Kernel, type Statement } from "../language.ts";
import { inPairs } from "../pairs.ts";
import { join, OP, TYPE, unsigned } from "./bytes.ts";
import { type Part, shareOf, WHOLE } from "./parts.ts";
import { pushScalar } from "./scalar.ts";
import {
  affineOf,
  constant,
  emit,
  enterLoop,
  getLocal,
  type Lane,
  newLocal,
  pushAddress,
  type Scope,
  scalarLocal,
  setLocal,
  vectorLocals,
} from "./scope.ts";
import {
  canStoreVector,
  hasVectorForm,
  isVarying,
  pushVector,
  splat,
  storeVector,
} from "./vector.ts";
import { loadPairs, storePairs, vectorPair } from "./vector-pairs.ts";

type For = Extract<Statement, { op: "for" }>;
type Store = Extract<Statement, { op: "store" }>;

const LANES = 4;

/**
 * The body of a function (locals and code, without its size) whose parameters are the buffers'
 * addresses.
 */
export function encodeKernel(
  kernel: Kernel,
  { part = WHOLE, fused = false }: { part?: Part; fused?: boolean } = {},
): Uint8Array {
  const scope: Scope = {
    code: [],
    localTypes: [],
    parameters: new Map(kernel.buffers.map(({ name }, i) => [name, i])),
    scalars: new Map(),
    vectors: new Map(),
    pointers: new Map(),
    loopVariables: new Set(),
    nonNegative: new Set(),
    part,
    affines: new Map(),
    forms: new Map(),
    reached: new Map(),
    accesses: new Map(),
    fused,
  };
  encodeBody(scope, kernel.body);
  const locals = scope.localTypes.flatMap((type) => [1, type]);
  const count = unsigned(scope.localTypes.length);
  scope.code.push(OP.end);
  return join([new Uint8Array([...count, ...locals]), new Uint8Array(scope.code)]);
}

function encodeBody(scope: Scope, body: readonly Statement[]): void {
  for (const step of inPairs(body)) {
    if (!encodePair(scope, step)) for (const statement of step) encodeStatement(scope, statement);
  }
}

/** Neighbours that differ between lanes, together; false if there are none. */
function encodePair(scope: Scope, step: readonly Statement[]): boolean {
  const { lane } = scope;
  const pair = lane && vectorPair(scope, step, lane);
  if (lane === undefined || pair === undefined) return false;
  const names = step.flatMap((s) => (s.op === "let" ? [s.variable.name] : []));
  for (let u = 0; u < lane.vectors; u++) {
    if (pair.values) storePairs(scope, lane, pair.access, pair.values, u);
    else loadPairs(scope, lane, pair.access, names, u);
  }
  return true;
}

function encodeStatement(scope: Scope, statement: Statement): void {
  const { lane } = scope;
  switch (statement.op) {
    case "for":
      if (statement.parallel && scope.part.parts > 1) {
        const share = shareOf(statement, scope.part);
        // loops inside are not cut again
        if (share !== undefined) encodeStatement({ ...scope, part: WHOLE }, share);
        return;
      }
      if (statement.lanes > 0 && lane === undefined) return encodeLanes(scope, statement);
      return encodeFor(scope, statement);
    case "let":
    case "set": {
      const { name, type } = statement.variable;
      if (lane?.varying.has(name)) {
        const locals = vectorLocals(scope, name);
        for (let u = 0; u < lane.vectors; u++) {
          pushVector(scope, lane, statement.value, u);
          setLocal(scope, locals[u]);
        }
        return;
      }
      if (lane !== undefined && type === "f32" && !lane.changing.has(name)) {
        const local = lane.splats.get(name) ?? newLocal(scope, TYPE.v128);
        lane.splats.set(name, local);
        splat(scope, statement.value);
        return setLocal(scope, local);
      }
      pushScalar(scope, statement.value);
      return setLocal(scope, scalarLocal(scope, name, type));
    }
    case "store":
      if (lane === undefined) return encodeStore(scope, statement);
      for (let u = 0; u < lane.vectors; u++) storeVector(scope, lane, statement, u);
      return;
    case "when":
      pushScalar(scope, statement.condition);
      emit(scope, OP.if, TYPE.empty);
      encodeBody(scope, statement.then);
      if (statement.otherwise.length > 0) emit(scope, OP.else);
      encodeBody(scope, statement.otherwise);
      return emit(scope, OP.end);
    default:
      return statement satisfies never;
  }
}

function encodeStore(scope: Scope, { buffer, index, value }: Store): void {
  const affine = affineOf(scope, buffer, index);
  const offset = pushAddress(scope, buffer, affine, (expr) => pushScalar(scope, expr));
  pushScalar(scope, value);
  const opcodes = {
    s8: OP.i32Store8,
    u8: OP.i32Store8,
    s4: OP.i32Store8,
    s16: OP.i32Store16,
    s32: OP.i32Store,
    f32: OP.f32Store,
  };
  emit(scope, opcodes[buffer.type], 0, ...unsigned(offset));
}

function encodeFor(scope: Scope, loop: For): void {
  const { from, to } = loop;
  pushScalar(scope, from);
  setLocal(scope, scalarLocal(scope, loop.variable.name, "s32"));
  if (from.op === "constant" && to.op === "constant") {
    if (from.value >= to.value) return;
    return repeat(scope, loop, () => constant(scope, to.value), from.value + loop.step < to.value);
  }
  const end = newLocal(scope, TYPE.i32);
  pushScalar(scope, to);
  setLocal(scope, end);
  emit(scope, OP.block, TYPE.empty);
  getLocal(scope, scalarLocal(scope, loop.variable.name, "s32"));
  getLocal(scope, end);
  emit(scope, OP.i32GeS, OP.brIf, 0);
  repeat(scope, loop, () => getLocal(scope, end), true);
  emit(scope, OP.end);
}

/** The loop proper: at least one iteration. Without `again` the body runs exactly once. */
function repeat(scope: Scope, loop: For, pushEnd: () => void, again: boolean): void {
  const counter = scalarLocal(scope, loop.variable.name, "s32");
  const { scope: inner, advance } = enterLoop(scope, loop);
  if (again) emit(scope, OP.loop, TYPE.empty);
  encodeBody(inner, loop.body);
  if (!again) return;
  advance();
  getLocal(scope, counter);
  constant(scope, loop.step);
  emit(scope, OP.i32Add, OP.localTee, ...unsigned(counter));
  pushEnd();
  emit(scope, OP.i32LtS, OP.brIf, 0, OP.end);
}

function encodeLanes(scope: Scope, loop: For): void {
  const { variable, body, to } = loop;
  const extent = to.op === "constant" ? to.value : 0;
  const first = loop.from.op === "constant" ? loop.from.value : 0;
  const changing = changingIn(body);
  const plain = { variable: variable.name, vectors: loop.lanes, changing };
  const lane: Lane = { ...plain, varying: new Set(), splats: new Map() };
  const varying = varyingIn(body, lane);
  const isVector = extent - first >= LANES && canEncodeAll(scope, body, { ...lane, varying });
  let done = first;
  for (const vectors of isVector ? [loop.lanes, 1] : []) {
    const step = LANES * vectors;
    const end = extent - ((extent - done) % step);
    if (end <= done) continue;
    const inner: Scope = { ...scope, lane: { ...lane, vectors, varying, splats: new Map() } };
    encodeFor(inner, { ...loop, ...bounds(done, end), step });
    done = end;
  }
  if (done < extent) encodeFor(scope, { ...loop, ...bounds(done, extent) });
}

function bounds(from: number, to: number): Pick<For, "from" | "to"> {
  return {
    from: { op: "constant", type: "s32", value: from },
    to: { op: "constant", type: "s32", value: to },
  };
}

/** Variables that are assigned again after their declaration. */
function changingIn(body: readonly Statement[]): ReadonlySet<string> {
  const changing = new Set<string>();
  const visit = (statement: Statement): void => {
    if (statement.op === "set") changing.add(statement.variable.name);
    for (const inner of bodiesOf(statement)) inner.forEach(visit);
  };
  body.forEach(visit);
  return changing;
}

/** Variables that some assignment makes differ between lanes; repeated until nothing is added. */
function varyingIn(body: readonly Statement[], lane: Lane): ReadonlySet<string> {
  const varying = new Set<string>();
  const known = { ...lane, varying };
  const visit = (statement: Statement): void => {
    if (statement.op === "let" || statement.op === "set") {
      const { name } = statement.variable;
      if (!varying.has(name) && isVarying(statement.value, known)) varying.add(name);
    }
    for (const inner of bodiesOf(statement)) inner.forEach(visit);
  };
  for (let before = -1; before < varying.size; ) {
    before = varying.size;
    body.forEach(visit);
  }
  return varying;
}

function canEncodeAll(scope: Scope, body: readonly Statement[], lane: Lane): boolean {
  return inPairs(body).every(
    (step) =>
      vectorPair(scope, step, lane) !== undefined || step.every((s) => canEncode(scope, s, lane)),
  );
}

function canEncode(scope: Scope, statement: Statement, lane: Lane): boolean {
  const expressions = statement.op === "store" ? [statement.value] : expressionsOf(statement);
  if (!expressions.every((expr) => hasVectorForm(expr, lane))) return false;
  const uniformOnly = statement.op === "for" || statement.op === "when";
  if (uniformOnly && expressions.some((expr) => isVarying(expr, lane))) return false;
  if (statement.op === "store" && !canStoreVector(scope, statement.buffer, statement.index, lane))
    return false;
  return bodiesOf(statement).every((body) => canEncodeAll(scope, body, lane));
}
