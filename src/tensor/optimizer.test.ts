/** What each optimizer moves in a whole compiled step. */

import { expect, test } from "vitest";
import { compileTraining } from "./compile.ts";
import { type Net, parametersOf } from "./net.ts";
import { hyperparameters, type Optimizer, optimizerStates } from "./optimizer.ts";
import { random } from "./random.ts";

const net: Net = {
  inputs: [{ name: "x", shape: [6] }],
  layers: [
    { op: "dense", name: "hidden", inputs: ["x"], units: 5, bias: true },
    { op: "batchNorm", name: "norm", inputs: ["hidden"], momentum: 0.1, epsilon: 1e-3 },
    { op: "dense", name: "out", inputs: ["norm"], units: 3, bias: true },
  ],
};

/** Parameters after one step from the same start. */
function moved(optimizer: Optimizer, decay: number): Map<string, Float32Array> {
  const runner = compileTraining(net, { batch: 4, inputScale: 1 / 32, optimizer });
  const generator = random(1);
  runner.view("x").forEach((_, i, x) => {
    x[i] = generator.integer(100) - 50;
  });
  for (const { name } of parametersOf(net)) {
    runner.view(name).forEach((_, i, p) => {
      p[i] = 1 + generator.normal() * 0.1;
    });
  }
  runner.view("$labels").set([0, 1, 2, 0]);
  runner.view("$weight").fill(1 / 4);
  runner.view("$hyper").set(hyperparameters(optimizer, { step: 1, rate: 0.1, decay }));
  runner.run();
  for (const state of optimizerStates(optimizer)) {
    expect(runner.view(state).some((value) => value !== 0)).toBe(true);
  }
  return new Map(parametersOf(net).map(({ name }) => [name, Float32Array.from(runner.view(name))]));
}

test.each(["adamw", "adam", "sgd"] as const)(
  "decay of %s moves the weights and leaves biases, gamma and beta alone",
  (kind) => {
    const [without, decayed] = [moved({ kind }, 0), moved({ kind }, 0.3)];
    const changed = [...decayed].filter(([name, values]) =>
      values.some((value, i) => value !== without.get(name)?.[i]),
    );
    expect(changed.map(([name]) => name)).toEqual(["hidden.weight", "out.weight"]);
  },
);
