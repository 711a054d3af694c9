import { describe, expect, test } from "vitest";
import { drawMatrix } from "./confusion.ts";
import { layOutGraph } from "./graph-layout.ts";
import { drawPlan } from "./memory.ts";
import type { LayerRow } from "./report.ts";
import { fitText, linearScale, ticks } from "./svg.ts";

describe("scales", () => {
  test("a linear scale maps ends to ends and rounds to hundredths", () => {
    const x = linearScale([0, 3], [0, 100]);
    expect([x(0), x(1), x(3)]).toEqual([0, 33.33, 100]);
    expect(linearScale([2, 2], [5, 9])(2)).toBe(5);
  });

  test.each([
    [0, 1, 4, [0, 0.5, 1]],
    [0, 69232, 5, [0, 20000, 40000, 60000]],
    [1, 20, 5, [5, 10, 15, 20]],
    [-0.05, 0.196, 6, [-0.05, 0, 0.05, 0.1, 0.15]],
    [3, 3, 5, [3]],
  ])("ticks of %d .. %d are round", (low, high, count, expected) => {
    expect(ticks(low, high, count)).toEqual(expected);
  });

  test("text that does not fit ends with an ellipsis", () => {
    expect(fitText("tank", 60, 11)).toBe("tank");
    expect(fitText("helicopter", 40, 11)).toBe("helic…");
    expect(fitText("helicopter", 9, 11)).toBe("");
  });
});

test("a confusion matrix is a grid of equal squares, rows down, columns right", () => {
  const { width, height, body } = drawMatrix(
    [
      [3, 1],
      [0, 4],
    ],
    ["a", "b"],
  );
  const rectangles = [...body.markup.matchAll(/<rect class="([^"]*)" x="(\d+)" y="(\d+)"\s/g)];
  // Labels take 78 at the left and 20 above; 236 / 2 a cell, with a gap of 1 around each.
  expect(rectangles.map(([, kind, x, y]) => [kind, Number(x), Number(y)])).toEqual([
    ["cell right", 79, 21],
    ["cell", 197, 21],
    ["cell", 79, 139],
    ["cell right", 197, 139],
  ]);
  expect([...body.markup.matchAll(/fill-opacity="([^"]*)"/g)].map(([, shade]) => shade)).toEqual([
    "0.34",
    "0.11",
    "0",
    "0.45",
  ]);
  expect([width, height]).toEqual([78 + 236 + 2, 20 + 236 + 2]);
});

test("a memory plan draws time to the right and addresses upwards", () => {
  const { width, height, body } = drawPlan({
    arenaBytes: 300,
    calls: ["one", "two"],
    blocks: [
      { name: "in", offset: 0, bytes: 100, first: 0, last: 0 },
      { name: "out", offset: 100, bytes: 200, first: 0, last: 1 },
    ],
  });
  const pattern = /<rect [^>]*x="([\d.]+)" y="([\d.]+)"\s+width="([\d.]+)" height="([\d.]+)"/g;
  const rectangles = [...body.markup.matchAll(pattern)].map((match) => match.slice(1).map(Number));
  // A pixel a byte, 64 a call; the arena's top stands at 12 and its bottom at 312.
  expect(rectangles).toEqual([
    [59, 212.5, 62, 99],
    [59, 12.5, 126, 199],
  ]);
  expect([width, height]).toEqual([58 + 128 + 14, 12 + 300 + 74]);
});

describe("layout of the graph", () => {
  const layer = (name: string, ...inputs: string[]): LayerRow => ({
    name,
    op: "dense",
    inputs,
    outputShape: [4],
    parameters: 0,
    macs: 0,
    activationBytes: 4,
  });
  const places = (layers: LayerRow[]) =>
    Object.fromEntries(layOutGraph(layers).map(({ name, row, column }) => [name, [row, column]]));

  test("branches run down in their own columns and merge in the middle", () => {
    const layers = [
      layer("a", "image"),
      layer("b", "audio"),
      layer("b2", "b"),
      layer("sum", "a", "b2"),
    ];
    expect(places(layers)).toEqual({
      image: [0, 0],
      audio: [0, 1],
      a: [1, 0],
      b: [1, 1],
      b2: [2, 1],
      sum: [3, 0.5],
    });
  });

  test("boxes of one row never stand on each other", () => {
    const layers = [layer("left", "x"), layer("right", "x"), layer("middle", "x")];
    expect(places(layers)).toEqual({
      x: [0, 1],
      left: [1, 0],
      right: [1, 1],
      middle: [1, 2],
    });
  });

  test("nothing to draw gives no boxes", () => {
    expect(layOutGraph([])).toEqual([]);
  });
});
