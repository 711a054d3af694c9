/**
 * verify RUN: the reference interpreter, WebAssembly and compiled C must give the same integers.
 */

import {
  requireAvailable,
  targetNames,
  target as targetOf,
  type Verification,
  verify as verifyTargets,
} from "../../../src/bench/index.ts";
import type { Product } from "../../../src/deploy/index.ts";
import { UserError } from "../../../src/errors.ts";
import type { TypedArray } from "../../../src/kernel/index.ts";
import { random, shuffle } from "../../../src/tensor/index.ts";
import type { Context } from "../context.ts";
import { readProduct } from "../product.ts";
import { readModel, readRun } from "../run.ts";
import { writeJson } from "../run-folder.ts";
import { completeSamples, type Means, openTrainedDataset, readInputs } from "../samples.ts";
import { quoted } from "../shell.ts";
import { formatCount } from "../terminal/format.ts";
import { renderTable } from "../terminal/table.ts";

export interface VerifyOptions extends Pick<Means, "cache"> {
  readonly targets?: readonly string[];
  readonly samples: number;
  readonly data?: string;
}

export interface VerifyResult {
  /** Every target that ran is equal. */
  readonly equal: boolean;
  /** Where the samples come from: the validation split, or the golden vectors of the run. */
  readonly source: "val" | "golden";
  readonly targets: Readonly<Record<string, Verification>>;
  readonly exitCode: number;
}

type Inputs = Readonly<Record<string, TypedArray>>;

/**
 * Without `targets`, those that this machine can run; a target named and missing is exit code 4.
 */
export async function verify(
  context: Context,
  run: string,
  { targets: names, samples: count, ...options }: VerifyOptions,
): Promise<VerifyResult> {
  const { environment } = context;
  const targets = (names ?? targetNames).map((name) => targetOf(name, { environment }));
  const { product, compressed } = await readProduct(run);
  if (names !== undefined) for (const wanted of targets) await requireAvailable(wanted);
  const { samples, source } = await samplesOf(context, run, product, { count, ...options });
  context.reporter.stage("verify");
  const results = await verifyTargets(product, samples, targets, {
    onProgress: ({ stage, done, total }) => context.reporter.update(done, total, stage),
  });
  context.reporter.done();
  const equal = results.every((result) => result.equal !== false);
  await writeJson(run, "verify.json", { compressed, results });
  print(context, results, { run, source });
  const byName = Object.fromEntries(results.map((result) => [result.target, result]));
  return { equal, source, targets: byName, exitCode: equal ? 0 : 3 };
}

/** Samples of the validation split, drawn over its classes, or the golden vectors without the data. */
async function samplesOf(
  context: Context,
  run: string,
  product: Product,
  { count, ...options }: { count: number } & Pick<VerifyOptions, "data" | "cache">,
): Promise<{ samples: Inputs[]; source: VerifyResult["source"] }> {
  const record = await readRun(run);
  const { frontend } = await readModel(run);
  try {
    const opened = await openTrainedDataset(context, run, record, options);
    const val = completeSamples(opened.dataset, "val", record.settings.modalities);
    const samples: Inputs[] = [];
    for (const sample of shuffle(val, random("verify")).slice(0, count)) {
      samples.push(await readInputs(opened, frontend, sample));
    }
    return { samples, source: "val" };
  } catch (error) {
    if (options.data !== undefined || !(error instanceof UserError)) throw error;
    const samples = product.examples.slice(0, count).map(({ inputs }) => inputs);
    return { samples, source: "golden" };
  }
}

function print(
  context: Context,
  results: readonly Verification[],
  { run, source }: { run: string; source: VerifyResult["source"] },
): void {
  const rows = results.map(({ target, equal, samples, firstDifference, skipped }) => [
    target,
    equal === null ? `skipped: ${skipped ?? ""}` : equal ? "equal" : "DIFFERENT",
    formatCount(samples),
    firstDifference === null
      ? ""
      : `sample ${firstDifference.sample}, ${firstDifference.layer}[${firstDifference.element}]: ` +
        `${firstDifference.expected} expected, ${firstDifference.got} got`,
  ]);
  const from =
    source === "val" ? "validation recordings" : "golden vectors (the data is not there)";
  context.print(
    `Against the reference interpreter, ${from}: raw samples and pixels in, scores out\n`,
  );
  context.print(`${renderTable(["target", "result", "samples", "first difference"], rows)}\n`);
  context.print(`Next: ${context.program} deploy ${quoted(run)} --target portable --out firmware`);
}
