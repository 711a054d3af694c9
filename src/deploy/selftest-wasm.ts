/** The self-test of a WebAssembly package: examples.json and a Node script that runs it. */

import { productName } from "./names.ts";
import { ARRAYS, type Product, storageOf } from "./product.ts";

export function printExamples(product: Product): string {
  const examples = product.examples.map(({ inputs, scores }) => ({
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

const { examples } = JSON.parse(await readFile(new URL("./examples.json", import.meta.url), "utf8"));
const model = await load();
let failures = 0;
for (const [number, { inputs, scores }] of examples.entries()) {
  const given = inputs.map(({ name, array, values }) => [name, globalThis[array].from(values)]);
  const got = [...model.run(Object.fromEntries(given))];
  if (got.length === scores.length && got.every((score, i) => score === scores[i])) continue;
  failures++;
  console.log(\`example \${number}: expected \${scores}, got \${got}\`);
}
console.log(\`${name}: \${failures} of \${examples.length} examples differ\`);
process.exitCode = failures === 0 ? 0 : 1;
`;
}
