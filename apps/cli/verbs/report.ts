/** report RUN [--arms RUN,RUN]: one page to look at. */

import { relative, resolve } from "node:path";
import { renderReport } from "../../studio/report/index.ts";
import type { Context } from "../context.ts";
import { reportOf, reportPath } from "../report-data.ts";
import { readCompressed, readRun, type TrainSettings } from "../run.ts";
import { hasFile, writeWhole } from "../run-folder.ts";
import { readEvaluations } from "../scoring.ts";
import { quoted } from "../shell.ts";

export interface ReportOptions {
  /** Runs of single modalities (or others) to compare with. */
  readonly arms?: readonly string[];
}

export interface ReportResult {
  readonly file: string;
  readonly gain?: object;
}

export async function report(
  context: Context,
  run: string,
  { arms = [] }: ReportOptions,
): Promise<ReportResult> {
  const data = await reportOf([run, ...arms], await commandsOf([run, ...arms], arms));
  const file = reportPath(run);
  await writeWhole(file, renderReport(data));
  context.print(`Report: ${file}`);
  context.print(`Next: ${context.program} deploy ${quoted(run)} --target portable --out firmware`);
  return { file, ...(data.gain ? { gain: data.gain } : {}) };
}

/** The commands that make these runs, and what the report shows of them, from the data again. */
async function commandsOf(runs: readonly string[], arms: readonly string[]): Promise<string[]> {
  const commands: string[] = [];
  const say = (...words: string[]): void => {
    commands.push(["tinym2net", ...words].map(quoted).join(" "));
  };
  for (const run of runs) {
    const here = relative("", run) || ".";
    const { settings, dataset } = await readRun(run);
    const data = relative("", resolve(run, dataset.folder)) || ".";
    say("train", data, "--out", here, ...flagsOf(settings));
    if (run === runs[0]) for (const words of await compressOf(run, here)) say(...words);
    for (const { split, precision } of await readEvaluations(run)) {
      const isInteger = precision !== "float";
      if (split !== "val") {
        say("evaluate", here, "--split", split, ...(isInteger ? ["--precision", "int"] : []));
      }
    }
  }
  const main = relative("", runs[0]) || ".";
  if (await hasFile(runs[0], "verify.json")) say("verify", main);
  const compare = arms.map((arm) => relative("", arm) || ".").join(",");
  say("report", main, ...(arms.length > 0 ? ["--arms", compare] : []));
  return commands;
}

function flagsOf({ modalities, fold, ...settings }: TrainSettings): string[] {
  const names = ["preset", "epochs", "seed", "batch", "rate", "size"] as const;
  const flags = names.flatMap((name) => [`--${name}`, `${settings[name]}`]);
  const folds = fold === undefined ? [] : ["--fold", fold];
  return ["--modalities", modalities.join(","), ...flags, ...folds];
}

async function compressOf(run: string, here: string): Promise<string[][]> {
  if (!(await hasFile(run, "compressed.json"))) return [];
  const { precision, limits } = await readCompressed(run);
  const within = Object.entries(limits).flatMap(([name, bytes]) => [`--${name}`, `${bytes}`]);
  return [["compress", here, "--bits", precision, ...within]];
}
