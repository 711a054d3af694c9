/**
 * --config FILE: a JSON object with options of the verb, by their long names ("epochs": 20,
 * "modalities": ["audio"]).
 *
 * The command line wins over the file, the file over the defaults.
 */

import { readFile } from "node:fs/promises";
import type { Command, Option } from "commander";
import { UserError, unknown } from "../../src/errors.ts";

/** Put the file's options into a parsed command. */
export async function configured(command: Command): Promise<void> {
  const { config: path } = command.opts<{ config?: string }>();
  if (path === undefined) return;
  const known = new Map(command.options.map((option) => [option.long?.slice(2) ?? "", option]));
  for (const name of ["config", "help"]) known.delete(name);
  for (const [name, value] of Object.entries(await readConfig(path))) {
    const option = known.get(name);
    if (option === undefined) throw unknown(`option in ${path}`, name, [...known.keys()]);
    if (command.getOptionValueSource(option.attributeName()) === "cli") continue;
    command.setOptionValueWithSource(option.attributeName(), parsed(option, value, path), "config");
  }
}

async function readConfig(path: string): Promise<object> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    const reason = error instanceof SyntaxError ? `is no JSON: ${error.message}` : "cannot be read";
    throw new UserError(`--config: ${path} ${reason}`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new UserError(`--config: ${path} must hold one JSON object with options`);
}

/** A value as the command line would give it, through the option's own parser. */
function parsed(option: Option, value: unknown, path: string): unknown {
  if (option.required === false && option.optional === false) {
    if (typeof value === "boolean") return option.negate ? !value : value;
    throw new UserError(
      `--config: ${option.long} in ${path} must be true or false, got ${JSON.stringify(value)}`,
    );
  }
  const text = TAKES_JSON.includes(option.long ?? "") ? textOrJson(value) : textOf(value);
  if (text === undefined) {
    throw new UserError(
      `--config: ${option.long} in ${path} must be text, a number or a list, got ${JSON.stringify(value)}`,
    );
  }
  try {
    return option.parseArg === undefined ? text : option.parseArg(text, undefined);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "is wrong";
    throw new UserError(
      `--config: ${option.long} in ${path} ${reason} It is ${JSON.stringify(value)}.`,
    );
  }
}

/** Options whose value may be an object in the file; on the command line it is its JSON. */
const TAKES_JSON: readonly string[] = ["--augment"];

function textOrJson(value: unknown): string | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? JSON.stringify(value) : textOf(value);
}

/** As it would be typed; undefined for what cannot be. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number") return `${value}`;
  const isList = Array.isArray(value) && value.every((item) => typeof item === "string");
  return isList ? value.join(",") : undefined;
}
