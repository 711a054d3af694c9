/**
 * Text that people wrote (class names, layer labels), made harmless for the place it is printed in.
 *
 * In: anything, such as `*``/`, trigraphs, newlines, quotes, direction marks. Out: one line of what
 * the place can hold.
 */

import { cIdentifier } from "../kernel/index.ts";

/**
 * The identifier that a product's files and symbols begin with; short, since linkers tell 31
 * characters apart.
 */
export function productName(name: string): string {
  return cIdentifier(name, { maxLength: 31 });
}

/** The inside of a C comment: one line, printable ASCII, nothing that ends or opens a comment. */
export function cComment(text: string): string {
  return oneLine(text)
    .replace(/[^\x20-\x7e]/g, "?")
    .replace(/\?(?=\?)/g, "? ")
    .replace(/\*(?=\/)/g, "* ")
    .replace(/\/(?=\*)/g, "/ ")
    .replace(/\\$/, "\\ ");
}

/**
 * A C string literal with the UTF-8 bytes of a text. Octal escapes, since they end after three
 * digits.
 */
export function cString(text: string): string {
  const bytes = [...new TextEncoder().encode(text)];
  const escaped = bytes.map((byte) => {
    const isPlain = byte >= 0x20 && byte < 0x7f && !'"\\?'.includes(String.fromCharCode(byte));
    return isPlain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, "0")}`;
  });
  return `"${escaped.join("")}"`;
}

/** Text in Markdown, tables included: its punctuation stays punctuation. */
export function markdown(text: string): string {
  return oneLine(text).replace(/[\\`*_{}[\]<>()#|!&]/g, "\\$&");
}

/** Text in a block comment of JavaScript or TypeScript. */
export function jsComment(text: string): string {
  return oneLine(text).replace(/\*(?=\/)/g, "* ");
}

/** A value as JavaScript source. */
export function jsLiteral(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16)}`,
  );
}

/** Controls, line ends and direction marks become one space. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
}
