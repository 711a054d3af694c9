import fc from "fast-check";
import { expect, test } from "vitest";
import * as b from "./build.ts";
import { bytesOf } from "./language.ts";
import { plan } from "./plan.ts";
import { call, type Routine, type Storage } from "./routine.ts";

/** A call that names storages; what it computes does not matter to the planner. */
function touching(names: readonly string[], storage: readonly Storage[]) {
  const buffers = names.map((name) => {
    const { type, shape } = storage.find((s) => s.name === name) ?? { type: "s8", shape: [1] };
    return b.buffer(name, type, shape);
  });
  const bindings = Object.fromEntries(names.map((name) => [name, name]));
  return call("touch", b.kernel("touch", buffers, []), bindings);
}

const scratch = (name: string, type: Storage["type"], size: number): Storage => ({
  name,
  type,
  shape: [size],
  role: "scratch",
});

const arbitraryRoutine = fc
  .array(
    fc.record({
      type: fc.constantFrom("s8" as const, "s16" as const, "s32" as const),
      size: fc.integer({ min: 1, max: 40 }),
      uses: fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((list): Routine => {
    const storage = list.map(({ type, size }, i) => scratch(`s${i}`, type, size));
    const calls = Array.from({ length: 10 }, (_, at) =>
      touching(
        list.flatMap(({ uses }, i) => (uses.includes(at) ? [`s${i}`] : [])),
        storage,
      ),
    );
    return { storage, calls };
  });

test("storage that is alive at the same time never overlaps, and the arena is exactly as large", () => {
  fc.assert(
    fc.property(arbitraryRoutine, (routine) => {
      const { storage, regionBytes } = plan(routine);
      for (const [i, a] of storage.entries()) {
        expect(a.address % (bytesOf({ type: a.type, shape: [1] }) || 1)).toBe(0);
        for (const other of storage.slice(i + 1)) {
          const together = a.first <= other.last && other.first <= a.last;
          const apart =
            a.address + bytesOf(a) <= other.address || other.address + bytesOf(other) <= a.address;
          expect(!together || apart).toBe(true);
        }
      }
      const end = Math.max(...storage.map((s) => s.address + bytesOf(s)));
      expect(regionBytes.scratch).toBe(end);
    }),
    { seed: 1 },
  );
});

test("storage that is not alive together shares its place", () => {
  const storage = [scratch("a", "s8", 100), scratch("b", "s8", 60), scratch("c", "s8", 100)];
  const routine = {
    storage,
    calls: [touching(["a", "b"], storage), touching(["b", "c"], storage)],
  };
  expect(plan(routine).regionBytes.scratch).toBe(160);
  expect(plan(routine, { reuse: false }).regionBytes.scratch).toBe(260);
});

test("the parts of a view lie in it, and one that sticks out is refused", () => {
  const whole = scratch("whole", "s8", 10);
  const part = (offset: number): Storage => ({
    ...scratch("part", "s8", 4),
    within: { name: "whole", offset },
  });
  const at = (offset: number) => {
    const storage = [whole, part(offset)];
    return plan({ storage, calls: [touching(["part"], storage), touching(["whole"], storage)] });
  };
  const [root, view] = at(6).storage;
  expect(view.address - root.address).toBe(6);
  expect(root.first).toBe(0);
  expect(() => at(7)).toThrow("plan: view part must be inside whole, got 11");
});

test("a call whose argument has another size is refused by name", () => {
  const storage = [scratch("a", "s8", 4)];
  const kernel = b.kernel("k", [b.buffer("x", "s8", [5])], []);
  expect(() => plan({ storage, calls: [call("layer", kernel, { x: "a" })] })).toThrow(
    'call layer: argument x (a) must be s8 5, got "s8 4"',
  );
});
