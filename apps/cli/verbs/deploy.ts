/** deploy RUN --target T --out DIR: a package of C or WebAssembly. */

import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { measureBuilds, target as targetOf } from "../../../src/bench/index.ts";
import { constantBytes, emitC, emitWasm, type Product } from "../../../src/deploy/index.ts";
import { UserError } from "../../../src/errors.ts";
import type { Context } from "../context.ts";
import { memoryOf, readProduct } from "../product.ts";
import { entriesOf, explained, PARTIAL, writeTogether } from "../run-folder.ts";
import { quoted } from "../shell.ts";
import { formatBytes } from "../terminal/format.ts";
import { renderTable } from "../terminal/table.ts";

export interface DeployOptions {
  readonly target: string;
  readonly out: string;
  readonly force?: boolean;
  /** Sound comes hop by hop. */
  readonly streaming?: boolean;
}

export interface DeployResult {
  readonly target: string;
  readonly out: string;
  readonly files: readonly string[];
  readonly flashBytes: {
    readonly total: number;
    /** Weights, biases, multipliers and tables: exact. */
    readonly weights: number;
    readonly code: number;
    readonly codeHow: "measured" | "estimated" | "exact";
  };
  readonly arenaBytes: number;
  readonly inputBytes: number;
  /** Kept between hops; 0 without --streaming. */
  readonly streamBytes: number;
  readonly ramBytes: number;
  /** null without a compiler that reports it. */
  readonly stackBytes: number | null;
}

type Files = Readonly<Record<string, string | Uint8Array>>;

export async function deploy(
  context: Context,
  run: string,
  { target, out, force = false, streaming = false }: DeployOptions,
): Promise<DeployResult> {
  const { name } = targetOf(target, { environment: context.environment });
  const { product } = await readProduct(run, { streaming });
  const files: Files = name === "wasm" ? emitWasm(product) : emitC(product);
  await assertReplaceable(out, files, force);
  if (streaming && !product.streams?.length) {
    throw new UserError("deploy: --streaming needs sound, this net has none");
  }
  const { code, codeHow, stackBytes } = await codeOf(context, product, name, files);
  const { arenaBytes, inputBytes, streamBytes, ramBytes } = memoryOf(product);
  const weights = constantBytes(product);
  await writePackage(out, files);
  const rows = [
    ["weights and tables", formatBytes(weights), "exact"],
    ["code", formatBytes(code), codeHow],
    ["arena", formatBytes(arenaBytes), "exact"],
    [streaming ? "raw inputs, sound by the hop" : "raw inputs", formatBytes(inputBytes), "exact"],
    ...(streaming ? [["streams", formatBytes(streamBytes), "exact"]] : []),
    [
      "stack",
      stackBytes === null ? "-" : formatBytes(stackBytes),
      stackBytes === null ? "no compiler" : "measured",
    ],
  ];
  context.print(`${Object.keys(files).length} files in ${out}\n`);
  context.print(`${renderTable(["part", "bytes", "how"], rows)}\n`);
  context.print(
    name === "wasm"
      ? `Next: node ${quoted(join(out, "selftest.mjs"))}`
      : `Next: make -C ${quoted(out)} selftest`,
  );
  return {
    target: name,
    out,
    files: Object.keys(files),
    flashBytes: { total: weights + code, weights, code, codeHow },
    arenaBytes,
    inputBytes,
    streamBytes,
    ramBytes,
    stackBytes,
  };
}

/** A folder that holds anything but these files is refused without --force. */
async function assertReplaceable(out: string, files: Files, force: boolean): Promise<void> {
  const present = await entriesOf(out);
  const changed: string[] = [];
  for (const name of present) {
    if (name.endsWith(PARTIAL) && name.slice(0, -PARTIAL.length) in files) continue; // of a kill
    const content = files[name];
    if (content === undefined || !(await hasContent(join(out, name), content))) changed.push(name);
  }
  if (changed.length > 0 && !force) {
    throw new UserError(
      `${out} is not empty (${changed.slice(0, 3).join(", ")}); use --force or another --out`,
    );
  }
}

/** Write every file, or none. */
async function writePackage(out: string, files: Files): Promise<void> {
  let created: string | undefined;
  try {
    created = await mkdir(out, { recursive: true });
    await writeTogether(Object.entries(files).map(([name, content]) => [join(out, name), content]));
  } catch (error) {
    if (created !== undefined) await rm(created, { recursive: true, force: true });
    throw explained(error, out);
  }
}

async function hasContent(path: string, content: string | Uint8Array): Promise<boolean> {
  try {
    return (await readFile(path)).equals(Buffer.from(content));
  } catch {
    return false; // a folder, or unreadable: not ours
  }
}

/**
 * Code bytes: of the module itself, of an object for Cortex-M4 or this host if a compiler is there,
 * else estimated.
 */
async function codeOf(
  { environment }: Context,
  product: Product,
  name: "portable" | "wasm",
  files: Files,
): Promise<{
  code: number;
  codeHow: "measured" | "estimated" | "exact";
  stackBytes: number | null;
}> {
  if (name === "wasm") {
    const modules = Object.entries(files).filter(([file]) => file.endsWith(".wasm"));
    const module = modules.reduce((sum, [, bytes]) => sum + bytes.length, 0);
    return { code: module - constantBytes(product), codeHow: "exact", stackBytes: null };
  }
  const builds = await measureBuilds(product, { environment });
  const order = ["cortex-m4", "host"] as const;
  for (const cpu of order) {
    const build = builds.find((candidate) => candidate.cpu === cpu);
    if (build === undefined || build.codeBytes.value === null) continue;
    return { code: build.codeBytes.value, codeHow: "measured", stackBytes: build.stackBytes.value };
  }
  const estimate = memoryOf(product).flash.find(({ part }) => part === "code")?.bytes ?? 0;
  return { code: estimate, codeHow: "estimated", stackBytes: null };
}
