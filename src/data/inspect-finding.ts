/** What decoding one modality of one sample showed. */

import type { AudioFingerprint } from "./audio-fingerprint.ts";
import type { Modality, Sample } from "./dataset.ts";
import type { ImageFingerprint } from "./image-fingerprint.ts";
import type { Problems } from "./problems.ts";

export interface Finding {
  readonly sample: Sample;
  readonly failure?: string;
  /** Undefined where the file could not be read. */
  readonly content?: Content;
}

export interface Content {
  /** SHA-256 of what was decoded. */
  readonly hash: string;
  /** Nothing to learn from: silence, one colour, or readings that never change. */
  readonly isEmpty: boolean;
  readonly isClipped: boolean;
  /** Mean of the samples, of full scale. */
  readonly offset: number;
  /** Whether the mean is large beside what moves. */
  readonly isOffset: boolean;
  /** Hz, height x width x channels, or Hz x channels. */
  readonly form: string;
  readonly durationS: number;
  /** What a label must not follow from. */
  readonly properties: Readonly<Record<string, number | string>>;
  readonly sound?: AudioFingerprint;
  readonly picture?: ImageFingerprint;
}

/** Where findings on one modality go. */
export interface Report {
  readonly modality: Modality;
  readonly problems: Problems;
}
