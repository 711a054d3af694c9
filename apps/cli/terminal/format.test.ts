import { describe, expect, test } from "vitest";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatInterval,
  formatPercent,
  formatPoints,
} from "./format.ts";

describe("format", () => {
  test.each([
    [0, "0"],
    [999, "999"],
    [1000, "1,000"],
    [7598976, "7,598,976"],
    [-12345, "-12,345"],
    [-0.4, "0"],
  ])("the count %d reads %s", (n, text) => {
    expect(formatCount(n)).toBe(text);
  });

  test.each([
    [0, "0 B"],
    [12345, "12,345 B"],
    [99999, "99,999 B"],
    [418948, "418.9 kB"],
    [999949, "999.9 kB"],
    [999950, "1.0 MB"],
    [12_300_000, "12.3 MB"],
    [5e15, "5000.0 TB"],
  ])("%d bytes read %s", (n, text) => {
    expect(formatBytes(n)).toBe(text);
  });

  test("a percentage carries its interval without repeating the unit", () => {
    expect(formatPercent(0.938)).toBe("93.8 %");
    expect(formatPercent(0.938, { low: 0.91, high: 0.959 })).toBe("93.8 % [91.0, 95.9]");
    expect(formatPercent(1)).toBe("100.0 %");
    expect(formatInterval({ low: -0.0001, high: 0.02 })).toBe("[0.0, 2.0]");
  });

  test("a difference carries its sign, and zero carries none", () => {
    expect(formatPoints(0.131, { low: 0.098, high: 0.164 })).toBe("+13.1 points [9.8, 16.4]");
    expect(formatPoints(-0.02)).toBe("-2.0 points");
    expect(formatPoints(-0.0001)).toBe("0.0 points");
    expect(formatPoints(0.0001)).toBe("0.0 points");
  });

  test.each([
    [0, "0.0 s"],
    [0.44, "0.4 s"],
    [9.96, "10 s"],
    [59.4, "59 s"],
    [59.6, "1 min 00 s"],
    [125, "2 min 05 s"],
    [3599.9, "1 h 00 min"],
    [3720, "1 h 02 min"],
  ])("%d seconds read %s", (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});
