/** Typed arrays as C arrays: rows of numbers within 100 columns. */

import { C_TYPES, type ElementType, type TypedArray } from "../kernel/index.ts";

const COLUMNS = 100;
const NUMBERS_A_LINE = 20;

/**
 * `static const int8_t name[] = { ... };`
 *
 * type     s4 prints its packed bytes in hexadecimal: one digit a value, the second one first
 */
export function printArray(name: string, type: ElementType, data: TypedArray): string {
  if (type === "f32") throw new Error(`internal: constant ${name} is f32, which has no C form`);
  const numbers = Array.from(data, (value) => printNumber(type, value));
  return `static const ${C_TYPES[type]} ${name}[${numbers.length}] = {\n${rows(numbers)}};\n`;
}

function printNumber(type: ElementType, value: number): string {
  if (type === "s4") return `0x${value.toString(16).padStart(2, "0")}`;
  return value === -(2 ** 31) ? "INT32_MIN" : `${value}`;
}

function rows(numbers: readonly string[]): string {
  const lines: string[] = [];
  for (let from = 0; from < numbers.length; ) {
    let [line, to] = [" ", from];
    while (to < numbers.length && to - from < NUMBERS_A_LINE) {
      const next = `${line} ${numbers[to]},`;
      if (next.length > COLUMNS) break;
      line = next;
      to++;
    }
    lines.push(line);
    from = to;
  }
  return `${lines.join("\n")}\n`;
}
