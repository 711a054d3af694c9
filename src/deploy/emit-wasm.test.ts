import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tinyProduct } from "../../test/tiny-product.ts";
import type { TypedArray } from "../kernel/index.ts";
import { emitWasm } from "./emit-wasm.ts";

interface Model {
  readonly classes: readonly string[];
  readonly inputs: Readonly<Record<string, TypedArray>>;
  run(given?: Record<string, unknown>): Int8Array;
}
interface Loader {
  load(source?: unknown): Promise<Model>;
}

const files = emitWasm(tinyProduct);
const folder = mkdtempSync(join(tmpdir(), "tinym2net-test-"));
let loader: Loader;

beforeAll(async () => {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  loader = await import(pathToFileURL(join(folder, "tiny_2_net.js")).href);
});
afterAll(() => rmSync(folder, { recursive: true }));

test("a package has a module, a loader, types, golden vectors and a README", () => {
  expect(Object.keys(files)).toEqual([
    "tiny_2_net.wasm",
    "tiny_2_net.js",
    "tiny_2_net.d.ts",
    "examples.json",
    "selftest.mjs",
    "package.json",
    "README.md",
  ]);
  expect(emitWasm(tinyProduct)).toEqual(files);
});

test.each<[string, () => unknown]>([
  ["by default", () => undefined],
  ["bytes", () => files["tiny_2_net.wasm"]],
  ["a URL", () => pathToFileURL(join(folder, "tiny_2_net.wasm"))],
  ["a string", () => pathToFileURL(join(folder, "tiny_2_net.wasm")).href],
  ["a Response", () => new Response(Buffer.from(files["tiny_2_net.wasm"]))],
])("the loader takes its module from %s and gives the golden scores", async (_from, source) => {
  const model = await loader.load(source());
  for (const { inputs, scores } of tinyProduct.examples) {
    expect(model.run(inputs)).toEqual(scores);
  }
});

test("inputs are views of the module's memory", async () => {
  const model = await loader.load();
  const [{ inputs, scores }] = tinyProduct.examples;
  model.inputs.audio.set(inputs.audio);
  model.inputs.image.set(inputs.image);
  expect(model.run()).toEqual(scores);
  expect(model.classes).toEqual(tinyProduct.classes);
});

test("wrong inputs are refused by name", async () => {
  const model = await loader.load();
  expect(() => model.run({ sound: new Int16Array(64) })).toThrow("run: no input sound");
  expect(() => model.run({ audio: new Float32Array(64) })).toThrow(
    "run: input audio must be Int16Array of 64, got Float32Array of 64",
  );
});

test("the types fit a user's code, with the real names", () => {
  const user = `import { load, classes } from "./tiny_2_net.js";
const model = await load();
model.inputs.audio satisfies Int16Array;
model.run({ image: new Uint8Array(192) }) satisfies Int8Array;
const first: "tank" = classes[0];
// @ts-expect-error no such input
model.inputs.sound;
export { first };
`;
  const path = join(folder, "user.ts");
  writeFileSync(path, user);
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    lib: ["lib.es2023.d.ts", "lib.dom.d.ts"],
    types: [],
  };
  const problems = ts.getPreEmitDiagnostics(ts.createProgram([path], options));
  expect(problems.map(({ messageText }) => messageText)).toEqual([]);
});
