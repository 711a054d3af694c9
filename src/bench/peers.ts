/** The engines that training and inference are compared with, and how each is installed. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, startPeer } from "./peer.ts";
import { type Candidate, NotInstalled, type Task } from "./race.ts";
import type { Environment } from "./tool.ts";
import type { Workload } from "./workload.ts";

interface Peer {
  /** Its name in tables and in the JSON. */
  readonly engine: string;
  readonly host: "python" | "node";
  /** File in scripts/peers. */
  readonly program: string;
  readonly tasks: readonly Task[];
  /** Ways to use it that are measured apart; the best one counts. */
  readonly settings: readonly string[];
  /** An engine that knows no threads here is measured with one. */
  readonly hasThreads: boolean;
  readonly install: string;
}

const NODE_INSTALL = "npm install --prefix scripts/peers";
const PYTHON_INSTALL = (packages: string): string =>
  `python3 -m pip install ${packages} (TINYM2NET_PYTHON names another python3)`;

/** In the order of the tables. */
export const peerNames = [
  "pytorch",
  "tensorflow",
  "tfjs",
  "onnxruntime-node",
  "onnxruntime-web",
] as const;

export type PeerName = (typeof peerNames)[number];

const PEERS: Readonly<Record<PeerName, Peer>> = {
  pytorch: {
    engine: "PyTorch",
    host: "python",
    program: "pytorch.py",
    tasks: ["train", "infer"],
    settings: ["default", "channels last"],
    hasThreads: true,
    install: PYTHON_INSTALL("torch"),
  },
  tensorflow: {
    engine: "TensorFlow",
    host: "python",
    program: "tensorflow-keras.py",
    tasks: ["train", "infer"],
    settings: [""],
    hasThreads: true,
    install: PYTHON_INSTALL("tensorflow-cpu"),
  },
  tfjs: {
    engine: "TensorFlow.js",
    host: "node",
    program: "tfjs.mjs",
    tasks: ["train", "infer"],
    settings: ["wasm"],
    hasThreads: false,
    install: NODE_INSTALL,
  },
  "onnxruntime-node": {
    engine: "ONNX Runtime",
    host: "node",
    program: "onnxruntime.mjs",
    tasks: ["infer"],
    settings: ["node"],
    hasThreads: true,
    install: NODE_INSTALL,
  },
  "onnxruntime-web": {
    engine: "ONNX Runtime",
    host: "node",
    program: "onnxruntime.mjs",
    tasks: ["infer"],
    settings: ["web"],
    hasThreads: true,
    install: NODE_INSTALL,
  },
};

export interface PeerCandidate extends Candidate {
  readonly peer: PeerName;
}

/** How to install a peer, as a command. */
export function installOf(peer: PeerName): string {
  return PEERS[peer].install;
}

/** A candidate for each setting and number of threads of a peer; none if it cannot do the task. */
export function peerCandidates(
  peer: PeerName,
  workload: Workload,
  {
    task,
    threadCounts,
    environment,
  }: { task: Task; threadCounts: readonly number[]; environment: Environment },
): PeerCandidate[] {
  const { engine, host, program, tasks, settings, hasThreads } = PEERS[peer];
  if (!tasks.includes(task)) return [];
  const command = commandOf(host, program, environment);
  return settings.flatMap((setting) =>
    (hasThreads ? threadCounts : [1]).map((threads) => ({
      ...{ peer, engine, setting, task, threads, variant: "float" },
      start: async () => {
        if (command === undefined) throw new NotInstalled("scripts/peers");
        return startPeer(command, workload, { task, setting, threads });
      },
    })),
  );
}

/** Sources lie two folders below the package, built files three. */
const FOLDERS = ["../../scripts/peers", "../../../scripts/peers"];

function commandOf(
  host: Peer["host"],
  program: string,
  environment: Environment,
): Command | undefined {
  const folders = FOLDERS.map((folder) => fileURLToPath(new URL(folder, import.meta.url)));
  const path = folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
  if (path === undefined) return undefined;
  if (host === "node") return { command: process.execPath, parameters: [path], environment };
  const python = environment.TINYM2NET_PYTHON || "python3";
  return { command: python, parameters: ["-u", path], environment };
}
