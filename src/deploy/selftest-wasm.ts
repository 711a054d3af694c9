/** The self-test of a WebAssembly package: examples.json and a Node script that runs it. */

import { jsLiteral, productName } from "./names.ts";
import { ARRAYS, type Product, storageOf, streamProduct } from "./product.ts";

export function printExamples(product: Product): string {
  const { streams = [] } = product;
  const examples = product.examples.map(({ inputs, scores }, e) => ({
    ...(streams.length > 0
      ? { clips: streams.map(({ features, clips }) => ({ features, values: [...clips[e]] })) }
      : {}),
    inputs: product.inputs.map(({ name }) => ({
      name,
      array: ARRAYS[storageOf(product, name).type],
      values: [...inputs[name]],
    })),
    scores: [...scores],
  }));
  const rows = examples.map((example) => `  ${JSON.stringify(example)}`);
  return `{ "examples": [\n${rows.join(",\n")}\n] }\n`;
}

export function printScript(product: Product): string {
  const name = productName(product.name);
  return `// Golden vectors of ${name}: exits with 0 if all scores equal the reference interpreter's.
import { readFile } from "node:fs/promises";
import { load } from "./${name}.js";
${product.streams ? streamImports(product) : ""}
const { examples } = JSON.parse(await readFile(new URL("./examples.json", import.meta.url), "utf8"));
const model = await load();
let failures = 0;
for (const [number, example] of examples.entries()) {
  const { inputs, scores } = example;
  const given = inputs.map(({ name, array, values }) => [name, globalThis[array].from(values)]);
${product.streams ? "  for (const clip of example.clips) given.push([clip.features, whole(clip)]);\n" : ""}\
  const got = [...model.run(Object.fromEntries(given))];
  if (got.length === scores.length && got.every((score, i) => score === scores[i])) continue;
  failures++;
  console.log(\`example \${number}: expected \${scores}, got \${got}\`);
}
console.log(\`${name}: \${failures} of \${examples.length} examples differ\`);
process.exitCode = failures === 0 ? 0 : 1;
`;
}

/** Loads the streams, and a function that sends a whole recording through one. */
function streamImports(product: Product): string {
  const files = (product.streams ?? []).map((stream) => ({
    features: stream.features,
    file: `./${streamProduct(product, stream).name}.js`,
  }));
  return `
const streams = new Map();
for (const { features, file } of ${jsLiteral(files)}) {
  streams.set(features, await (await import(file)).load());
}

function whole({ features, values }) {
  const stream = streams.get(features);
  stream.start();
  for (let h = 0; h < stream.frames + stream.delayHops; h++) {
    stream.hop.fill(0);
    stream.hop.set(values.slice(h * stream.hop.length, (h + 1) * stream.hop.length));
    const filled = Math.max(0, h + 1 - stream.delayHops);
    if (stream.push() !== filled) throw new Error(\`hop \${h} must fill \${filled} frames\`);
  }
  return stream.features.slice();
}

`;
}
