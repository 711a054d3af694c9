/** Peers are real: each is started and must compute what we compute. */

import { describe, expect, test } from "vitest";
import { needs } from "../../test/capabilities.ts";
import { type Graph, initialWeights, preset } from "../model/index.ts";
import { random } from "../tensor/index.ts";
import { type PeerName, peerCandidates, peerNames } from "./peers.ts";
import type { Racer, Task } from "./race.ts";
import { ownCandidates, type Workload } from "./workload.ts";

const BATCH = 8;

/** A preset without dropout, so that training is the same numbers everywhere. */
function workload(name: string, shapes: Readonly<Record<string, readonly number[]>>): Workload {
  const generator = random(5);
  const inputs = Object.entries(shapes).map(([name, shape]) => ({ name, shape }));
  const full = preset(name, { inputs, classes: ["a", "b", "c"] });
  const layers = full.layers.map((layer) =>
    layer.op === "dropout" ? { ...layer, rate: 0 } : layer,
  );
  const graph: Graph = { ...full, layers };
  const noise = (size: number): Int8Array =>
    Int8Array.from({ length: size }, () => Math.round(generator.normal() * 32));
  return {
    graph,
    weights: initialWeights(graph, 1),
    batch: BATCH,
    inputScale: 1 / 32,
    fused: false,
    inputs: Object.fromEntries(
      inputs.map(({ name, shape }) => [name, noise(shape.reduce((a, b) => a * b, BATCH))]),
    ),
    labels: Int32Array.from({ length: BATCH }, (_, i) => i % 3),
  };
}

const WORKLOADS = {
  tinym2net: workload("tinym2net", { audio: [13, 9, 1], image: [10, 12, 3] }),
  "ds-cnn": workload("ds-cnn", { audio: [19, 10, 1] }),
};

/** Loss before, and after one and two steps of Adam. */
async function losses(racer: Racer): Promise<number[]> {
  const found: number[] = [];
  for (let step = 0; step < 3; step++) found.push((await racer.burst(0)).loss ?? Number.NaN);
  return found;
}

async function withRacer<T>(start: () => Promise<Racer>, use: (racer: Racer) => T): Promise<T> {
  const racer = await start();
  try {
    return await use(racer);
  } finally {
    await racer.stop();
  }
}

/** Python is asked for by naming it: importing PyTorch takes seconds. */
const isHere = (name: PeerName): boolean =>
  process.env.TINYM2NET_PYTHON !== undefined || !["pytorch", "tensorflow"].includes(name);

const options = { threadCounts: [1], environment: process.env };

/** Every installed peer that can do the task, with each net. */
function casesOf(task: Task) {
  return peerNames.filter(isHere).flatMap((name) =>
    Object.entries(WORKLOADS).flatMap(([net, workload]) => {
      const candidates = peerCandidates(name, workload, { task, ...options });
      return candidates.length === 0 ? [] : [{ name, net, workload, candidates }];
    }),
  );
}

describe("an installed peer", needs("peers"), () => {
  test.each(casesOf("infer"))(
    "$name scores $net as we do",
    async ({ workload, candidates }) => {
      const [ours] = ownCandidates(workload, "infer", [1]);
      const { logits: expected = [] } = await withRacer(ours.start, (racer) => racer);
      for (const { start } of candidates) {
        const { logits = new Float32Array() } = await withRacer(start, (racer) => racer);
        expect(logits).toHaveLength(expected.length);
        // sums of some thousand f32 products in another order; logits are about 1
        const worst = Math.max(...logits.map((value, i) => Math.abs(value - expected[i])));
        expect(worst).toBeLessThan(1e-4);
      }
    },
    60_000,
  );

  test.each(casesOf("train"))(
    "$name learns on $net as we do",
    async ({ workload, candidates }) => {
      const [ours] = ownCandidates(workload, "train", [1]);
      const expected = await withRacer(ours.start, losses);
      for (const { start } of candidates) {
        const found = await withRacer(start, losses);
        for (const [step, loss] of found.entries()) {
          // Adam's first steps are rate * sign(g): where g is about 0, rounding decides
          expect(Math.abs(loss - expected[step])).toBeLessThan(0.02 * expected[step] + 1e-3);
        }
      }
    },
    60_000,
  );
});
