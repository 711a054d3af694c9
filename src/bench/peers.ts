/** The engines that training and inference are compared with, and how each is installed. */

import { existsSync } from "node:fs";
import { join, relative } from "node:path";
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
  /** What pip installs; the packages for Node are in scripts/peers/package.json. */
  readonly pip?: string;
}

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
    pip: "torch",
  },
  tensorflow: {
    engine: "TensorFlow",
    host: "python",
    program: "tensorflow-keras.py",
    tasks: ["train", "infer"],
    settings: [""],
    hasThreads: true,
    pip: "tensorflow-cpu",
  },
  tfjs: {
    engine: "TensorFlow.js",
    host: "node",
    program: "tfjs.mjs",
    tasks: ["train", "infer"],
    settings: ["wasm"],
    hasThreads: false,
  },
  "onnxruntime-node": {
    engine: "ONNX Runtime",
    host: "node",
    program: "onnxruntime.mjs",
    tasks: ["infer"],
    settings: ["node"],
    hasThreads: true,
  },
  "onnxruntime-web": {
    engine: "ONNX Runtime",
    host: "node",
    program: "onnxruntime.mjs",
    tasks: ["infer"],
    settings: ["web"],
    hasThreads: true,
  },
};

export interface PeerCandidate extends Candidate {
  readonly peer: PeerName;
}

/** How to install a peer, as a command. */
export function installOf(peer: PeerName): string {
  const { pip } = PEERS[peer];
  if (pip !== undefined) {
    return `python3 -m pip install ${pip} (TINYM2NET_PYTHON names another python3)`;
  }
  return `npm install --ignore-scripts --prefix ${relative("", folderOfPeers() ?? "")}`;
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

/** Where the peers' programs are: sources lie two folders below the package, built files three. */
function folderOfPeers(): string | undefined {
  return ["../../scripts/peers", "../../../scripts/peers"]
    .map((folder) => fileURLToPath(new URL(folder, import.meta.url)))
    .find((folder) => existsSync(join(folder, "peer.mjs")));
}

function commandOf(
  host: Peer["host"],
  program: string,
  environment: Environment,
): Command | undefined {
  const folder = folderOfPeers();
  if (folder === undefined) return undefined;
  const path = join(folder, program);
  if (host === "node") return { command: process.execPath, parameters: [path], environment };
  const python = environment.TINYM2NET_PYTHON || "python3";
  return { command: python, parameters: ["-u", path], environment };
}
