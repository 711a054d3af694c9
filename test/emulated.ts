/** Emitted packages, built and run on emulated cores: an Arm Cortex-M4 without libc, a Cortex-A72. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import {
  CORTEX_M4_FLAGS,
  EMULATOR_FLAGS,
  linkerScript,
  STRICT_FLAGS,
  startUp,
} from "../src/bench/index.ts";

/** Exit code of C sources that run alone on QEMU's Cortex-M4; null if they do not end. */
export function cortexM4(
  folder: string,
  level: string,
  ...sources: readonly string[]
): number | null {
  writeFileSync(join(folder, "start.c"), startUp);
  writeFileSync(join(folder, "board.ld"), linkerScript);
  const defined = [...CORTEX_M4_FLAGS, "-DTINYM2NET_NO_STDIO"];
  const flags = [...defined, level, "start.c", ...sources, "-lgcc", "-o", "a.elf"];
  expect(tool(folder, "arm-none-eabi-gcc", ...flags)).toMatchObject({ told: "" });
  return tool(folder, "qemu-system-arm", ...EMULATOR_FLAGS).status;
}

/**
 * Exit code of C sources on QEMU's Cortex-A72; null if they do not end. An instruction that this core
 * lacks, such as a dot product, ends them.
 */
export function cortexA72(
  folder: string,
  level: string,
  ...sources: readonly string[]
): number | null {
  const strict = STRICT_FLAGS.filter((flag) => flag !== "-ffreestanding");
  const flags = ["-mcpu=cortex-a72", "-static", level, ...strict, ...sources];
  expect(tool(folder, "aarch64-linux-gnu-gcc", ...flags, "-o", "a72")).toMatchObject({ told: "" });
  return tool(folder, "qemu-aarch64", "-cpu", "cortex-a72", "./a72").status;
}

/** What a program printed, and its exit code: null if it had to be stopped. */
export function tool(
  folder: string,
  command: string,
  ...parameters: readonly string[]
): { told: string; status: number | null } {
  const options = { cwd: folder, timeout: 20_000, killSignal: "SIGKILL" } as const;
  const { stdout, stderr, status } = spawnSync(command, parameters, options);
  return { told: `${stdout}${stderr}`, status };
}

/** A folder with files in it, for as long as the test runs. */
export function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), "tinym2net-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}
