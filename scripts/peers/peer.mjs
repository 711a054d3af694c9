/**
 * The line protocol of a peer (src/bench/peer.ts), for engines in JavaScript.
 *
 * serve(load, build) reads the set-up, times build and the first step, and answers runs until its
 * input ends.
 */

import { writeSync } from "node:fs";
import { createInterface } from "node:readline";

/** load(setup) imports the engine and gives its version; build(setup) gives { step, logits? }. */
export async function serve(load, build) {
  // libraries print as they like: the protocol has standard output to itself
  for (const name of ["log", "info", "warn", "debug"]) console[name] = console.error;
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const given = JSON.parse((await lines.next()).value);
  const setup = { ...given, weights: weightsOf(given), inputs: batchOf(given) };
  const version = await loaded(load, setup);
  if (version === undefined) return;
  const started = performance.now();
  const { step, logits } = await build(setup);
  await step();
  const ready = { version, firstStepMs: performance.now() - started };
  say({ ready: logits === undefined ? ready : { ...ready, logits: [...(await logits())] } });
  for (;;) {
    const { value, done } = await lines.next();
    if (done) break;
    say(await run(step, JSON.parse(value).run.seconds));
  }
  process.exit(0);
}

async function loaded(load, setup) {
  try {
    return await load(setup);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    say({ missing: error.message });
    process.exit(0);
  }
}

function say(answer) {
  writeSync(1, `${JSON.stringify(answer)}\n`);
}

async function run(step, wanted) {
  const started = performance.now();
  let [steps, seconds, loss] = [0, 0, undefined];
  do {
    loss = await step();
    steps++;
    seconds = (performance.now() - started) / 1000;
  } while (seconds < wanted);
  return { steps, seconds, loss };
}

/** Every parameter by name: { values, shape }. */
function weightsOf({ weights, parameters }) {
  const all = new Float32Array(bytesOf(weights).buffer);
  const found = new Map();
  let at = 0;
  for (const { name, shape } of parameters) {
    const size = product(shape);
    found.set(name, { values: all.slice(at, at + size), shape });
    at += size;
  }
  return found;
}

/** Every input by name as floats, [batch, H, W, C]. */
function batchOf({ inputs, inputScale }) {
  const floats = (text) => Float32Array.from(new Int8Array(bytesOf(text).buffer), scaled);
  const scaled = (value) => value * inputScale;
  return Object.fromEntries(Object.entries(inputs).map(([name, text]) => [name, floats(text)]));
}

/** Bytes in a buffer of their own, so that wider views are aligned. */
function bytesOf(text) {
  return Uint8Array.from(Buffer.from(text, "base64"));
}

export function product(shape) {
  return shape.reduce((a, b) => a * b, 1);
}

/** Outputs and padding [before, after] of one axis; "same" is TensorFlow's. */
export function axisOf(extent, kernel, stride, padding) {
  if (padding === "valid")
    return { outputs: Math.floor((extent - kernel) / stride) + 1, pad: [0, 0] };
  const outputs = Math.ceil(extent / stride);
  const total = Math.max(0, (outputs - 1) * stride + kernel - extent);
  const before = Math.floor(total / 2);
  return { outputs, pad: [before, total - before] };
}
