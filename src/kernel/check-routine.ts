/** Whether the calls of a routine fit its storage. */

import { mismatch } from "../errors.ts";
import { sizeOf } from "./language.ts";
import { reachOf } from "./phases.ts";
import type { Routine } from "./routine.ts";

/**
 * Check names, types and sizes of every call.
 *
 * throws   RangeError naming the call and the argument
 */
export function checkRoutine({ storage, calls }: Routine): void {
  const byName = new Map(storage.map((s) => [s.name, s]));
  if (byName.size !== storage.length) {
    const names = storage.map(({ name }) => name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    throw mismatch("routine", "storage names", { expected: "unique", got: twice });
  }
  for (const { label, kernel, arguments: names, each } of calls) {
    kernel.buffers.forEach((parameter, i) => {
      const target = byName.get(names[i]);
      if (target === undefined || reachOf(target, parameter, each) === undefined) {
        const got = target && `${target.type} ${sizeOf(target.shape)}`;
        const times = each ? ` (or ${each.items} or ${each.chunks} times it)` : "";
        const expected = `${parameter.type} ${sizeOf(parameter.shape)}${times}`;
        throw mismatch(`call ${label}`, `argument ${parameter.name} (${names[i]})`, {
          expected,
          got,
        });
      }
    });
  }
}
