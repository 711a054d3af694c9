/** The version of this package, from its package.json. */

import { readFileSync } from "node:fs";

/** Sources lie two folders deep, built files three. */
const PLACES = ["../../package.json", "../../../package.json"];

export function toolVersion(): string {
  for (const place of PLACES) {
    try {
      const text = readFileSync(new URL(place, import.meta.url), "utf8");
      const { name, version } = JSON.parse(text) as { name?: string; version?: string };
      if (name === "tinym2net" && version !== undefined) return version;
    } catch {
      // try the next place
    }
  }
  return "unknown";
}
