/** The tables of `bench training`. */

import { type Candidate, OURS, type Task } from "../../src/bench/index.ts";
import { formatCount } from "./terminal/format.ts";
import { renderTable } from "./terminal/table.ts";

/** One candidate's measurement. */
export interface TrainingRow {
  readonly task: Task;
  readonly engine: string;
  readonly setting: string;
  readonly variant: string;
  readonly threads: number;
  /** Median over rounds. */
  readonly samplesPerSecond: number;
  readonly slowest: number;
  readonly fastest: number;
  /** How many times faster ours is with as many threads; null if we have no such row. */
  readonly ratio: number | null;
  readonly firstStepMs: number;
}

/** What an entry is called in tables and progress. */
export function nameOf({
  engine,
  setting,
  variant,
}: Pick<Candidate, "engine" | "setting" | "variant">): string {
  const told = [setting, variant === "float" ? "" : variant].filter((word) => word !== "");
  return told.length === 0 ? engine : `${engine} (${told.join(", ")})`;
}

const TITLES: Readonly<Record<Task, string>> = {
  train: "Training: forward, backward and Adam",
  infer: "Inference",
};

/** A table for each task that has rows. */
export function renderTraining(rows: readonly TrainingRow[]): string {
  const tasks: readonly Task[] = ["train", "infer"];
  return tasks
    .map((task) => ({ task, some: rows.filter((row) => row.task === task) }))
    .filter(({ some }) => some.length > 0)
    .map(({ task, some }) => `${TITLES[task]}, samples/s\n\n${tableOf(some)}\n`)
    .join("\n");
}

/** The setting of an engine that is faster than its others is marked: that is what we compare with. */
function tableOf(rows: readonly TrainingRow[]): string {
  const header = ["engine", "threads", "median", "slowest", "fastest", "ours is", "first step ms"];
  const cells = rows.map((row) => [
    `${nameOf(row)}${isBestOfSeveral(row, rows) ? " *" : ""}`,
    `${row.threads}`,
    formatRate(row.samplesPerSecond),
    formatRate(row.slowest),
    formatRate(row.fastest),
    row.ratio === null || row.engine === OURS ? "" : `${row.ratio.toFixed(2)} x`,
    row.firstStepMs.toFixed(0),
  ]);
  const hasMark = rows.some((row) => isBestOfSeveral(row, rows));
  return `${renderTable(header, cells)}${hasMark ? "\n\n* its best setting" : ""}`;
}

function isBestOfSeveral(row: TrainingRow, rows: readonly TrainingRow[]): boolean {
  const others = rows.filter(
    (other) => other.engine === row.engine && other.threads === row.threads && other !== row,
  );
  const isBest = others.every((other) => other.samplesPerSecond <= row.samplesPerSecond);
  return row.engine !== OURS && others.length > 0 && isBest;
}

function formatRate(rate: number): string {
  return rate < 10 ? rate.toFixed(1) : formatCount(rate);
}
