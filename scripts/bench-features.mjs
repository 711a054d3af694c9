/**
 * Throughput of log-mel on one thread, in seconds of sound a second of processor time, and that of
 * librosa beside it where python3 has it: same sound, same parameters, turn by turn.
 *
 *   node scripts/bench-features.mjs [--json] [--python PATH]
 *
 * From samples in [-1, 1] to decibels, 16 kHz, frames of 1024 every 368, 40 bands: ours includes the
 * rounding to s16 that a device would get, librosa's is melspectrogram and power_to_db in float32.
 * Processor time and not the clock, so that a busy machine says the same.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpus } from "node:os";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { features, kernel, tensor } from "../dist/src/index.js";

const ROUNDS = 9;
/** Of sound, in a round. */
const ROUND_S = 100;
const CLIPS_S = [1, 10];
const RATE_HZ = 16000;

const { json, python } = parseArgs({
  options: { json: { type: "boolean" }, python: { type: "string", default: "python3" } },
}).values;

/** Reads a clip's length a line, answers with the processor time of a round. */
const PEER = `
import os, sys
for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"): os.environ[name + "_NUM_THREADS"] = "1"
import time, numpy, librosa
print(librosa.__version__, numpy.__version__, flush=True)
def run(seconds):
    sound = (numpy.random.default_rng(1).standard_normal(${RATE_HZ} * seconds) * 0.1).astype("float32")
    def once():
        power = librosa.feature.melspectrogram(
            y=sound, sr=${RATE_HZ}, n_fft=1024, hop_length=368, n_mels=40, pad_mode="constant")
        return librosa.power_to_db(power, amin=1e-10, top_db=None)
    once()
    start = time.process_time()
    for _ in range(${ROUND_S} // seconds): once()
    return time.process_time() - start
for line in sys.stdin: print(run(int(line)), flush=True)
`;

function ours(seconds) {
  const spec = {
    ...features.defaultAudioSpec({ sampleRateHz: RATE_HZ, kind: "log-mel" }),
    samples: RATE_HZ * seconds,
  };
  const generator = tensor.random("bench");
  const samples = Float32Array.from({ length: spec.samples }, () => generator.normal() * 0.1);
  const extract = features.extractor(spec, "raw");
  const into = new Int16Array(spec.samples);
  return () => {
    const start = process.cpuUsage();
    for (let i = 0; i < ROUND_S / seconds; i++) {
      extract(features.prepareAudio({ samples, sampleRateHz: RATE_HZ }, spec, { into }));
    }
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  };
}

/** librosa in a process of its own; undefined where there is none. */
async function startPeer() {
  const child = spawn(python, ["-c", PEER], { stdio: ["pipe", "pipe", "ignore"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.on("error", () => {});
  const failed = once(child, "error").then(() => ({ done: true }));
  const hello = await Promise.race([lines.next(), failed]);
  if (hello.done) return undefined;
  const [librosa, numpy] = hello.value.split(" ");
  const run = async (seconds) => {
    child.stdin.write(`${seconds}\n`);
    return Number((await lines.next()).value);
  };
  return { librosa, numpy, run, stop: () => child.stdin.end() };
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

async function measured(seconds, peer) {
  const run = ours(seconds);
  for (let i = 0; i < 3; i++) run(); // the engine optimises what runs often
  const [own, others] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    own.push(ROUND_S / run());
    if (peer) others.push(ROUND_S / (await peer.run(seconds)));
  }
  const spread = (values) => ({
    median: median(values),
    least: Math.min(...values),
    most: Math.max(...values),
  });
  return {
    clipSeconds: seconds,
    secondsPerSecond: spread(own),
    ...(peer && {
      librosa: spread(others),
      ratio: spread(own.map((value, i) => value / others[i])),
    }),
  };
}

/** The device's MFCC, 44 x 13: exact, from the plan. */
function mfccMemory() {
  const spec = features.defaultAudioSpec({ sampleRateHz: RATE_HZ });
  const { scratch, constant } = kernel.plan(
    features.frontendRoutine("audio", spec, "raw"),
  ).regionBytes;
  return { scratchBytes: scratch, tableBytes: constant };
}

const peer = await startPeer();
const logMel = [];
for (const seconds of CLIPS_S) logMel.push(await measured(seconds, peer));
peer?.stop();
const result = {
  machine: `${cpus()[0]?.model ?? process.arch}, ${process.platform}, one thread`,
  versions: {
    node: process.version,
    ...(peer && { librosa: peer.librosa, numpy: peer.numpy }),
  },
  rounds: ROUNDS,
  secondsARound: ROUND_S,
  logMel,
  mfcc: mfccMemory(),
};
if (json) console.log(JSON.stringify(result));
else print(result);

function print({ machine, versions, mfcc }) {
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  console.log(`${machine}; ${names.join(", ")}; median [least, most] of ${ROUNDS} rounds\n`);
  const range = ({ median: middle, least, most }, digits = 0) =>
    `${middle.toFixed(digits)} [${least.toFixed(digits)}, ${most.toFixed(digits)}]`;
  for (const { clipSeconds, secondsPerSecond, librosa, ratio } of logMel) {
    console.log(`log-mel of ${clipSeconds} s clips, seconds of sound a second of processor time`);
    console.log(`  tinym2net  ${range(secondsPerSecond)}`);
    if (librosa) console.log(`  librosa    ${range(librosa)}, ratio ${range(ratio, 2)}`);
  }
  if (!peer) console.log(`no librosa in ${python}: nothing to compare with`);
  const memory = `${mfcc.scratchBytes} bytes of scratch, ${mfcc.tableBytes} bytes of tables`;
  console.log(`\nMFCC 44 x 13: ${memory} (exact, without scaling)`);
}
