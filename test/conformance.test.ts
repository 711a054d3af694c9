/**
 * Interpreter = WebAssembly = C, kernel by kernel (test/conformance-kernels.ts) and for a whole
 * product.
 *
 * All kernels go through one program, so that there is one build for each compiler and set of
 * flags.
 */

import { beforeAll, describe, expect, test } from "vitest";
import {
  type Driver,
  findCompiler,
  STRICT_FLAGS,
  type Trace,
  target,
  withDriver,
} from "../src/bench/index.ts";
import { emitC, emitWasm, type Product } from "../src/deploy/index.ts";
import {
  build as b,
  type Call,
  call,
  interpreter,
  plan,
  type Storage,
  writtenBy,
} from "../src/kernel/index.ts";
import { needs } from "./capabilities.ts";
import { type Case, cases, contents } from "./conformance-kernels.ts";
import { cortexM4, folderOf, tool } from "./emulated.ts";
import { corrupted, tinyProduct } from "./tiny-product.ts";

/** One call of each case, each on storage of its own. */
const everyCase: Product = productOf(cases);

function productOf(all: readonly Case[]): Product {
  const storage = all.flatMap((one): Storage[] => {
    const written = writtenBy(one.kernel);
    return one.kernel.buffers.map((buffer) => {
      const name = `${one.name}/${buffer.name}`;
      return written.has(buffer.name)
        ? { ...buffer, name, role: "scratch" }
        : { ...buffer, name, role: "constant", data: contents(one, buffer) };
    });
  });
  const calls = all.map(({ name, kernel }): Call => {
    const bindings = kernel.buffers.map((buffer) => [buffer.name, `${name}/${buffer.name}`]);
    return call(name, kernel, Object.fromEntries(bindings));
  });
  const [x, y] = [b.buffer("x", "u8", [1]), b.buffer("y", "s8", [1])];
  const copy = b.kernel("copy", [x, y], [b.store(y, [0], b.load(x, 0))]);
  return {
    name: "conformance",
    program: plan(
      {
        storage: [
          ...storage,
          { name: "input", type: "u8", shape: [1], role: "input" },
          { name: "scores", type: "s8", shape: [1], role: "output" },
        ],
        calls: [...calls, call("scores", copy, { x: "input", y: "scores" })],
      },
      { reuse: false },
    ),
    inputs: [{ name: "input", kind: "image", description: "one byte" }],
    scores: "scores",
    classes: ["only"],
    examples: [],
  };
}

const sample = { input: Uint8Array.of(7) };
const written = cases.map(({ name, kernel }) => ({
  name,
  names: [...writtenBy(kernel)].map((buffer) => `${name}/${buffer}`),
}));

/** What the interpreter gives. */
function reference(): ReadonlyMap<string, unknown> {
  const runner = interpreter(everyCase.program);
  runner.view("input").set(sample.input);
  runner.run();
  return new Map(written.flatMap(({ names }) => names.map((name) => [name, runner.view(name)])));
}

describe.each([
  ["WebAssembly", "wasm", []],
  ["C", "portable", ["cc"]],
] as const)("%s equals the interpreter", (_title, name, capabilities) => {
  describe("for", needs(...capabilities), () => {
    let [expected, got]: [ReadonlyMap<string, unknown>, Trace] = [new Map(), new Map()];
    beforeAll(async () => {
      expected = reference();
      got = await target(name).trace(everyCase, sample);
    });
    test.each(written)("$name", ({ names }) => {
      for (const name of names) expect(got.get(name)).toEqual(expected.get(name));
    });
  });
});

describe("the C of every kernel", needs("cc"), () => {
  const compiler = findCompiler() ?? { command: "cc", leading: [] };

  test.each(["-O0", "-O2", "-O3", "-Os"])("is strict and needs no symbol at %s", (level) => {
    const folder = folderOf(emitC(everyCase));
    const flags = [...STRICT_FLAGS, "-Wconversion", "-Wcast-align", level, "-c", "conformance.c"];
    const built = tool(folder, compiler.command, ...compiler.leading, ...flags, "-o", "a.o");
    expect(built).toMatchObject({ told: "", status: 0 });
    expect(tool(folder, "nm", "-u", "a.o")).toMatchObject({ told: "", status: 0 });
  });

  test("has no undefined behaviour that the sanitizers see", async ({ skip }) => {
    const flags = ["-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover=all"];
    const folder = folderOf({ "empty.c": "int main(void) { return 0; }\n" });
    const probe = [...compiler.leading, ...flags, "empty.c", "-o", "empty"];
    skip(tool(folder, compiler.command, ...probe).status !== 0, "the compiler has no sanitizers");
    const scores = ({ run }: Driver): Promise<Uint8Array> => run(["scores"], sample.input);
    expect([...(await withDriver(everyCase, compiler, scores, { flags }))]).toEqual([7]);
  });
});

describe("an emulated Cortex-M4, without libc,", needs("arm-gcc"), () => {
  test.each(["-O2", "-Os"])("equals the interpreter in every kernel at %s", (level) => {
    const files = { ...emitC(everyCase), "main.c": arenaCheck(expectedArena()) };
    expect(cortexM4(folderOf(files), level, "conformance.c", "main.c")).toBe(0);
  });

  test("tells of a wrong integer", () => {
    const wrong = expectedArena();
    wrong[wrong.length - 1] ^= 1;
    const files = { ...emitC(everyCase), "main.c": arenaCheck(wrong) };
    expect(cortexM4(folderOf(files), "-Os", "conformance.c", "main.c")).toBe(1);
  });
});

/** The arena after a run that began with zeros. */
function expectedArena(): Uint8Array {
  const arena = new Uint8Array(everyCase.program.regionBytes.scratch);
  const runner = interpreter(everyCase.program);
  runner.run();
  for (const { name, role, address } of everyCase.program.storage) {
    if (role !== "scratch") continue;
    const { buffer, byteOffset, byteLength } = runner.view(name);
    arena.set(new Uint8Array(buffer, byteOffset, byteLength), address);
  }
  return arena;
}

/** A main that returns 0 if a run leaves exactly these bytes in the arena. */
function arenaCheck(expected: Uint8Array): string {
  return `#include "conformance.h"
static const uint8_t expected[] = {${expected.join(",")}};
CONFORMANCE_ARENA(arena);
int main(void) {
  const uint8_t input[1] = {7};
  const uint8_t *got = (const uint8_t *)arena;
  int8_t scores[1];
  conformance_run(arena, input, scores);
  for (int i = 0; i < CONFORMANCE_ARENA_BYTES; i++) {
    if (got[i] != expected[i]) return 1;
  }
  return scores[0] == 7 ? 0 : 2;
}
`;
}

describe("a whole product keeps its golden vectors, and its self-test sees a wrong constant,", () => {
  const wrongProduct = corrupted(tinyProduct, "head.multiplier", 1);
  const right = { product: tinyProduct, differ: /tiny_2_net: 0 of 3 examples differ\n$/ };
  const wrong = { product: wrongProduct, differ: /tiny_2_net: [1-3] of 3 examples differ\n/ };

  test.each([right, wrong])("in WebAssembly ($differ)", ({ product, differ }) => {
    const { told, status } = tool(folderOf(emitWasm(product)), process.execPath, "selftest.mjs");
    expect(told).toMatch(differ);
    expect(status === 0).toBe(product === tinyProduct);
  });

  test.each([right, wrong])("in C ($differ)", needs("cc"), ({ product, differ }) => {
    const { told, status } = tool(folderOf(emitC(product)), "make", "selftest");
    expect(told).toMatch(differ);
    expect(status === 0).toBe(product === tinyProduct);
  });

  test.each([right, wrong])("on a Cortex-M4 ($differ)", needs("arm-gcc"), ({ product }) => {
    const files = ["tiny_2_net.c", "tiny_2_net_selftest.c"];
    expect(cortexM4(folderOf(emitC(product)), "-Os", ...files)).toBe(
      product === tinyProduct ? 0 : 1,
    );
  });
});
