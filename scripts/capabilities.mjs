/**
 * What this machine can do beyond plain Node. The one place that looks: the tests ask through
 * test/capabilities.ts, the final table of `npm test` asks directly.
 */

import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** In the order of the table; each with what a missing one asks for. */
export const capabilityNames = [
  "cc",
  "chromium",
  "data",
  "valgrind",
  "arm-gcc",
  "aarch64-gcc",
  "ffmpeg",
  "peers",
];

/** Folder of the real data sets, absolute; it need not exist. */
export const dataFolder = resolve(root, process.env.TINYM2NET_DATA || "../shared/data");

/** Chromium or Chrome, absolute; undefined if there is none. CHROME_PATH wins, even if wrong. */
export const chromePath = process.env.CHROME_PATH
  ? executable(process.env.CHROME_PATH)
  : (executable("/usr/bin/chromium") ?? onPath("chromium") ?? onPath("google-chrome"));

/**
 * Whether this machine has a capability, and what was found or is missing.
 *
 * name     one of capabilityNames
 * throws   RangeError for any other name
 */
export function capability(name) {
  switch (name) {
    case "cc":
      return program("cc");
    case "ffmpeg":
      return program("ffmpeg");
    case "valgrind":
      return program("valgrind");
    case "arm-gcc":
      return all(program("arm-none-eabi-gcc"), program("qemu-system-arm"));
    case "aarch64-gcc":
      return all(program("aarch64-linux-gnu-gcc"), program("qemu-aarch64"));
    case "chromium":
      return chromium();
    case "data":
      return data();
    case "peers":
      return peers();
    default:
      throw new RangeError(
        `capability: name must be one of ${capabilityNames.join(", ")}, got ${name}`,
      );
  }
}

function program(name) {
  const path = onPath(name);
  return path === undefined ? missing(`no ${name} on PATH`) : found(path);
}

function chromium() {
  if (chromePath !== undefined) return found(chromePath);
  const named = process.env.CHROME_PATH;
  return missing(named ? `CHROME_PATH is no program: ${named}` : "no chromium; set CHROME_PATH");
}

function data() {
  return existsSync(join(dataFolder, "drone-av", "manifest.csv"))
    ? found(dataFolder)
    : missing(`no drone-av/manifest.csv in ${dataFolder}; set TINYM2NET_DATA`);
}

function peers() {
  const folder = join(root, "scripts", "peers");
  return existsSync(join(folder, "node_modules", "@tensorflow", "tfjs"))
    ? found(folder)
    : missing("no packages there; npm install --prefix scripts/peers");
}

function all(...parts) {
  const lacking = parts.filter((part) => !part.available);
  const told = lacking.length > 0 ? lacking : parts;
  return { available: lacking.length === 0, reason: told.map((part) => part.reason).join(", ") };
}

function found(reason) {
  return { available: true, reason };
}

function missing(reason) {
  return { available: false, reason };
}

function onPath(name) {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  const endings = process.platform === "win32" ? [".exe", ".cmd"] : [""];
  for (const folder of folders) {
    for (const ending of endings) {
      const path = executable(join(folder, name + ending));
      if (path !== undefined) return path;
    }
  }
  return undefined;
}

function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? resolve(path) : undefined;
  } catch {
    return undefined;
  }
}
