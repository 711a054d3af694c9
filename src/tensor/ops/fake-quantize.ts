/** Fake quantization of a value between layers, with one step for all of it. */

import { activationLevels } from "../kernels/levels.ts";
import {
  passInside,
  quantizeValues,
  quantizeValuesGradient,
  stepGradient,
  type ValueShape,
} from "../kernels/quantize-values.ts";
import type { FakeQuantize } from "../layer.ts";
import { type Op, product, type Site, type Step, step } from "../op.ts";

/** Mean of |x| for the standard normal x that a normalised layer gives: sqrt(2 / pi). */
const MEAN_ABS = Math.sqrt(2 / Math.PI);

/**
 * The step starts at 2 mean |x| / sqrt(high) for values of unit variance; one that is not learned is
 * the caller's to set.
 */
export const fakeQuantize: Op<FakeQuantize> = {
  inPlace: "backward", // which needs the values before rounding
  shape: (_layer, [input]) => input,
  parameters(layer) {
    const value = (2 * MEAN_ABS) / Math.sqrt(activationLevels(layer).high);
    const initial = { kind: "constant", value } as const;
    return [{ name: `${layer.name}.step`, shape: [1], initial, trainable: layer.learned }];
  },
  macs: () => 0,
  forward: roundedValue,
  again: roundedValue,
  backward(layer, site) {
    const [dx] = site.dx;
    const s = step(layer, site);
    const { rows, C } = shapeOf(site);
    const levels = activationLevels(layer);
    const given = { x: site.x[0], step: site.parameter("step"), dy: site.dy };
    if (!layer.learned) {
      if (dx !== undefined) s.each(passInside({ rows, C }, levels), { ...given, dx });
      return s;
    }
    const partial = s.gather("partial", C);
    s.each(quantizeValuesGradient({ rows, C }, levels), {
      ...given,
      dx: dx ?? s.scratch("unused", [site.batch, rows, C]),
      partial,
    });
    const shares = s.scratch("shares", [C]);
    s.sum(partial, shares);
    // the paper's N is the number of features of one sample
    const scale = 1 / Math.sqrt(rows * C * levels.high);
    s.add(stepGradient(C, scale), { shares, dstep: site.gradient("step") });
    return s;
  },
};

function roundedValue(layer: FakeQuantize, site: Site): Step {
  const s = step(layer, site);
  const bindings = { x: site.x[0], step: site.parameter("step"), y: site.y };
  s.each(quantizeValues(shapeOf(site), activationLevels(layer)), bindings);
  return s;
}

function shapeOf({ output }: Site): ValueShape {
  const C = output[output.length - 1];
  return { rows: product(output) / C, C };
}
