/**
 * From a trained float net to an integer net with 8 or 4 bits a layer, and its reference
 * interpreter.
 */

export { chooseBits, type LayerChoice } from "./bits.ts";
export {
  type Compressed,
  type CompressOptions,
  compressGraph,
  first,
  type Precision,
} from "./compress.ts";
export {
  type Bits,
  isWeighted,
  type QuantizedGraph,
  type QuantizedLayer,
  weightBytes,
} from "./quantized-graph.ts";
export { featuresOf, quantizedRoutine, SCORES } from "./routine.ts";
export { quantizedScores, referenceRunner } from "./run.ts";
export { packGraph, type StoredGraph, unpackGraph } from "./serialize.ts";
