/** From a trained float net to an integer net of 8, 4 or mixed 8/4 bits. */

import type { Graph, Weights } from "../model/index.ts";
import type { Examples } from "../train/index.ts";
import { chooseBits, type LayerChoice } from "./bits.ts";
import { calibrate } from "./calibrate.ts";
import { fold } from "./fold.ts";
import { quantize } from "./quantize.ts";
import { type Bits, isWeighted, type QuantizedGraph, weightBytes } from "./quantized-graph.ts";
import { quantizedScores } from "./run.ts";

export type Precision = Bits | "mixed";

export interface CompressOptions {
  readonly precision: Precision;
  /** Real value of one step of the features. */
  readonly inputScale: number;
  /** Bytes that all weights may take; mixed only. Default: 60 % of what 8 bits take. */
  readonly weightLimit?: number;
  /** Called after each layer whose sensitivity was measured. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Compressed {
  readonly graph: QuantizedGraph;
  /** Mixed only: what each layer was measured to cost with 4 bits. */
  readonly sensitivity: readonly LayerChoice[];
}

/** Share of the 8-bit weights' bytes that mixed precision may use when nothing is said. */
const DEFAULT_SHARE = 0.6;
/** Samples on which sensitivities are measured. */
const SENSITIVITY_SAMPLES = 64;

/**
 * Compress a net after training.
 *
 * examples  training samples, for calibration and sensitivities
 * throws    CheckError if the limit cannot be met, UserError for a layer without an integer form
 */
export function compressGraph(
  graph: Graph,
  weights: Weights,
  examples: Examples,
  { precision, inputScale, weightLimit, onProgress }: CompressOptions,
): Compressed {
  const folded = fold(graph, weights);
  const calibration = calibrate(folded.graph, folded.weights, examples, { inputScale });
  const withBits = (bits: (layer: string) => Bits): QuantizedGraph =>
    quantize(folded, calibration, { inputScale, bits });
  if (precision !== "mixed") return { graph: withBits(() => precision), sensitivity: [] };
  const sensitivity = sensitivities(withBits, first(examples, SENSITIVITY_SAMPLES), onProgress);
  const total = sensitivity.reduce((sum, { bytes }) => sum + bytes, 0);
  const bits = chooseBits(sensitivity, weightLimit ?? Math.floor(total * DEFAULT_SHARE));
  return { graph: withBits((layer) => bits.get(layer) ?? 8), sensitivity };
}

function sensitivities(
  withBits: (bits: (layer: string) => Bits) => QuantizedGraph,
  examples: Examples,
  onProgress: CompressOptions["onProgress"],
): LayerChoice[] {
  const reference = withBits(() => 8);
  const scores = quantizedScores(reference, examples);
  const scale = reference.layers[reference.layers.length - 1].output.scale;
  const weighted = reference.layers.filter(isWeighted);
  return weighted.map((layer, i) => {
    const changed = quantizedScores(
      withBits((other) => (other === layer.name ? 4 : 8)),
      examples,
    );
    const squares = changed.reduce((sum, score, k) => sum + (score - scores[k]) ** 2, 0);
    onProgress?.(i + 1, weighted.length);
    const sensitivity = (squares / scores.length) * scale ** 2;
    return { name: layer.name, bytes: weightBytes(layer), sensitivity };
  });
}

/** The first samples of a set, all classes in turn where they are shuffled. */
export function first(examples: Examples, count: number): Examples {
  const n = Math.min(count, examples.count);
  const inputs = Object.fromEntries(
    Object.entries(examples.inputs).map(([name, values]) => [
      name,
      values.subarray(0, (values.length / examples.count) * n),
    ]),
  );
  return {
    count: n,
    inputs,
    labels: examples.labels.subarray(0, n),
    groups: examples.groups.slice(0, n),
  };
}
