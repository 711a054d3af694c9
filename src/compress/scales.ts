/**
 * Scales of activations, shared where values must be comparable.
 *
 * Pooling, flattening and concatenation move values without changing them, so their inputs and
 * output form a group with one scale: that is what makes a concatenation free. A group that holds
 * an input of the net has the features' fixed scale.
 */

import { UserError } from "../errors.ts";
import type { Graph } from "../model/index.ts";
import type { LayerOp } from "../tensor/index.ts";
import type { Range } from "./calibrate.ts";
import type { Quantization } from "./quantized-graph.ts";

/** Whether an operation only clamps, so that the layer before it can do it. */
export function isClamp(op: LayerOp): boolean {
  return op === "relu" || op === "relu6";
}

/** The name that stands for each value's group. */
export function scaleGroups({ inputs, layers }: Graph): ReadonlyMap<string, string> {
  const parent = new Map<string, string>();
  for (const { name } of [...inputs, ...layers]) parent.set(name, name);
  const find = (name: string): string => {
    const up = parent.get(name) ?? name;
    return up === name ? name : find(up);
  };
  for (const { op, name, inputs: read } of layers) {
    const shares = op === "maxPool" || op === "flatten" || op === "concat";
    // a ReLU is fused into the layer it reads, whose range it replaces
    if (shares || isClamp(op)) for (const from of read) parent.set(find(from), find(name));
  }
  return new Map([...parent.keys()].map((name) => [name, find(name)]));
}

/**
 * Quantization of every value.
 *
 * ranges   of every layer, from calibration
 * throws   UserError if two inputs of the net share a group with different scales
 */
export function activationScales(
  graph: Graph,
  ranges: ReadonlyMap<string, Range>,
  input: Quantization,
): ReadonlyMap<string, Quantization> {
  const groups = scaleGroups(graph);
  const clamped = new Set(graph.layers.flatMap(({ op, inputs }) => (isClamp(op) ? inputs : [])));
  const union = new Map<string, Range>();
  for (const { name } of graph.layers) {
    if (clamped.has(name)) continue;
    const group = groups.get(name) ?? name;
    const [a, b] = [
      union.get(group) ?? { low: 0, high: 0 },
      ranges.get(name) ?? { low: 0, high: 0 },
    ];
    union.set(group, { low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) });
  }
  const inputGroups = new Set(graph.inputs.map(({ name }) => groups.get(name) ?? name));
  for (const { op, name, inputs } of graph.layers) {
    if (op === "concat" && inputGroups.has(groups.get(name) ?? name)) {
      const said = `compress: ${name} concatenates an input of the net directly`;
      throw new UserError(`${said} (${inputs.join(", ")}); put a layer between`);
    }
  }
  return new Map(
    [...groups].map(([name, group]) => {
      const isFixed = inputGroups.has(group);
      return [name, isFixed ? input : quantizationOf(union.get(group) ?? { low: 0, high: 0 })];
    }),
  );
}

/**
 * The s8 quantization of a range that holds 0; the zero point is an integer, so that 0 is exact.
 */
export function quantizationOf({ low, high }: Range): Quantization {
  const width = high - low;
  if (width === 0) return { scale: 1, zeroPoint: 0 };
  const scale = width / 255;
  const zeroPoint = Math.max(-128, Math.min(127, Math.round(-128 - low / scale)));
  return { scale, zeroPoint };
}
