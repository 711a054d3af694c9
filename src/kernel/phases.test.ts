/** Calls by item: which part of a storage they see, and that their order keeps what they compute. */

import fc from "fast-check";
import { expect, test } from "vitest";
import {
  build as b,
  call,
  compile,
  type Each,
  inPhases,
  interpreter,
  plan,
  type Routine,
} from "./index.ts";
import { chunkItems, phasesOf, shareOfItems } from "./phases.ts";

const each: Each = { items: 7, chunks: 4 };

test("chunks are runs of consecutive items, and threads take whole chunks", () => {
  expect(chunkItems(each)).toBe(2);
  const shares = [0, 1, 2].map((part) => shareOfItems(each, { part, parts: 3 }));
  expect(shares).toEqual([
    [0, 2],
    [2, 4],
    [4, 7],
  ]);
});

/** y = x factor by item, sums of y by chunk, and their total. */
function routine(): Routine {
  const [x, y] = ["x", "y"].map((name) => b.buffer(name, "s32", [2]));
  const [factor, sum] = ["factor", "sum"].map((name) => b.buffer(name, "s32", [1]));
  const scale = b.kernel(
    "scale",
    [x, factor, y],
    [b.lanes("i", 2, (i) => [b.store(y, [i], b.mul(b.load(x, i), b.load(factor, 0)))])],
  );
  const added = b.add(b.load(sum, 0), b.add(b.load(y, 0), b.load(y, 1)));
  const gather = b.kernel("gather", [y, sum], [b.store(sum, [0], added)]);
  const parts = b.buffer("parts", "s32", [4]);
  const total = b.buffer("total", "s32", [1]);
  const all = [0, 1, 2, 3].map((i) => b.load(parts, i)).reduce((a, c) => b.add(a, c) as typeof a);
  const finish = b.kernel("finish", [parts, total], [b.store(total, [0], all)]);
  const storage = [
    { name: "x", type: "s32", shape: [7, 2], role: "input" },
    { name: "factor", type: "s32", shape: [1], role: "input" },
    { name: "y", type: "s32", shape: [7, 2], role: "scratch" },
    { name: "sums", type: "s32", shape: [4], role: "state" },
    { name: "total", type: "s32", shape: [1], role: "output" },
  ] as const;
  const calls = [
    call("scale", scale, { x: "x", factor: "factor", y: "y" }, each),
    call("gather", gather, { y: "y", sum: "sums" }, each),
    call("finish", finish, { parts: "sums", total: "total" }),
  ];
  return { storage, calls };
}

test("an argument is its item's part, its chunk's, or the whole, by its size", () => {
  const program = plan(routine());
  // y is needed by one item at a time only
  expect(program.storage.find(({ name }) => name === "y")?.local?.items).toBe(7);
  for (const runner of [compile(program), interpreter(program)]) {
    runner.view("x").set(Array.from({ length: 14 }, (_, i) => i + 1));
    runner.view("factor").set([10]);
    runner.run();
    // items 1 + 2 | 3 + 4, ... : chunks of two items, of four numbers
    expect([...runner.view("sums")]).toEqual([100, 260, 420, 270]);
    expect([...runner.view("total")]).toEqual([1050]);
  }
});

test("a storage that fits neither an item nor a chunk is refused", () => {
  const { storage, calls } = routine();
  const wrong = storage.map((s) => (s.name === "x" ? { ...s, shape: [6, 2] } : s));
  expect(() => plan({ storage: wrong, calls })).toThrow(
    'call scale: argument x (x) must be s32 2 (or 7 or 4 times it), got "s32 12"',
  );
});

test("two branches share their phases", () => {
  const { storage, calls } = routine();
  const twice = ["a", "b"].map((branch) => ({
    storage: storage.map((s) => ({ ...s, name: `${branch}.${s.name}` })),
    calls: calls.map((one) => ({
      ...one,
      arguments: one.arguments.map((name) => `${branch}.${name}`),
    })),
  }));
  const both = {
    storage: twice.flatMap((one) => one.storage),
    calls: twice.flatMap((one) => one.calls),
  };
  const lengths = (one: Routine) => phasesOf(one.calls).map(({ first, last }) => last - first + 1);
  expect(lengths(both)).toEqual([2, 1, 2, 1]);
  expect(lengths(inPhases(both))).toEqual([4, 1, 1]);
});

test("a late call waits for the phase of the first that needs it", () => {
  const { storage, calls } = routine();
  const [scale, gather, finish] = calls;
  const again = call("again", scale.kernel, { x: "x", factor: "total", y: "y2" }, each);
  const use = call("use", gather.kernel, { y: "y2", sum: "sums2" }, each);
  const early = call("early", scale.kernel, { x: "x", factor: "factor", y: "y2" }, each);
  const more = [
    ...storage,
    { name: "y2", type: "s32", shape: [7, 2], role: "scratch" },
    { name: "sums2", type: "s32", shape: [4], role: "state" },
    { name: "total2", type: "s32", shape: [1], role: "output" },
  ] as const;
  const labels = (late: boolean) => {
    const second = late ? { ...early, late } : early;
    // "use" reads the total as well, which only "finish" makes
    const needs = { ...again, label: "needs total", arguments: ["y2", "total", "x2"] };
    const x2 = { name: "x2", type: "s32", shape: [7, 2], role: "scratch" } as const;
    const list = [scale, gather, finish, second, needs, use];
    return inPhases({ storage: [...more, x2], calls: list }).calls.map(({ label }) => label);
  };
  expect(labels(false)).toEqual(["scale", "gather", "early", "use", "finish", "needs total"]);
  expect(labels(true)).toEqual(["scale", "gather", "finish", "early", "needs total", "use"]);
});

/** Random calls that move numbers between six storages, some by item. */
const moves = fc.array(
  fc.record({
    from: fc.nat(5),
    to: fc.nat(5),
    byItem: fc.boolean(),
    add: fc.integer({ min: 1, max: 9 }),
  }),
  { minLength: 1, maxLength: 12 },
);

test("calls in phases compute what they did in the order in which they were written", () => {
  const items = { items: 3, chunks: 3 };
  fc.assert(
    fc.property(moves, (list) => {
      const storage = [0, 1, 2, 3, 4, 5].map(
        (i) => ({ name: `s${i}`, type: "s32", shape: [3], role: "state" }) as const,
      );
      const calls = list
        .filter(({ from, to }) => from !== to)
        .map(({ from, to, byItem, add }, i) => {
          const size = byItem ? 1 : 3;
          const [x, y] = ["x", "y"].map((name) => b.buffer(name, "s32", [size]));
          const body = b.loop("i", size, (k) => {
            const old = b.mulWrap(b.load(y, k), 3);
            return [b.store(y, [k], b.addWrap(old, b.addWrap(b.load(x, k), add)))];
          });
          const kernel = b.kernel(`move${i}`, [x, y], [body]);
          return call(`c${i}`, kernel, { x: `s${from}`, y: `s${to}` }, byItem ? items : undefined);
        });
      const written = { storage, calls };
      const ordered = inPhases(written);
      expect(new Set(ordered.calls)).toEqual(new Set(calls));
      const [expected, found] = [written, ordered].map((one) => {
        const runner = interpreter(plan(one));
        runner.run();
        return storage.map(({ name }) => [...runner.view(name)]);
      });
      expect(found).toEqual(expected);
    }),
  );
});
