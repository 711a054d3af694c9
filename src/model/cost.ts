/** What a net costs: parameters, multiply-accumulates and activations, layer by layer. */

import {
  inputShapes,
  layerMacs,
  layerParameters,
  type Net,
  shapesOf,
  sizeOfShape,
} from "../tensor/index.ts";

export interface LayerCost {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  /** Without the batch. */
  readonly outputShape: readonly number[];
  /** Trainable ones; running statistics are not counted. */
  readonly parameters: number;
  /** Multiply-accumulates of one inference. */
  readonly macs: number;
  /** Bytes of the output at 8 bits. */
  readonly activationBytes: number;
}

export interface Cost {
  readonly layers: readonly LayerCost[];
  readonly parameters: number;
  readonly macs: number;
}

/** The cost of each layer and their sums. */
export function costOf(net: Net): Cost {
  const shapes = shapesOf(net);
  const layers = net.layers.map((layer): LayerCost => {
    const inputs = inputShapes(layer, shapes);
    const outputShape = shapes.get(layer.name) ?? [];
    const trainable = layerParameters(layer, inputs).filter((parameter) => parameter.trainable);
    return {
      name: layer.name,
      op: layer.op,
      inputs: layer.inputs,
      outputShape,
      parameters: trainable.reduce((total, { shape }) => total + sizeOfShape(shape), 0),
      macs: layerMacs(layer, inputs, outputShape),
      activationBytes: sizeOfShape(outputShape),
    };
  });
  const total = (of: (layer: LayerCost) => number): number =>
    layers.reduce((sum, layer) => sum + of(layer), 0);
  return { layers, parameters: total((l) => l.parameters), macs: total((l) => l.macs) };
}
