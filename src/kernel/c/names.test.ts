import fc from "fast-check";
import { expect, test } from "vitest";
import { cIdentifier, namer } from "./names.ts";

test.each([
  ["image.conv1", "image_conv1"],
  ["inputScale", "input_scale"],
  ["Hubschräuber №2", "hubschrauber_no2"],
  ["3x3", "n3x3"],
  ["static", "static_"],
  ["int8_t", "int8_t_"],
  ["class", "class_"],
  ["", "unnamed"],
  ["*/ ??/", "unnamed"],
  ["__proto__", "proto"],
])("%j becomes %s", (name, identifier) => {
  expect(cIdentifier(name)).toBe(identifier);
});

test("any text becomes a short identifier", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      expect(cIdentifier(text)).toMatch(/^[a-z][a-z0-9_]{0,49}$/);
    }),
  );
});

test("no two names of one namer are alike", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 3 })), (texts) => {
      const claim = namer(["w", "w_2"]);
      const chosen = texts.map(claim);
      expect(new Set([...chosen, "w", "w_2"]).size).toBe(texts.length + 2);
    }),
  );
});
