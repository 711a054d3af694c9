/** A verb in a process of its own, so that two trainings use two cores. */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Context, Interrupted } from "./context.ts";

/** Sources lie two folders deep, built files three. */
const PLACES = ["../../bin/tinym2net.js", "../../../bin/tinym2net.js"];

/**
 * Run verbs one after the other in child processes.
 *
 * throws   Interrupted if stopped, else an Error with what the child said
 */
export async function runVerbs(
  context: Context,
  commands: readonly (readonly string[])[],
): Promise<void> {
  for (const command of commands) await runVerb(context, command);
}

function runVerb({ signal }: Context, command: readonly string[]): Promise<void> {
  const program = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find(
    existsSync,
  );
  if (program === undefined) throw new Error("internal: bin/tinym2net.js is missing");
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...command, "--quiet", "--json"], {
      stdio: ["ignore", "ignore", "pipe"],
      // out of the terminal's reach: Ctrl-C comes from here alone, once, so that it saves
      detached: true,
    });
    const said: string[] = [];
    const stop = (): void => {
      child.kill("SIGINT");
    };
    signal.addEventListener("abort", stop, { once: true });
    child.stderr.setEncoding("utf8").on("data", (text: string) => said.push(text));
    child.on("error", reject);
    child.on("close", (code) => {
      signal.removeEventListener("abort", stop);
      if (signal.aborted) reject(new Interrupted("interrupted"));
      else if (code === 0) resolve();
      else reject(new Error(`tinym2net ${command.join(" ")} ended with ${code}: ${said.join("")}`));
    });
  });
}
