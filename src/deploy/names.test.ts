import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cComment, cString, jsComment, jsLiteral, markdown, productName } from "./names.ts";

const anything = fc.string({ unit: "binary", maxLength: 80 });
const nasty = fc.array(
  fc.constantFrom("*", "/", "?", "\\", "\n", "\u2028", "\u202e", '"', "a", " "),
);

describe("the inside of a C comment", () => {
  test("never ends or opens one, nor spells a trigraph, nor joins lines", () => {
    fc.assert(
      fc.property(
        nasty.map((all) => all.join("")),
        (text) => {
          const comment = cComment(text);
          expect(comment).toMatch(/^[\x20-\x7e]*$/);
          expect(comment).not.toMatch(/\*\/|\/\*|\?\?|\\$/);
        },
      ),
    );
  });

  test("keeps plain words", () => expect(cComment("image.conv1, 3x3")).toBe("image.conv1, 3x3"));
});

describe("a C string", () => {
  test("has no trigraph, no quote and no line end inside", () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(cString(text)).toMatch(/^"([\x20-\x7e]|\\[0-7]{3})*"$/);
        expect(cString(text).slice(1, -1)).not.toMatch(/\?|"|\\(?![0-7]{3})/);
      }),
    );
  });

  test("keeps the bytes of UTF-8", () => {
    expect(cString("ä1")).toBe('"\\303\\2441"');
  });
});

test("JavaScript literals give the value back", () => {
  fc.assert(
    fc.property(anything, (text) => {
      expect(JSON.parse(jsLiteral(text))).toBe(text);
      expect(jsLiteral(text)).not.toMatch(/[\u2028\u2029\n]/);
    }),
  );
});

test("comments of JavaScript do not end early, Markdown keeps to its cell", () => {
  expect(jsComment("a */ b\nc")).toBe("a * / b c");
  expect(markdown("a | <b>\n`c`")).toBe("a \\| \\<b\\> \\`c\\`");
});

test("a product's name is short enough for every linker", () => {
  fc.assert(
    fc.property(anything, (text) => {
      expect(productName(text)).toMatch(/^[a-z][a-z0-9_]{0,32}$/);
    }),
  );
});
