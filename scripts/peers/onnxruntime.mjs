/** ONNX Runtime, native or WebAssembly: batch inference, a peer of `bench training`. */

import { onnxModel } from "./onnx-model.mjs";
import { serve } from "./peer.mjs";

let ort;

async function load({ setting, threads }) {
  if (setting === "node") {
    ort = (await import("onnxruntime-node")).default;
  } else {
    ort = await import("onnxruntime-web");
    ort.env.wasm.numThreads = threads;
  }
  const version = ort.env.versions[setting === "node" ? "node" : "web"];
  return `ONNX Runtime ${version} (${setting})`;
}

async function build(setup) {
  const { graph, batch, setting, threads } = setup;
  const options =
    setting === "node"
      ? { intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: "sequential" }
      : { executionProviders: ["wasm"] };
  const model = Uint8Array.from(onnxModel(setup));
  const session = await ort.InferenceSession.create(model, options);
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, shape: [H, W, C] }) => {
      const shape = [batch, C, H, W];
      return [name, new ort.Tensor("float32", turned(setup.inputs[name], batch, H * W, C), shape)];
    }),
  );
  const last = graph.layers.at(-1).name;
  const step = async () => {
    await session.run(feeds);
  };
  return { step, logits: async () => (await session.run(feeds))[last].data };
}

/** [batch, pixels, C] to [batch, C, pixels]. */
function turned(values, batch, pixels, C) {
  const size = pixels * C;
  return Float32Array.from({ length: batch * size }, (_, i) => {
    const [n, rest] = [Math.floor(i / size), i % size];
    return values[n * size + (rest % pixels) * C + Math.floor(rest / pixels)];
  });
}

await serve(load, build);
