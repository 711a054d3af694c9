/**
 * A net as the engine sees it: inputs, layers in an order in which each comes after what it reads;
 * the last one is the output.
 */

import { mismatch } from "../errors.ts";
import type { Layer, Parameter, Shape } from "./layer.ts";
import { layerParameters, layerShape } from "./ops/index.ts";
import { decays } from "./optimizer.ts";

export interface NetInput {
  readonly name: string;
  readonly shape: Shape;
}

export interface Net {
  readonly inputs: readonly NetInput[];
  readonly layers: readonly Layer[];
}

/**
 * Shape of every input and layer, without the batch.
 *
 * throws   RangeError naming the layer that does not fit, reads something unknown or has a name
 *          twice
 */
export function shapesOf({ inputs, layers }: Net): ReadonlyMap<string, Shape> {
  const shapes = new Map<string, Shape>(inputs.map(({ name, shape }) => [name, shape]));
  for (const layer of layers) {
    const read = layer.inputs.map((name) => {
      const shape = shapes.get(name);
      if (shape === undefined) {
        throw mismatch(layer.name, "input", { expected: "an earlier layer", got: name });
      }
      return shape;
    });
    if (shapes.has(layer.name)) {
      throw mismatch("net", "layer name", { expected: "unique", got: layer.name });
    }
    shapes.set(layer.name, layerShape(layer, read));
  }
  return shapes;
}

/**
 * Check what shapes alone do not tell, before a net is compiled.
 *
 * throws   RangeError if a layer is read by nothing, or if the last one only passes values on
 */
export function checkNet({ layers }: Net): void {
  const last = layers[layers.length - 1];
  if (last === undefined || last.op === "flatten" || last.op === "dropout") {
    throw mismatch("net", "last layer", { expected: "one that computes", got: last?.op });
  }
  const read = new Set(layers.flatMap(({ inputs }) => inputs));
  const unread = layers.find(({ name }) => name !== last.name && !read.has(name));
  if (unread !== undefined) {
    throw mismatch("net", `layer ${unread.name}`, {
      expected: "read by a later one",
      got: "unread",
    });
  }
}

/** Input shapes of a layer. */
export function inputShapes(
  layer: Pick<Layer, "inputs">,
  shapes: ReadonlyMap<string, Shape>,
): Shape[] {
  return layer.inputs.map((name) => shapes.get(name) ?? []);
}

/** Every parameter of a net, trainable ones and running statistics, in layer order. */
export function parametersOf(net: Net): Parameter[] {
  const shapes = shapesOf(net);
  return net.layers.flatMap((layer) => [...layerParameters(layer, inputShapes(layer, shapes))]);
}

/** Trainable parameters as they lie in memory: those that decay first, each part in layer order. */
export function trainableOf(net: Net): Parameter[] {
  const trainable = parametersOf(net).filter((parameter) => parameter.trainable);
  return [...trainable.filter(decays), ...trainable.filter((parameter) => !decays(parameter))];
}
