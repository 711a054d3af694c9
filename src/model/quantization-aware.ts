/**
 * A graph for quantization-aware training: the same net, with weights and activations rounded where
 * the integer net will round them.
 *
 * Weights are rounded per output channel. Activations get a fakeQuantize layer where compress keeps
 * s8 values: after a ReLU, and after a convolution or dense layer that has none. Rounding commutes
 * with a maximum, so a pooling that follows comes first. The scores are not rounded.
 */

import type { FakeQuantize, Layer } from "../tensor/index.ts";
import type { Graph } from "./graph.ts";

export interface QuantizationOptions {
  /** Of the weights; activations have 8. */
  readonly bits?: 8 | 4;
  /** Steps of the activations are trained, instead of being the caller's to set. */
  readonly learned?: boolean;
}

/** The graph with its weights and activations fake-quantized; new layers are `<layer>.quantized8`. */
export function quantizationAware(
  graph: Graph,
  { bits = 8, learned = false }: QuantizationOptions = {},
): Graph {
  const readersOf = (name: string): Layer[] =>
    graph.layers.filter(({ inputs }) => inputs.includes(name));
  const last = graph.layers[graph.layers.length - 1];
  /** Whether the value of a layer is rounded. */
  const isRounded = (layer: Layer): boolean => {
    if (layer === last) return false;
    const [reader, ...others] = readersOf(layer.name);
    const next = others.length === 0 ? reader : undefined;
    if (next?.op === "maxPool" && isActivated(layer)) return false;
    if (isActivated(layer)) return true;
    if (layer.op === "maxPool") return isActivated(find(graph, layer.inputs[0]));
    return isWeighted(layer) && !(next?.op === "batchNorm" || isActivated(next));
  };
  const renamed = new Map<string, string>();
  const layers = graph.layers.flatMap((layer): Layer[] => {
    const inputs = layer.inputs.map((name) => renamed.get(name) ?? name);
    const weights = { quantize: { bits, step: "maxAbs" } } as const;
    const own: Layer = isWeighted(layer) ? { ...layer, inputs, ...weights } : { ...layer, inputs };
    if (!isRounded(layer)) return [own];
    const rounded: FakeQuantize = {
      op: "fakeQuantize",
      name: `${layer.name}.quantized8`,
      inputs: [layer.name],
      bits: 8,
      signed: isWeighted(layer),
      learned,
    };
    renamed.set(layer.name, rounded.name);
    return [own, rounded];
  });
  return { ...graph, layers };
}

function find({ layers }: Graph, name: string): Layer | undefined {
  return layers.find((layer) => layer.name === name);
}

type Weighted = Extract<Layer, { readonly quantize?: unknown }>;

function isWeighted(layer: Layer): layer is Weighted {
  return layer.op === "conv2d" || layer.op === "depthwiseConv2d" || layer.op === "dense";
}

function isActivated(layer: Layer | undefined): boolean {
  return layer?.op === "relu" || layer?.op === "relu6";
}
