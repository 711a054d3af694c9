import { describe, expect, test } from "vitest";
import { STYLE } from "./style.ts";

type Color = readonly [number, number, number];

/** The variables of each `:root` block: light, dark, print. */
const SCHEMES = [...STYLE.matchAll(/:root \{([^}]*)\}/g)].map(([, block]) =>
  Object.fromEntries(
    [...block.matchAll(/--([a-z-]+): #([0-9a-f]{6}|[0-9a-f]{3});/g)].map(([, name, digits]) => [
      name,
      parseColor(digits),
    ]),
  ),
);

function parseColor(digits: string): Color {
  const long = digits.length === 3 ? digits.replace(/./g, "$&$&") : digits;
  const [r, g, b] = [0, 2, 4].map((at) => Number.parseInt(long.slice(at, at + 2), 16));
  return [r, g, b];
}

/** Relative luminance and contrast: WCAG 2.2, definitions. */
function luminance(color: Color): number {
  const [r, g, b] = color.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: Color, b: Color): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

function mix(top: Color, opacity: number, ground: Color): Color {
  const [r, g, b] = top.map((value, k) => opacity * value + (1 - opacity) * ground[k]);
  return [r, g, b];
}

describe.each([
  ["light", 0],
  ["dark", 1],
  ["paper", 2],
])("the %s scheme", (_, index) => {
  const scheme = SCHEMES[index];

  test.each([
    ["ink", "ground"],
    ["ink", "panel"],
    ["ink", "accent-soft"],
    ["quiet", "ground"],
    ["quiet", "panel"],
    ["accent", "ground"],
    ["warn", "ground"],
  ])("%s on %s has a contrast of at least 4.5", (text, ground) => {
    expect(contrast(scheme[text], scheme[ground])).toBeGreaterThanOrEqual(4.5);
  });

  test("the deepest shade of a confusion matrix leaves its count readable", () => {
    const shade = mix(scheme.accent, 0.45, scheme.ground);
    expect(contrast(scheme.ink, shade)).toBeGreaterThanOrEqual(4.5);
  });

  test("bars stand out from the ground with a contrast of at least 3", () => {
    expect(contrast(scheme.accent, scheme.ground)).toBeGreaterThanOrEqual(3);
    expect(contrast(scheme.bar, scheme.ground)).toBeGreaterThanOrEqual(3);
  });
});
