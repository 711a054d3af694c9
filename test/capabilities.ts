/**
 * What a test may ask of the machine beyond plain Node. A test that needs more says so:
 *
 *   describe("the emitted C", needs("cc"), () => { ... });
 *   test("the report opens without errors", needs("chromium"), async () => { ... });
 *
 * Without the capability it is skipped, and the table at the end of `npm test` says why.
 */

import { type CapabilityName, capability } from "../scripts/capabilities.mjs";

export type { CapabilityName } from "../scripts/capabilities.mjs";
export { chromePath, dataFolder } from "../scripts/capabilities.mjs";

/** Options of a test or describe that runs only where all of `names` are available. */
export function needs(...names: CapabilityName[]): { skip: boolean; tags: CapabilityName[] } {
  return { skip: names.some((name) => !capability(name).available), tags: names };
}
