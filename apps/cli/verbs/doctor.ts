/** doctor: what this machine can do. */

import { targetNames, target as targetOf } from "../../../src/bench/index.ts";
import type { Context } from "../context.ts";
import { renderTable } from "../terminal/table.ts";
import { toolVersion } from "../version.ts";

export interface DoctorResult {
  readonly version: string;
  readonly node: string;
  readonly targets: Readonly<
    Record<string, { readonly available: boolean; readonly reason: string }>
  >;
}

export async function doctor(context: Context): Promise<DoctorResult> {
  const targets: Record<string, { available: boolean; reason: string }> = {};
  for (const name of targetNames) {
    targets[name] = await targetOf(name, { environment: context.environment }).available();
  }
  const rows = Object.entries(targets).map(([name, { available, reason }]) => [
    name,
    available ? "yes" : "no",
    reason,
  ]);
  context.print(
    `tinym2net ${toolVersion()}, Node ${process.version}, ${process.platform} ${process.arch}\n`,
  );
  context.print(`${renderTable(["target", "runs here", "why"], rows)}\n`);
  context.print(`Next: ${context.program} demo`);
  return { version: toolVersion(), node: process.version, targets };
}
