/**
 * Programs on several threads: one memory and one module for all, Node's worker_threads or the
 * browser's workers.
 *
 * Workers sleep between runs. To run, the count of runs is raised and they wake; each does its
 * share of every call and meets the others at the barrier after it. The result is the same for any
 * number of threads.
 */

import type { Runner } from "./interpret.ts";
import type { Program } from "./plan.ts";
import { hasFusedMultiplyAdd } from "./runtime.ts";
import { RUNS_ADDRESS } from "./wasm/barrier.ts";
import {
  type CompileOptions,
  compile,
  type EncodeOptions,
  encodeModule,
  layoutOf,
  viewer,
  writeData,
} from "./wasm/module.ts";

/** Memory that a thread asks the system for before it is needed: words from and to. */
interface Touch {
  readonly memory: WebAssembly.Memory;
  readonly from: number;
  readonly to: number;
}

/** What a thread is told to do from then on. */
interface Task {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Name of the function that does its share. */
  readonly entry: string;
  readonly runsAddress: number;
}

/** A runner that owns threads. */
export interface ThreadedRunner extends Runner {
  /** End the threads; the runner cannot run afterwards, its views stay. */
  stop(): Promise<void>;
}

/** The text of a worker, for both kinds; it must not use anything from outside. */
const SOURCE = `
const touch = ({ memory, from, to }) => {
  const words = new Int32Array(memory.buffer);
  const wordsAPage = 1024;
  for (let word = from; word < to; word += wordsAPage) Atomics.add(words, word, 0);
};
const begin = ({ module, memory, entry, runsAddress }, ready) => {
  const run = new WebAssembly.Instance(module, { env: { memory } }).exports[entry];
  const runs = new Int32Array(memory.buffer, runsAddress, 1);
  let seen = Atomics.load(runs, 0);
  ready();
  for (;;) {
    Atomics.wait(runs, 0, seen);
    const now = Atomics.load(runs, 0);
    if (now !== seen) { seen = now; run(); }
  }
};
if (typeof self === "undefined" || typeof self.importScripts !== "function") {
  const { parentPort } = require("node:worker_threads");
  const ready = () => parentPort.postMessage("ready");
  parentPort.on("message", (data) => ("to" in data ? touch(data) : begin(data, ready)));
} else {
  const ready = () => self.postMessage("ready");
  self.onmessage = ({ data }) => ("to" in data ? touch(data) : begin(data, ready));
}`;

/**
 * A program compiled for several threads.
 *
 * threads     this one included; 1 needs no shared memory
 * patienceMs  after which a thread that does not answer is given up
 * throws      an Error if a thread cannot be started; its run, if one has died
 */
export async function compileThreads(
  program: Program,
  threads: number,
  { patienceMs, ...options }: Pick<EncodeOptions, "patienceMs"> & CompileOptions = {},
): Promise<ThreadedRunner> {
  if (threads <= 1) return { ...compile(program, options), stop: async () => {} };
  const { pages } = layoutOf(program);
  const patience = patienceMs === undefined ? {} : { patienceMs };
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const { modules } = options;
  const fused = options.fused === true && hasFusedMultiplyAdd();
  writeData(program, memory);
  // while this thread encodes, they start and fetch the pages, which the system gives out one by one
  const workers = await startWorkers(threads - 1);
  workers.forEach(({ touch }, i) => {
    touch({ memory, ...shareOfWords(memory, i, workers.length) });
  });
  const stop = async (): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.stop()));
  };
  let run: WebAssembly.ExportValue;
  try {
    const module =
      modules?.get(program) ??
      (await WebAssembly.compile(encodeModule(program, { parts: threads, fused, ...patience })));
    modules?.set(program, module);
    run = new WebAssembly.Instance(module, { env: { memory } }).exports.run0;
    const task = { module, memory, runsAddress: RUNS_ADDRESS };
    await Promise.all(workers.map(({ begin }, i) => begin({ ...task, entry: `run${i + 1}` })));
  } catch (error) {
    await stop();
    throw error;
  }
  return { view: viewer(program, memory), run: runnerOf(run, memory), stop };
}

function shareOfWords(
  { buffer }: WebAssembly.Memory,
  part: number,
  parts: number,
): Pick<Touch, "from" | "to"> {
  const words = buffer.byteLength / Int32Array.BYTES_PER_ELEMENT;
  const at = (share: number): number => Math.floor((words * share) / parts);
  return { from: at(part), to: at(part + 1) };
}

function runnerOf(run: WebAssembly.ExportValue, memory: WebAssembly.Memory): () => void {
  if (typeof run !== "function") throw new Error("internal: the module must export run0");
  const runs = new Int32Array(memory.buffer, RUNS_ADDRESS, 1);
  return () => {
    Atomics.add(runs, 0, 1);
    Atomics.notify(runs, 0);
    try {
      run();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`a thread has stopped answering (${reason}); try again with one thread`);
    }
  };
}

/** A thread that is starting, or waits to be told what to do. */
interface Waiting {
  touch(memory: Touch): void;
  /** Resolves when it waits for the first run; rejects if it cannot be started. */
  begin(task: Task): Promise<void>;
  stop(): Promise<unknown>;
}

async function startWorkers(count: number): Promise<Waiting[]> {
  if (typeof WorkerGlobalScope !== "undefined" || !("process" in globalThis)) {
    return Array.from({ length: count }, startWebWorker);
  }
  const { Worker } = await import("node:worker_threads");
  return Array.from({ length: count }, () => {
    // flags of the process, such as --input-type, would change how the source is read
    const worker = new Worker(SOURCE, { eval: true, execArgv: [] });
    const ready = new Promise<void>((resolve, reject) => {
      worker.once("message", () => resolve());
      worker.once("error", reject);
    });
    return waiting(
      worker,
      ready.then(() => worker.unref()),
    );
  });
}

function startWebWorker(): Waiting {
  const url = URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" }));
  const worker = new Worker(url);
  const ready = new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = ({ message }) => reject(new Error(message));
  });
  return waiting(worker, ready);
}

/** A worker of either kind. */
interface Sent {
  postMessage(message: Touch | Task): void;
  terminate(): unknown;
}

function waiting(worker: Sent, ready: Promise<unknown>): Waiting {
  ready.catch(() => {}); // who begins is told
  return {
    touch: (memory) => worker.postMessage(memory),
    begin: async (task) => {
      worker.postMessage(task);
      await ready;
    },
    stop: async () => worker.terminate(),
  };
}
