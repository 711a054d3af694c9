/** The line protocol, with small programs of Node as peers. */

import { describe, expect, test } from "vitest";
import { initialWeights, preset } from "../model/index.ts";
import { type Command, setupOf, startPeer } from "./peer.ts";
import { peerCandidates } from "./peers.ts";
import { NotInstalled } from "./race.ts";
import type { Workload } from "./workload.ts";

const graph = preset("ds-cnn", {
  inputs: [{ name: "audio", shape: [12, 8, 1] }],
  classes: ["yes", "no"],
});

const workload: Workload = {
  graph,
  weights: initialWeights(graph, 1),
  batch: 2,
  inputScale: 1 / 32,
  fused: false,
  inputs: { audio: new Int8Array(2 * 96).fill(-3) },
  labels: Int32Array.of(1, 0),
};

const work = { task: "train", setting: "fast", threads: 1 } as const;

/** A peer whose answers are expressions over the message `m`, in turn. */
function peer(...answers: string[]): Command {
  const source = `const answers = [${answers.map((answer) => `(m) => (${answer})`).join(",")}];
    require("node:readline").createInterface({ input: process.stdin }).on("line", (line) =>
      console.log(JSON.stringify(answers.shift()(JSON.parse(line)))));`;
  return { command: process.execPath, parameters: ["-e", source], environment: process.env };
}

const READY = '{ ready: { version: "1.0 " + m.setting + " " + m.labels, firstStepMs: 2 } }';

describe("a peer", () => {
  test("is told the work, gets ready, and runs for as long as it is asked to", async () => {
    const racer = await startPeer(
      peer(READY, "{ steps: 3, seconds: m.run.seconds, loss: 0.5 }"),
      workload,
      work,
    );
    expect(racer).toMatchObject({ version: "1.0 fast 1,0", firstStepMs: 2 });
    expect(await racer.burst(0.25)).toEqual({ steps: 3, seconds: 0.25, loss: 0.5 });
    await racer.stop();
    await expect(racer.burst(1)).rejects.toThrow("ended with SIGKILL");
  });

  test("that lacks its package, or whose program is not there, is not installed", async () => {
    const lacking = peer('{ missing: "torch" }');
    await expect(startPeer(lacking, workload, work)).rejects.toThrow(NotInstalled);
    const nowhere = { ...lacking, command: "no-such-python" };
    await expect(startPeer(nowhere, workload, work)).rejects.toThrow(NotInstalled);
  });

  test("that dies is told with its last error", async () => {
    const dying = peer(READY, '(() => { throw new Error("no memory left") })()');
    const racer = await startPeer(dying, workload, work);
    await expect(racer.burst(1)).rejects.toThrow("ended with code 1: Error: no memory left");
    await racer.stop();
  });

  test.each([
    ["{ steps: 1, seconds: 0 }", "seconds must be a number above 0, got 0"],
    ["{}", "steps must be a number above 0, got undefined"],
    ["null", "answer must be a line of JSON, got null"],
  ])("that answers %s is not believed", async (answer, message) => {
    const racer = await startPeer(peer(READY, answer), workload, work);
    await expect(racer.burst(1)).rejects.toThrow(message);
    await racer.stop();
  });
});

test("the set-up holds graph, weights and batch as they are in memory", () => {
  const setup = JSON.parse(JSON.stringify(setupOf(workload, work)));
  expect(setup.graph).toEqual(JSON.parse(JSON.stringify(graph)));
  const bytes = Uint8Array.from(Buffer.from(setup.weights, "base64"));
  const [first] = setup.parameters;
  const values = new Float32Array(bytes.buffer).slice(0, workload.weights[first.name].length);
  expect(values).toEqual(workload.weights[first.name]);
  expect(Buffer.from(setup.inputs.audio, "base64")[0]).toBe(253);
});

test("a peer without threads here runs with one, each setting of one with threads with all", () => {
  const options = { task: "train", threadCounts: [1, 4], environment: {} } as const;
  const threadsOf = (name: "tfjs" | "pytorch" | "onnxruntime-node"): number[] =>
    peerCandidates(name, workload, options).map(({ threads }) => threads);
  expect(threadsOf("tfjs")).toEqual([1]);
  expect(threadsOf("pytorch")).toEqual([1, 4, 1, 4]);
  expect(threadsOf("onnxruntime-node")).toEqual([]);
});
