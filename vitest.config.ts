/** Tests sit beside their file; those of the whole repository are in test/. */

import { defineConfig, type ViteUserConfig } from "vitest/config";
import { capabilityNames } from "./scripts/capabilities.mjs";

const config: ViteUserConfig = defineConfig({
  test: {
    environment: "node",
    include: ["src/**/*.test.ts", "apps/**/*.test.ts", "test/**/*.test.ts"],
    // Processes, not threads: a test may start programs and change folders. Two, as for two cores.
    pool: "forks",
    maxWorkers: 2,
    // Each test computes its own features; those of the cache say where theirs is.
    env: { TINYM2NET_CACHE: "off" },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A capability that a test needs is its tag: the final table counts by it.
    tags: capabilityNames.map((name) => ({ name })),
  },
});

export default config;
