import { expect, test } from "vitest";
import { corrupted, tinyProduct } from "../../test/tiny-product.ts";
import { plan } from "../kernel/index.ts";
import { emitC } from "./emit-c.ts";
import { printArray } from "./emit-c-arrays.ts";
import { checkInputs, checkProduct, type Product, storageOf } from "./product.ts";
import { constantBytes, flashParts } from "./product-flash.ts";

const files = emitC(tinyProduct);

test("a package has a header, a source, a self-test, a Makefile and a README", () => {
  expect(Object.keys(files)).toEqual([
    "tiny_2_net.h",
    "tiny_2_net.c",
    "tiny_2_net_selftest.c",
    "Makefile",
    "README.md",
  ]);
});

test("the same product gives the same bytes", () => expect(emitC(tinyProduct)).toEqual(files));

test("the header says the exact arena, the lengths and the classes", () => {
  const header = files["tiny_2_net.h"];
  const { scratch } = tinyProduct.program.regionBytes;
  expect(header).toContain(`#define TINY_2_NET_ARENA_BYTES ${scratch}\n`);
  expect(header).toContain("#define TINY_2_NET_AUDIO_LENGTH 64 /* int16_t: 64 samples, s16 */");
  expect(header).toContain("#define TINY_2_NET_CLASS_TANK 0 /* tank */");
  expect(header).toContain(
    "void tiny_2_net_run(void *arena, const int16_t *audio, const uint8_t *image, int8_t *scores);",
  );
});

test("the source includes only its header, and all but the API is static", () => {
  const source = files["tiny_2_net.c"];
  expect(source.match(/#include .*/g)).toEqual(['#include "tiny_2_net.h"']);
  const definitions = source.match(/^(?!static|typedef|#|\/\*| |\}|$).*/gm);
  expect(definitions).toEqual([
    "const char *const tiny_2_net_class_names[] = {",
    "void tiny_2_net_run(void *arena, const int16_t *audio, const uint8_t *image, int8_t *scores) {",
  ]);
});

test("constants of equal contents are one array", () => {
  const source = files["tiny_2_net.c"];
  expect(source.match(/^static const int32_t multiplier\w*\[6\]/gm)).toHaveLength(1);
  expect(source).not.toContain("multiplier_again");
});

test("equal kernels are one function", () => {
  const [first] = tinyProduct.program.calls;
  const { storage } = tinyProduct.program;
  const twice = plan({ storage, calls: [first, ...tinyProduct.program.calls] });
  const source = emitC({ ...tinyProduct, program: twice })["tiny_2_net.c"];
  expect(source.match(/^static void correlate/gm)).toHaveLength(1);
  expect(source.match(/^ {2}correlate\(audio/gm)).toHaveLength(2);
});

test("a concatenation is an address", () => {
  const { address } = storageOf(tinyProduct, "joined");
  const source = files["tiny_2_net.c"];
  expect(source).toContain(`int8_t *const joined = (int8_t *)(base + ${address});`);
  expect(source).toContain(`int8_t *const image_conv2 = (int8_t *)(base + ${address + 24});`);
});

test("class names and labels cannot break out of their place", () => {
  expect(files["tiny_2_net.c"]).toContain('"*/ \\077\\077/\\012"');
  expect(files["tiny_2_net.c"]).toContain("/* head * / ? ?/ */");
});

test("arrays keep to 100 columns and 20 numbers a line", () => {
  const text = printArray(
    "a",
    "s32",
    Int32Array.from({ length: 99 }, (_, i) => i * -12345678),
  );
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  expect(printArray("b", "s32", Int32Array.of(-(2 ** 31)))).toContain("INT32_MIN");
  expect(printArray("c", "s4", Uint8Array.of(7, 255))).toContain("0x07, 0xff,");
});

test("the flash of weights and tables is exact and counts equal constants once", () => {
  const parts = flashParts(tinyProduct);
  const exact = parts.filter(({ how, part }) => how === "exact" && part !== "class names");
  const sum = exact.reduce((total, { bytes }) => total + bytes, 0);
  expect(sum).toBe(96 + 81 + 36 + 24 + 24 + 180 + 12);
  expect(constantBytes(tinyProduct)).toBe(sum);
  expect(constantBytes(corrupted(tinyProduct, "multiplier again", 0))).toBe(sum + 24);
  expect(parts[parts.length - 1]).toMatchObject({ part: "code", how: "estimated" });
});

test.each<[string, Product]>([
  ["scores", { ...tinyProduct, classes: ["one"] }],
  ["input", { ...tinyProduct, inputs: [...tinyProduct.inputs, tinyInput("joined")] }],
  ["input storage", { ...tinyProduct, inputs: [tinyInput("audio")] }],
  ["storage", { ...tinyProduct, scores: "nowhere" }],
])("a product with a wrong %s is refused", (what, product) => {
  expect(() => checkProduct(product)).toThrow(`product: ${what}`);
});

test("inputs of another type or length are refused by name", () => {
  const { inputs } = tinyProduct.examples[0];
  const short = { ...inputs, audio: new Int16Array(3) };
  expect(() => checkInputs(tinyProduct, short)).toThrow(
    'product: input audio must be Int16Array 64, got "Int16Array 3"',
  );
  expect(() => checkInputs(tinyProduct, { audio: inputs.audio })).toThrow("input image");
});

function tinyInput(name: string): Product["inputs"][number] {
  return { name, kind: "audio", description: "" };
}
