/** Raw features to s8 by themselves, so that one decoding serves fitting a scaling and using it. */

import { mismatch } from "../errors.ts";
import { build as b, compile, plan } from "../kernel/index.ts";
import { assemble } from "./assemble.ts";
import { scalingTables } from "./scaling.ts";
import { channelCount, type FeatureSpec, featureShape } from "./spec.ts";

/**
 * A function from raw features to the s8 that the "scaled" stage gives; compiled once.
 *
 * spec     with its scaling
 * returns  from s32 of featureShape(spec) to a view that the next call overwrites
 */
export function scaler(spec: FeatureSpec): (raw: Int32Array) => Int8Array {
  if (spec.scaling === undefined) {
    throw mismatch("scaler", "scaling", { expected: "fitted", got: "none" });
  }
  const channels = channelCount(spec);
  const [height, width, depth] = featureShape(spec);
  const rows = (height * width * depth) / channels;
  const input = b.buffer("raw", "s32", [rows, channels]);
  const output = b.buffer("features", "s8", [rows, channels]);
  const { tables, apply } = scalingTables(spec.scaling);
  const body = b.loop("row", rows, (row) => [
    b.loop("channel", channels, (c) => [
      b.store(output, [row, c], apply(b.load(input, row, c), c)),
    ]),
  ]);
  const routine = assemble("raw", {
    name: "scale",
    input,
    tables,
    scratch: [],
    output,
    body: [body],
  });
  const runner = compile(plan(routine));
  const [from, to] = [runner.view("raw"), runner.view("raw.features") as Int8Array];
  return (raw) => {
    from.set(raw);
    runner.run();
    return to;
  };
}
