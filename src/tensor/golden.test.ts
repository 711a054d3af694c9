/**
 * Compiled steps against an independent implementation: the numbers in golden/ name the tool that
 * computed them in double precision (scripts/golden).
 */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { interpret } from "../kernel/index.ts";
import { compileTraining } from "./compile.ts";
import type { Layer } from "./layer.ts";
import type { Net } from "./net.ts";
import { hyperparameters, type Optimizer, optimizerStep } from "./optimizer.ts";

type Numbers = readonly number[];

interface Case {
  readonly name: string;
  readonly options: { readonly smoothing?: number; readonly classWeights?: Numbers };
  readonly layers: readonly Layer[];
  readonly x: Numbers;
  readonly parameters: Readonly<Record<string, Numbers>>;
  readonly loss: number;
  readonly logits: Numbers;
  readonly gradients: Readonly<Record<string, Numbers>>;
  readonly running: Readonly<Record<string, Numbers>>;
}

interface Steps {
  readonly tool: string;
  readonly batch: number;
  readonly inputScale: number;
  readonly input: Numbers;
  readonly labels: Numbers;
  readonly cases: readonly Case[];
}

function golden<T>(name: string): T {
  const text = readFileSync(new URL(`golden/${name}.json`, import.meta.url), "utf8");
  return JSON.parse(text) as T;
}

/**
 * Largest difference, relative to the largest value. Single precision carries 6e-8 a value, sums of
 * a few hundred of both signs ten times that; a wrong tap, scale or sign is 1e-2 and more.
 */
function difference(found: ArrayLike<number>, expected: Numbers): number {
  expect(found).toHaveLength(expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(value - found[i]))) / largest;
}

const TOLERANCE = 5e-6;

/** One step without learning: the views of what it computed. */
function taken({ batch, inputScale, input, labels }: Steps, { layers, options, ...data }: Case) {
  const { smoothing = 0, classWeights = labels.map(() => 1) } = options;
  const net: Net = { inputs: [{ name: "x", shape: input }], layers };
  const runner = compileTraining(net, { batch, inputScale, smoothing });
  runner.view("x").set(data.x);
  for (const [name, values] of Object.entries(data.parameters)) runner.view(name).set(values);
  const weights = labels.map((label) => classWeights[label]);
  const total = weights.reduce((a, b) => a + b, 0);
  runner.view("$labels").set(labels);
  runner.view("$weight").set(weights.map((weight) => weight / total));
  runner.view("$hyper").set([0, 1, 1, 0]);
  runner.run();
  return (name: string): number[] => Array.from(runner.view(name));
}

const ALL = ["operations", "operations-later", "quantization"].map((name) => golden<Steps>(name));

describe.each(ALL)("a step has the loss, gradients and statistics of $tool", (steps) => {
  test.each(steps.cases.map((one) => [one.name, one] as const))("%s", (_name, one) => {
    const view = taken(steps, one);
    expect(Object.keys(one.gradients).length).toBeGreaterThan(1);
    expect(difference(view("$logits"), one.logits)).toBeLessThan(TOLERANCE);
    expect(difference(view("$loss"), [one.loss])).toBeLessThan(TOLERANCE);
    for (const [name, values] of Object.entries(one.gradients)) {
      // a bias before batch-norm has the gradient 0, and what is left there is rounding
      if (Math.max(...values.map(Math.abs)) < 1e-9) continue;
      expect(difference(view(`d.${name}`), values), name).toBeLessThan(TOLERANCE);
    }
    for (const [name, values] of Object.entries(one.running)) {
      expect(difference(view(name), values), name).toBeLessThan(TOLERANCE);
    }
  });
});

interface Optimization {
  readonly name: string;
  readonly rate: number;
  readonly decay: number;
  readonly start: Numbers;
  readonly gradients: readonly Numbers[];
  /** The parameters after each step. */
  readonly after: readonly Numbers[];
}

const optimizers = golden<{ tool: string; cases: readonly Optimization[] }>("optimizers");

const OPTIMIZERS: Readonly<Record<string, Optimizer>> = {
  adam: { kind: "adam" },
  "adam with L2": { kind: "adam" },
  adamw: { kind: "adamw" },
  sgd: { kind: "sgd" },
  "sgd with Nesterov momentum": { kind: "sgd", nesterov: true },
};

describe(`an optimizer takes the steps of ${optimizers.tool}`, () => {
  test.each(optimizers.cases)("$name", ({ name, rate, decay, start, gradients, after }) => {
    const optimizer = OPTIMIZERS[name];
    // of two axes, so that it decays
    const shape = [1, start.length];
    const initial = { kind: "constant", value: 0 } as const;
    const parameter = { name: "w", shape, initial, trainable: true };
    const { call, storage } = optimizerStep([parameter], optimizer);
    const names = ["$parameters", "$gradients", "$hyper", ...storage.map((state) => state.name)];
    const size = (of: string): number => (of === "$hyper" ? 4 : start.length);
    const values = new Map(names.map((of) => [of, new Float32Array(size(of))]));
    values.get("$parameters")?.set(start);
    gradients.forEach((gradient, i) => {
      values.get("$gradients")?.set(gradient);
      values.get("$hyper")?.set(hyperparameters(optimizer, { step: i + 1, rate, decay }));
      const bound = call.kernel.buffers.map(
        (buffer, k) => [buffer.name, values.get(call.arguments[k]) ?? new Float32Array()] as const,
      );
      interpret(call.kernel, Object.fromEntries(bound));
      const moved = values.get("$parameters") ?? [];
      expect(difference(moved, after[i]), `step ${i + 1}`).toBeLessThan(TOLERANCE);
    });
  });
});
