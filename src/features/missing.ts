/** What stands for a sensor that gives nothing. */

import { extractor } from "./frontend.ts";
import { type FeatureSpec, inputShape } from "./spec.ts";

/**
 * The features of silence or of a black picture: what a device computes from a zeroed input buffer,
 * which is how it says that a sensor is missing.
 *
 * returns  s8, of featureShape(spec)
 * throws   RangeError if the spec has no scaling
 */
export function missingFeatures(spec: FeatureSpec): Int8Array {
  const size = inputShape(spec).reduce((product, extent) => product * extent, 1);
  return extractor(spec)(spec.kind === "image" ? new Uint8Array(size) : new Int16Array(size));
}
