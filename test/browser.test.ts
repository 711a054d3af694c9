/**
 * The emitted WebAssembly and the training engine in a real browser: the same integers and floats
 * as in Node.
 */

import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { emitWasm } from "../src/deploy/index.ts";
import type { Graph } from "../src/model/index.ts";
import { type Examples, trainGraph } from "../src/train/index.ts";
import { chromePath, needs } from "./capabilities.ts";
import { root } from "./sources.ts";
import { tinyProduct } from "./tiny-product.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

const graph: Graph = {
  inputs: [{ name: "x", shape: [4, 4, 1] }],
  classes: ["even", "odd"],
  layers: [
    {
      op: "conv2d",
      name: "conv",
      inputs: ["x"],
      filters: 6,
      bias: true,
      kernel: [3, 3],
      stride: [1, 1],
      padding: "same",
    },
    { op: "batchNorm", name: "norm", inputs: ["conv"], momentum: 0.1, epsilon: 1e-3 },
    { op: "relu", name: "relu", inputs: ["norm"] },
    { op: "flatten", name: "flat", inputs: ["relu"] },
    { op: "dropout", name: "drop", inputs: ["flat"], rate: 0.2 },
    { op: "dense", name: "out", inputs: ["drop"], units: 2, bias: true },
  ],
};

/** The same in the page: only plain numbers cross. */
function examples(count: number): Examples {
  const x = Int8Array.from({ length: count * 16 }, (_, i) => ((i * 37) % 101) - 50);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  return { count, inputs: { x }, labels, groups: Array.from(labels, String) };
}

const options = { epochs: 3, seed: 4, batch: 8, inputScale: 1 / 32 };

describe("in Chromium", needs("chromium"), () => {
  let server: Server;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const product = emitWasm(tinyProduct);
    server = createServer(async (request, response) => {
      const path = new URL(request.url ?? "/", "http://localhost").pathname;
      response.setHeader("content-type", TYPES[extname(path)] ?? "text/html");
      if (path.startsWith("/product/")) response.end(product[path.slice("/product/".length)]);
      else if (path.startsWith("/dist/")) response.end(await readFile(join(root, path)));
      else response.end("<!doctype html><title>test</title>");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    browser = await chromium.launch({ executablePath: chromePath ?? "" });
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  test("the emitted WebAssembly gives the golden scores", async () => {
    const loader = Object.keys(emitWasm(tinyProduct)).find((name) => name.endsWith(".js")) ?? "";
    const script = `(async () => {
      const { load } = await import("/product/${loader}");
      const { examples } = await (await fetch("/product/examples.json")).json();
      const model = await load();
      return examples.map(({ inputs }) => [...model.run(Object.fromEntries(
        inputs.map(({ name, array, values }) => [name, globalThis[array].from(values)])))]);
    })()`;
    const scores = await page.evaluate<number[][]>(script);
    expect(scores).toEqual(tinyProduct.examples.map((example) => [...example.scores]));
    expect(scores.length).toBeGreaterThan(0);
  });

  test.each([
    ["plain", false],
    ["fused", true],
  ])("training in a worker gives the losses of Node to the last bit, %s", async (_name, fused) => {
    const splits = { train: examples(32), val: examples(12) };
    const arithmetic = { ...options, fused };
    const training = trainGraph(graph, splits, arithmetic);
    const expected = [...training.steps].flatMap(({ record }) => record ?? []);
    const worker = `
      import { trainGraph } from "/dist/src/train/index.js";
      ${examples.toString()}
      const splits = { train: examples(32), val: examples(12) };
      const training = trainGraph(${JSON.stringify(graph)}, splits, ${JSON.stringify(arithmetic)});
      postMessage([...training.steps].flatMap(({ record }) => record ?? []));`;
    const script = `new Promise((resolve, reject) => {
      const source = ${JSON.stringify(worker)}.replaceAll('"/dist', '"' + location.origin + "/dist");
      const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      const worker = new Worker(url, { type: "module" });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    })`;
    const records = await page.evaluate<typeof expected>(script);
    // the validation loss is a sum of Math.exp and Math.log, which engines round in their own ways
    const bits = ({ valLoss, ...rest }: (typeof expected)[number]) => rest;
    expect(records.map(bits)).toEqual(expected.map(bits));
    records.forEach(({ valLoss }, i) => {
      expect(valLoss).toBeCloseTo(expected[i].valLoss, 12);
    });
    expect(expected).toHaveLength(3);
  });
});
