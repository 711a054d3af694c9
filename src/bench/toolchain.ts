/** C compilers of this machine: finding one, and building an emitted package with it. */

import { join } from "node:path";
import type { Product } from "../deploy/index.ts";
import { driverFiles, driverSources } from "./driver.ts";
import { type Environment, hasTool, inFolder, mustRun, type Outcome, runTool } from "./tool.ts";

export interface Compiler {
  readonly command: string;
  /** What goes before every other argument; CC="ccache gcc" has some. */
  readonly leading: readonly string[];
}

/** What the core of every package is compiled with: what a device's build would say, and more. */
export const STRICT_FLAGS: readonly string[] = [
  "-std=c99",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-pedantic",
  "-ffreestanding",
  "-fno-builtin",
  "-fno-strict-aliasing",
];

/**
 * The compiler that CC names, else the first of cc, gcc, clang on PATH; undefined if there is none.
 */
export function findCompiler(environment: Environment = process.env): Compiler | undefined {
  const [named, ...leading] = (environment.CC ?? "").split(/\s+/).filter((word) => word !== "");
  if (named !== undefined) {
    return hasTool(named, environment) ? { command: named, leading } : undefined;
  }
  const command = ["cc", "gcc", "clang"].find((name) => hasTool(name, environment));
  return command === undefined ? undefined : { command, leading: [] };
}

/** Why findCompiler gives nothing. */
export function compilerReason(environment: Environment = process.env): string {
  const named = environment.CC?.trim();
  return named ? `CC is no program: ${named}` : "no cc, gcc or clang on PATH; set CC";
}

export function compile(
  { command, leading }: Compiler,
  parameters: readonly string[],
  folder: string,
): Promise<Outcome> {
  return mustRun(command, [...leading, ...parameters], { folder });
}

/** An emitted package as a running program on this machine. */
export interface Driver {
  /** Absolute path of the program. */
  readonly path: string;
  run(parameters: readonly string[], input: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Build a product's C with its driver and use it; everything is removed afterwards.
 *
 * flags    after STRICT_FLAGS for the core; and for the driver and linking
 */
export function withDriver<T>(
  product: Product,
  compiler: Compiler,
  action: (driver: Driver) => Promise<T>,
  { flags = ["-O2"] }: { flags?: readonly string[] } = {},
): Promise<T> {
  return inFolder(driverFiles(product), async (folder) => {
    const [core, main] = driverSources(product);
    await compile(compiler, [...STRICT_FLAGS, ...flags, "-c", core, "-o", "core.o"], folder);
    await compile(compiler, ["-std=c99", ...flags, main, "core.o", "-o", "driver"], folder);
    const path = join(folder, "driver");
    const run = async (
      parameters: readonly string[],
      input: Uint8Array,
    ): Promise<Uint8Array<ArrayBuffer>> => {
      const { code, stdout, stderr } = await runTool(path, parameters, { folder, input });
      if (code !== 0)
        throw new Error(`the compiled C: exit code ${code}\n${stderr.slice(0, 4000)}`);
      return stdout;
    };
    return action({ path, run });
  });
}
