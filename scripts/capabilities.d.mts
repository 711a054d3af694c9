/** Types of capabilities.mjs. */

export type CapabilityName =
  | "cc"
  | "chromium"
  | "data"
  | "valgrind"
  | "arm-gcc"
  | "aarch64-gcc"
  | "ffmpeg"
  | "peers";

export interface Capability {
  readonly available: boolean;
  /** What was found, or what is missing. */
  readonly reason: string;
}

export declare const capabilityNames: readonly CapabilityName[];
export declare const dataFolder: string;
export declare const chromePath: string | undefined;
export declare function capability(name: CapabilityName): Capability;
