/** report RUN [--arms RUN,RUN]: one page to look at. */

import { relative, resolve } from "node:path";
import { renderReport } from "../../studio/report/index.ts";
import type { Context } from "../context.ts";
import { reportOf, reportPath } from "../report-data.ts";
import { readCompressed, readRun } from "../run.ts";
import { hasFile, writeWhole } from "../run-folder.ts";

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
  context.print(`Next: ${context.program} deploy ${run} --target portable --out firmware`);
  return { file, ...(data.gain ? { gain: data.gain } : {}) };
}

/** The commands that make these runs from the data again. */
async function commandsOf(runs: readonly string[], arms: readonly string[]): Promise<string[]> {
  const commands: string[] = [];
  for (const run of runs) {
    const { settings, dataset } = await readRun(run);
    const { modalities, preset, epochs, seed, batch, rate, size } = settings;
    const flags = `--preset ${preset} --modalities ${modalities.join(",")} --epochs ${epochs} --seed ${seed}`;
    const rest = `--batch ${batch} --rate ${rate} --size ${size}`;
    const data = relative("", resolve(run, dataset.folder)) || ".";
    commands.push(`tinym2net train ${data} --out ${run} ${flags} ${rest}`);
  }
  const compare = arms.length > 0 ? ` --arms ${arms.join(",")}` : "";
  return [...commands, ...(await compressOf(runs[0])), `tinym2net report ${runs[0]}${compare}`];
}

async function compressOf(run: string): Promise<string[]> {
  if (!(await hasFile(run, "compressed.json"))) return [];
  const { precision, limits } = await readCompressed(run);
  const within = Object.entries(limits).map(([name, bytes]) => ` --${name} ${bytes}`);
  return [`tinym2net compress ${run} --bits ${precision}${within.join("")}`];
}
