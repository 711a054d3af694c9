/** report RUN [--arms RUN,RUN]: one page to look at. */

import { renderReport } from "../../studio/report/index.ts";
import type { Context } from "../context.ts";
import { reportOf, reportPath } from "../report-data.ts";
import { readRun } from "../run.ts";
import { writeWhole } from "../run-folder.ts";

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
  context.print(`Next: tinym2net deploy ${run} --target portable --out firmware`);
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
    commands.push(`tinym2net train ${dataset.name} --out ${run} ${flags} ${rest}`);
  }
  const compare = arms.length > 0 ? ` --arms ${arms.join(",")}` : "";
  return [...commands, `tinym2net compress ${runs[0]}`, `tinym2net report ${runs[0]}${compare}`];
}
