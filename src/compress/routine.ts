/**
 * The integer net as a routine of kernel calls.
 *
 * Inputs are the storage "<input>.features" (s8), the result is "scores" (s8, one a class).
 * Flattening is a view; the parts of a concatenation are views into it, so fusing copies nothing.
 */

import { UserError } from "../errors.ts";
import { type Call, call, type Routine, type Storage } from "../kernel/index.ts";
import { conv2d, depthwiseConv2d } from "./kernels/convolution.ts";
import { dense } from "./kernels/dense.ts";
import { globalAveragePool, maxPool } from "./kernels/pool.ts";
import {
  packNibbles,
  type QuantizedGraph,
  type QuantizedLayer,
  type Weighted,
} from "./quantized-graph.ts";

export const SCORES = "scores";

/** Storage that holds a net input's features. */
export function featuresOf(input: string): string {
  return `${input}.features`;
}

/** Storage and calls of an integer net, in the order of its layers. */
export function quantizedRoutine(graph: QuantizedGraph): Routine {
  const shapes = new Map([
    ...graph.inputs.map(({ name, shape }) => [name, shape] as const),
    ...graph.layers.map(({ name, outputShape }) => [name, outputShape] as const),
  ]);
  const views = viewsOf(graph);
  const isInput = (name: string): boolean => graph.inputs.some((input) => input.name === name);
  const last = graph.layers[graph.layers.length - 1].name;
  const storageName = (name: string): string =>
    isInput(name) ? featuresOf(name) : name === last ? SCORES : name;
  const storage: Storage[] = graph.inputs.map(({ name, shape }) => ({
    name: featuresOf(name),
    type: "s8",
    shape,
    role: "input",
  }));
  const calls: Call[] = [];
  for (const layer of graph.layers) {
    const view = views.get(layer.name);
    const within = view && { within: { name: storageName(view.name), offset: view.offset } };
    const role = layer.name === last ? "output" : "scratch";
    const name = storageName(layer.name);
    storage.push({ name, type: "s8", shape: layer.outputShape, role, ...within });
    if (layer.op === "flatten" || layer.op === "concat") continue;
    const inputShape = shapes.get(layer.inputs[0]) ?? [];
    const bindings = { x: storageName(layer.inputs[0]), y: name };
    if ("weights" in layer) {
      storage.push(...constantsOf(layer));
      const constants = {
        w: `${layer.name}.weight`,
        bias: `${layer.name}.bias`,
        multiplier: `${layer.name}.multiplier`,
      };
      calls.push(call(layer.name, kernelOf(layer, inputShape), { ...bindings, ...constants }));
    } else {
      calls.push(call(layer.name, kernelOf(layer, inputShape), bindings));
    }
  }
  return { storage, calls };
}

function kernelOf(layer: QuantizedLayer, inputShape: readonly number[]) {
  switch (layer.op) {
    case "conv2d":
      return conv2d(layer, inputShape);
    case "depthwiseConv2d":
      return depthwiseConv2d(layer, inputShape);
    case "dense":
      return dense(layer);
    case "maxPool":
      return maxPool(layer, inputShape);
    case "globalAveragePool":
      return globalAveragePool(layer, inputShape);
    default:
      throw new Error(`internal: ${layer.op} has no kernel`);
  }
}

function constantsOf(layer: Weighted): Storage[] {
  const { name, bits, weights, weightShape, bias, multipliers } = layer;
  const constant = { role: "constant" } as const;
  const packed = bits === 4 ? packNibbles(weights) : weights;
  const type = bits === 4 ? "s4" : "s8";
  const shape = [bias.length];
  return [
    { name: `${name}.weight`, type, shape: weightShape, data: packed, ...constant },
    { name: `${name}.bias`, type: "s32", shape, data: bias, ...constant },
    { name: `${name}.multiplier`, type: "s32", shape, data: multipliers.values, ...constant },
  ];
}

interface View {
  readonly name: string;
  readonly offset: number;
}

/**
 * Which values are views of which: a flattened map of its map, the parts of a concatenation of the
 * whole.
 */
function viewsOf({ inputs, layers }: QuantizedGraph): ReadonlyMap<string, View> {
  const views = new Map<string, View>();
  for (const { op, name, inputs: read } of layers) {
    if (op === "flatten") views.set(name, { name: read[0], offset: 0 });
    if (op !== "concat") continue;
    let offset = 0;
    for (const part of read) {
      const owner = ownerOf(part, views);
      if (views.has(owner) || inputs.some((input) => input.name === owner)) {
        throw new UserError(
          `compress: ${part} cannot be a part of ${name}: it already lies elsewhere`,
        );
      }
      views.set(owner, { name, offset });
      offset += layers.find((layer) => layer.name === part)?.outputShape[0] ?? 0;
    }
  }
  return views;
}

function ownerOf(name: string, views: ReadonlyMap<string, View>): string {
  const view = views.get(name);
  return view === undefined ? name : ownerOf(view.name, views);
}
