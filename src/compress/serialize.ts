/**
 * An integer net as JSON (structure, scales, where each array lies) and bytes (weights packed,
 * bias, multipliers).
 */

import { UserError } from "../errors.ts";
import {
  type Bits,
  packNibbles,
  type QuantizedGraph,
  type QuantizedLayer,
  unpackNibbles,
} from "./quantized-graph.ts";

type Arrays = "weights" | "bias" | "multipliers";

/** A layer whose arrays are replaced by their counts and byte offsets. */
type StoredLayer = Omit<QuantizedLayer, Arrays> & {
  readonly arrays: Readonly<Partial<Record<Arrays, { offset: number; count: number }>>>;
  readonly shift?: number;
  readonly bits?: Bits;
};

export interface StoredGraph extends Omit<QuantizedGraph, "layers"> {
  readonly layers: readonly StoredLayer[];
}

export function packGraph(graph: QuantizedGraph): { stored: StoredGraph; bytes: Uint8Array } {
  const pieces: Uint8Array[] = [];
  let at = 0;
  const put = (array: Int8Array | Uint8Array | Int32Array, count: number) => {
    const padded = new Uint8Array(Math.ceil(array.byteLength / 4) * 4);
    padded.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    const place = { offset: at, count };
    pieces.push(padded);
    at += padded.length;
    return place;
  };
  const layers = graph.layers.map((layer): StoredLayer => {
    if (!("multipliers" in layer)) return { ...layer, arrays: {} };
    const { multipliers, ...rest } = layer;
    const { shift, values } = multipliers;
    const stored = { shift, arrays: { multipliers: put(values, values.length) } };
    if (!("weights" in rest)) return { ...rest, ...stored };
    const { weights, bias, ...structure } = rest;
    const packed = rest.bits === 4 ? packNibbles(weights) : weights;
    const arrays = {
      ...stored.arrays,
      weights: put(packed, weights.length),
      bias: put(bias, bias.length),
    };
    return { ...structure, shift, arrays };
  });
  const bytes = new Uint8Array(at);
  let position = 0;
  for (const piece of pieces) {
    bytes.set(piece, position);
    position += piece.length;
  }
  return { stored: { ...graph, layers }, bytes };
}

/**
 * The reverse of packGraph.
 *
 * source   the file's name, for the error
 * throws   UserError if an array lies outside the bytes
 */
export function unpackGraph(
  stored: StoredGraph,
  input: Uint8Array,
  source: string,
): QuantizedGraph {
  const bytes = Uint8Array.from(input);
  const slice = (offset: number, length: number): Uint8Array => {
    if (offset + length > bytes.length)
      throw new UserError(`${source} is cut short; compress again`);
    return bytes.subarray(offset, offset + length);
  };
  const words = ({ offset, count }: { offset: number; count: number }): Int32Array =>
    new Int32Array(slice(offset, 4 * count).slice().buffer);
  const layers = stored.layers.map((layer) => {
    const { arrays, shift = 0, ...rest } = layer;
    const multipliers = arrays.multipliers && {
      multipliers: { shift, values: words(arrays.multipliers) },
    };
    const bias = arrays.bias && { bias: words(arrays.bias) };
    const weights = arrays.weights && { weights: unpackWeights(arrays.weights, layer.bits, slice) };
    // the structure was written by packGraph; run folders check their files' hashes before this
    return { ...rest, ...multipliers, ...bias, ...weights } as QuantizedLayer;
  });
  return { ...stored, layers };
}

function unpackWeights(
  { offset, count }: { offset: number; count: number },
  bits: Bits | undefined,
  slice: (offset: number, length: number) => Uint8Array,
): Int8Array {
  if (bits === 4) return unpackNibbles(slice(offset, Math.ceil(count / 2)), count);
  return new Int8Array(slice(offset, count).slice().buffer);
}
