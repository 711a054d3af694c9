/** What stands in the JSON files of a run, and how a verb reads a whole stage of it. */

import { type QuantizedGraph, type StoredGraph, unpackGraph } from "../../src/compress/index.ts";
import type { Example } from "../../src/deploy/index.ts";
import { UserError } from "../../src/errors.ts";
import type { Frontend } from "../../src/features/index.ts";
import { type Graph, unpackWeights, type Weights } from "../../src/model/index.ts";
import type { AugmentSpec, ClassScore, EpochRecord, Interval } from "../../src/train/index.ts";
import { integrityOf, readBytes, readJson } from "./run-folder.ts";

export const SCHEMA_VERSION = 1;

export const OPTIMIZERS = ["adamw", "adam", "sgd"] as const;
export type OptimizerName = (typeof OPTIMIZERS)[number];

export const SCHEDULES = ["cosine", "step"] as const;
export type ScheduleName = (typeof SCHEDULES)[number];

/**
 * How sums of products are rounded. portable: each operation by itself, the same bytes on every
 * machine; fused: product and sum at once where WebAssembly has relaxed SIMD, which is faster.
 */
export type Engine = "fused" | "portable";

/** How a training was asked for; with the data it decides every byte of the run. */
export interface TrainSettings {
  readonly preset: string;
  readonly modalities: readonly string[];
  readonly epochs: number;
  readonly seed: number;
  readonly batch: number;
  readonly optimizer: OptimizerName;
  readonly rate: number;
  readonly schedule: ScheduleName;
  readonly engine: Engine;
  /** Side of the pictures that the net sees. */
  readonly size: number;
  /** Of cross-validation, such as "2/5", where the manifest's splits are not used. */
  readonly fold?: string;
  /** Of training samples; not there where there is none. */
  readonly augment?: AugmentSpec;
  /** Folders of noise that it names, with a hash of each. */
  readonly noise?: Readonly<Record<string, string>>;
}

export interface RunRecord {
  readonly schemaVersion: number;
  readonly version: string;
  readonly settings: TrainSettings;
  readonly dataset: {
    readonly name: string;
    /** From the run folder. */
    readonly folder: string;
    readonly hash: string;
    /** Of manifest.csv alone: runs on different modalities of one dataset share it. */
    readonly manifest: string;
    readonly classes: readonly string[];
    readonly modalities: readonly { readonly name: string; readonly kind: string }[];
    readonly isSynthetic: boolean;
    readonly samples: Readonly<Record<string, Readonly<Record<string, number>>>>;
    readonly groups: number;
    readonly problems: readonly { severity: string; kind: string; message: string }[];
  };
}

export interface ModelRecord {
  readonly schemaVersion: number;
  readonly graph: Graph;
  readonly frontend: Frontend;
  readonly best: EpochRecord;
  readonly weights: string;
}

export interface CompressedRecord {
  readonly schemaVersion: number;
  readonly precision: "8" | "4" | "mixed";
  readonly graph: StoredGraph;
  readonly sensitivity: readonly { name: string; bytes: number; sensitivity: number }[];
  readonly flashBytes: number;
  readonly ramBytes: number;
  /** Bytes that were allowed, where it was said. */
  readonly limits: { readonly flash?: number; readonly ram?: number };
  /** Of the float model it was made from, and of its own arrays. */
  readonly model: string;
  readonly weights: string;
}

/** One scored split; predictions are kept so that runs can be compared sample by sample. */
export interface Evaluation {
  readonly dataset: string;
  readonly split: string;
  readonly precision: "float" | "8-bit" | "4-bit" | "mixed 8/4";
  /**
   * Hashes of the data, the float weights and the integer net that were scored: a result is shown
   * only beside what it was measured with.
   */
  readonly data: string;
  readonly model: string;
  readonly compressed?: string;
  readonly n: number;
  readonly accuracy: number;
  readonly accuracyInterval: Interval;
  readonly balancedAccuracy: number;
  readonly balancedAccuracyInterval: Interval;
  readonly auc?: number;
  readonly confusion: readonly (readonly number[])[];
  readonly perClass: readonly ClassScore[];
  readonly ids: readonly string[];
  readonly groups: readonly string[];
  readonly labels: readonly number[];
  readonly predictions: readonly number[];
}

export interface Model {
  readonly graph: Graph;
  readonly frontend: Frontend;
  readonly weights: Weights;
  readonly best: EpochRecord;
  /** Hash of the weights: what a compressed net says it was made from. */
  readonly hash: string;
}

export async function readRun(folder: string): Promise<RunRecord> {
  const record = await readJson<RunRecord>(folder, "run.json", { verb: "train" });
  if (record.schemaVersion === SCHEMA_VERSION) return record;
  const schemas = `schema ${record.schemaVersion}, this version reads ${SCHEMA_VERSION}`;
  throw new UserError(`${folder}/run.json has ${schemas}; train again`);
}

export async function readModel(folder: string): Promise<Model> {
  const record = await readJson<ModelRecord>(folder, "model.json", { verb: "train" });
  const bytes = await readBytes(folder, "model.weights", { verb: "train", hash: record.weights });
  const weights = unpackWeights(record.graph, bytes, `${folder}/model.weights`);
  const { graph, frontend, best } = record;
  return { graph, frontend, best, weights, hash: record.weights };
}

export interface CompressedModel extends Omit<CompressedRecord, "graph"> {
  readonly graph: QuantizedGraph;
  /** Of the whole record, arrays included: what results say they were measured with. */
  readonly hash: string;
}

/** throws   UserError if the net was trained again since it was compressed */
export async function readCompressed(folder: string): Promise<CompressedModel> {
  const record = await readJson<CompressedRecord>(folder, "compressed.json", { verb: "compress" });
  const model = await readModel(folder);
  if (record.model !== model.hash) {
    throw new UserError(
      `${folder} was trained again since it was compressed; run \`tinym2net compress\` again`,
    );
  }
  const source = { verb: "compress", hash: record.weights };
  const bytes = await readBytes(folder, "compressed.weights", source);
  const graph = unpackGraph(record.graph, bytes, `${folder}/compressed.weights`);
  return { ...record, graph, hash: integrityOf(record) };
}

/** Name of a precision in tables and reports. */
export function precisionName(precision: CompressedRecord["precision"]): Evaluation["precision"] {
  return precision === "mixed" ? "mixed 8/4" : precision === "8" ? "8-bit" : "4-bit";
}

interface GoldenRecord {
  readonly examples: readonly {
    readonly inputs: Readonly<
      Record<string, { readonly type: "s16" | "u8"; readonly base64: string }>
    >;
    readonly scores: readonly number[];
  }[];
}

/** Golden vectors as JSON. */
export function goldenRecord(examples: readonly Example[]): GoldenRecord {
  return {
    examples: examples.map(({ inputs, scores }) => ({
      scores: [...scores],
      inputs: Object.fromEntries(
        Object.entries(inputs).map(([name, values]) => {
          const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
          const type = values instanceof Int16Array ? "s16" : "u8";
          return [name, { type, base64: bytes.toString("base64") }];
        }),
      ),
    })),
  };
}

export async function readGolden(folder: string): Promise<Example[]> {
  const { examples } = await readJson<GoldenRecord>(folder, "golden.json", { verb: "compress" });
  return examples.map(({ inputs, scores }) => ({
    scores: Int8Array.from(scores),
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([name, { type, base64 }]) => {
        const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
        return [name, type === "s16" ? new Int16Array(bytes.buffer) : bytes];
      }),
    ),
  }));
}
