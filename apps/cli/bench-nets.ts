/**
 * Nets for benchmarks: the presets with the inputs that the field measures them with, and seeded
 * random data.
 */

import { type Graph, preset } from "../../src/model/index.ts";
import { random } from "../../src/tensor/index.ts";
import type { Examples } from "../../src/train/index.ts";

/**
 * A preset as published: tinym2net for 44 x 13 audio, 32 x 32 x 3 images and four classes; ds-cnn
 * for 49 x 10 and twelve words.
 */
export function benchGraph(name: string): Graph {
  const classes = (count: number): string[] =>
    Array.from({ length: count }, (_, i) => `class ${i}`);
  const audio = { name: "audio", shape: [44, 13, 1] };
  const image = { name: "image", shape: [32, 32, 3] };
  if (name === "ds-cnn") {
    return preset(name, { inputs: [{ name: "audio", shape: [49, 10, 1] }], classes: classes(12) });
  }
  return preset(name, { inputs: [audio, image], classes: classes(4) });
}

/** Noise in the range of real features, labels in turn. */
export function randomExamples({ inputs, classes }: Graph, count: number, seed: number): Examples {
  const noise = (name: string, size: number): Int8Array => {
    const generator = random(`${seed}/${name}`);
    return Int8Array.from({ length: count * size }, () =>
      Math.max(-128, Math.min(127, Math.round(generator.normal() * 32))),
    );
  };
  return {
    count,
    labels: Int32Array.from({ length: count }, (_, i) => i % classes.length),
    groups: Array.from({ length: count }, (_, i) => `${i}`),
    inputs: Object.fromEntries(
      inputs.map(({ name, shape }) => [
        name,
        noise(
          name,
          shape.reduce((a, b) => a * b, 1),
        ),
      ]),
    ),
  };
}
