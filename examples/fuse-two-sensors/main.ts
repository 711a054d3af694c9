/** From a folder of paired recordings to C for a device, with the library instead of the command line. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bench, compress, data, deploy, features, model, train } from "tinym2net";

const [folder = "runs/demo/battlefield", out = "runs/example", epochs = "6"] =
  process.argv.slice(2);

// paired recordings, checked, in groups that never cross splits
const dataset = await data.readDataset(folder);
data.assertUsable(dataset);
const reader = data.openReader(dataset);
const ofSplit = (split: string) => dataset.samples.filter((sample) => sample.split === split);

// the device's own integer features, scaled on the training split only
const { modalities, classes } = dataset;
const frontend = await features.fitFrontend(reader, ofSplit("train"), { modalities });
const load = async (split: string): Promise<train.Examples> => {
  const samples = ofSplit(split);
  const sets = await features.extractFeatures(reader, samples, { frontend });
  return {
    count: samples.length,
    inputs: Object.fromEntries(Object.entries(sets).map(([name, set]) => [name, set.data])),
    labels: Int32Array.from(samples, ({ label }) => classes.indexOf(label)),
    groups: samples.map(({ group }) => group),
  };
};
const splits = { train: await load("train"), val: await load("val") };

// the paper's net with a branch for each modality
const inputs = modalities.map(({ name }) => ({
  name,
  shape: features.featureShape(frontend[name]),
}));
const graph = model.preset("tinym2net", { inputs, classes });
const inputScale = features.FEATURE_SCALE;
const options = { epochs: Number(epochs), seed: 1, batch: 16, inputScale };
const training = train.trainGraph(graph, splits, options);
for (const { record } of training.steps) if (record) console.log(JSON.stringify(record));

// 8 and 4 bits, raw samples and pixels in, class scores out
const { weights } = training.best();
const small = compress.compressGraph(graph, weights, splits.train, {
  precision: "mixed",
  inputScale,
});
const product = deploy.lower(small.graph, frontend, { name: "example" });
await mkdir(out, { recursive: true });
for (const [name, text] of Object.entries(deploy.emitC(product)))
  await writeFile(join(out, name), text);

// the same integers as the reference interpreter
const sample: Record<string, Awaited<ReturnType<ReturnType<typeof features.inputReader>>>> = {};
for (const { name } of modalities) {
  sample[name] = await features.inputReader(reader, name, frontend[name])(ofSplit("val")[0]);
}
const [{ equal }] = await bench.verify(product, [sample], [bench.target("wasm")]);
console.log(`${out}: ${deploy.arenaBytes(product)} bytes of arena, WebAssembly equal: ${equal}`);
