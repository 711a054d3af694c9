/**
 * The interpreter: the definition of the loop language. Every other consumer must equal it.
 *
 * It turns a kernel into closures and runs them one after the other, checking what the language
 * forbids: an index out of its axis, an s32 or s64 that overflows, a shift by less than 0 or by the
 * width or more.
 */

import {
  arrayOf,
  type Bindings,
  type Environment,
  flat,
  numeric,
  slotOf,
  wide,
} from "./interpret-expression.ts";
import { type Buffer, bitsOf, type Expr, type Kernel, type Statement, sizeOf } from "./language.ts";
import { chunkItems, phasesOf, reachOf } from "./phases.ts";
import type { Program } from "./plan.ts";
import { type Call, type Role, type TypedArray, viewOf } from "./routine.ts";

type Action = () => void;

/**
 * Run one kernel.
 *
 * bindings  a typed array for each buffer (bytes for s4); written ones are changed in place
 * throws    RangeError where the kernel breaks a rule of the language
 */
export function interpret(kernel: Kernel, bindings: Bindings): void {
  compileKernel(kernel, bindings)();
}

/** A program's memory with named views, and a way to run it; the same shape as wasm's runner. */
export interface Runner {
  /** A live view of a storage. */
  view(name: string): TypedArray;
  run(): void;
}

/**
 * A program made ready to be interpreted.
 *
 * onCall   called after each call (each item of it) with its index: for progress on slow machines
 */
export function interpreter(program: Program, onCall?: (index: number) => void): Runner {
  const regions = new Map<Role, ArrayBuffer>();
  for (const [role, bytes] of Object.entries(program.regionBytes)) {
    regions.set(role as Role, new ArrayBuffer(Math.ceil(bytes / 8) * 8));
  }
  const views = new Map<string, TypedArray>();
  for (const { name, type, shape: full, role, address, data, local } of program.storage) {
    const shape = local === undefined ? full : [sizeOf(full) / local.items];
    const view = viewOf(type, shape, regions.get(role) ?? new ArrayBuffer(0), address);
    if (data !== undefined) view.set(data);
    views.set(name, view);
  }
  const view = (name: string): TypedArray => {
    const found = views.get(name);
    if (found === undefined) throw new RangeError(`interpreter: unknown storage ${name}`);
    return found;
  };
  const placed = new Map(program.storage.map((storage) => [storage.name, storage]));
  const partOf = ({ kernel, arguments: names, each }: Call, k: number, item: number) => {
    const storage = placed.get(names[k]);
    const parameter = kernel.buffers[k];
    const whole = view(names[k]);
    if (storage === undefined || each === undefined) return whole;
    const reach = storage.local === undefined ? reachOf(storage, parameter, each) : "whole";
    const size = sizeOf(parameter.shape);
    const index = reach === "item" ? item : Math.floor(item / chunkItems(each));
    const start = reach === "whole" ? 0 : index * size;
    return whole.subarray(start, start + size);
  };
  const actionOf = (call: Call, item: number): Action => {
    const { kernel } = call;
    const bindings = kernel.buffers.map(({ name }, k) => [name, partOf(call, k, item)]);
    return compileKernel(kernel, Object.fromEntries(bindings));
  };
  const actions = phasesOf(program.calls).flatMap(({ first, last, each }) => {
    const calls = program.calls.slice(first, last + 1);
    return Array.from({ length: each?.items ?? 1 }, (_, item) =>
      calls.map((call, i) => ({ index: first + i, action: actionOf(call, item) })),
    ).flat();
  });
  return {
    view,
    run: () => {
      for (const { index, action } of actions) {
        action();
        onCall?.(index);
      }
    },
  };
}

function compileKernel(kernel: Kernel, bindings: Bindings): Action {
  const environment: Environment = {
    kernel: kernel.name,
    bindings,
    slots: new Map(),
    numbers: [],
    wides: [],
  };
  return block(kernel.body, environment);
}

function block(body: readonly Statement[], environment: Environment): Action {
  const actions = body.map((statement) => action(statement, environment));
  if (actions.length === 1) return actions[0];
  if (actions.length === 2) {
    const [first, second] = actions;
    return () => {
      first();
      second();
    };
  }
  return () => {
    for (let i = 0; i < actions.length; i++) actions[i]();
  };
}

function action(statement: Statement, environment: Environment): Action {
  const { numbers, wides } = environment;
  switch (statement.op) {
    case "for": {
      const slot = slotOf(statement.variable, environment);
      const [from, to] = [numeric(statement.from, environment), numeric(statement.to, environment)];
      const [body, step] = [block(statement.body, environment), statement.step];
      return () => {
        const end = to();
        for (let i = from(); i < end; i += step) {
          numbers[slot] = i;
          body();
        }
      };
    }
    case "let":
    case "set": {
      const slot = slotOf(statement.variable, environment);
      if (statement.variable.type === "s64") {
        const value = wide(statement.value, environment);
        return () => {
          wides[slot] = value();
        };
      }
      const value = numeric(statement.value, environment);
      return () => {
        numbers[slot] = value();
      };
    }
    case "store":
      return storing(statement.buffer, statement.index, statement.value, environment);
    case "when": {
      const condition = numeric(statement.condition, environment);
      const then = block(statement.then, environment);
      const otherwise = block(statement.otherwise, environment);
      return () => {
        if (condition() !== 0) then();
        else otherwise();
      };
    }
    default:
      return statement satisfies never;
  }
}

function storing(
  buffer: Buffer,
  index: readonly Expr[],
  value: Expr,
  environment: Environment,
): Action {
  const data = arrayOf(buffer, environment);
  const [position, element] = [flat(buffer, index, environment), numeric(value, environment)];
  if (bitsOf(buffer.type) === 4) throw new RangeError(`${environment.kernel}: s4 is read-only`);
  return () => {
    data[position()] = element();
  };
}
