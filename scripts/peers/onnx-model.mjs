/**
 * A graph with its weights as an ONNX model, for inference.
 *
 * Maps are [N, C, H, W] there, so rows of a dense layer behind a flattened map are reordered.
 * Source: onnx.proto3 of ONNX 1.17 (IR version 8, operator set 13); the field numbers below are its.
 */

import { axisOf, product } from "./peer.mjs";

/** The bytes of the model; inputs are [batch, C, H, W], the output is called "scores". */
export function onnxModel({ graph, batch, weights }) {
  const shapes = new Map(graph.inputs.map(({ name, shape }) => [name, shape]));
  const built = { nodes: [], initializers: [] };
  /** By layer: how a flattened map lay before, [H, W, C]. */
  const maps = new Map();
  for (const layer of graph.layers) {
    const read = layer.inputs.map((name) => shapes.get(name));
    const map = maps.get(layer.inputs[0]);
    shapes.set(layer.name, OPS[layer.op](layer, read, { ...built, weights, map }));
    if (layer.op === "flatten" && read[0].length === 3) maps.set(layer.name, read[0]);
    if (["relu", "dropout"].includes(layer.op) && map !== undefined) maps.set(layer.name, map);
  }
  const last = graph.layers.at(-1).name;
  const inputs = graph.inputs.map(({ name, shape: [H, W, C] }) => info(name, [batch, C, H, W]));
  const output = info(last, [batch, graph.classes.length]);
  const value = [
    ...built.nodes.map((node) => bytes(1, node)),
    text(2, "net"),
    ...built.initializers.map((tensor) => bytes(5, tensor)),
    ...inputs.map((input) => bytes(11, input)),
    bytes(12, output),
  ];
  return message([integer(1, 8), bytes(7, message(value)), bytes(8, message([integer(2, 13)]))]);
}

const OPS = {
  conv2d: convolution,
  depthwiseConv2d: convolution,
  dense(layer, [shape], built) {
    const weight = built.weights.get(`${layer.name}.weight`);
    const K = product(shape);
    const ours = built.map === undefined ? (k) => k : order(built.map);
    const rows = Array.from({ length: K }, (_, k) => ours(k));
    const N = layer.units;
    const values = Float32Array.from({ length: K * N }, (_, i) => {
      return weight.values[rows[Math.floor(i / N)] * N + (i % N)];
    });
    constant(built, `${layer.name}.weight`, [K, N], values);
    node(built, "Gemm", [layer.inputs[0], `${layer.name}.weight`, ...bias(layer, built)], layer);
    return [N];
  },
  batchNorm(layer, [shape], built) {
    const names = ["gamma", "beta", "mean", "variance"].map((role) => `${layer.name}.${role}`);
    for (const name of names) constant(built, name, [shape.at(-1)], built.weights.get(name).values);
    const epsilon = message([text(1, "epsilon"), float(2, layer.epsilon), integer(20, 1)]);
    node(built, "BatchNormalization", [layer.inputs[0], ...names], layer, [epsilon]);
    return shape;
  },
  relu: same("Relu"),
  dropout: same("Identity"),
  maxPool(layer, [[H, W, C]], built) {
    const attributes = [list("kernel_shape", layer.size), list("strides", layer.size)];
    node(built, "MaxPool", layer.inputs, layer, attributes);
    return [Math.floor(H / layer.size[0]), Math.floor(W / layer.size[1]), C];
  },
  globalAveragePool(layer, [[, , C]], built) {
    node(built, "GlobalAveragePool", layer.inputs, { name: `${layer.name}.map` });
    node(built, "Flatten", [`${layer.name}.map`], layer);
    return [C];
  },
  flatten(layer, [shape], built) {
    node(built, "Flatten", layer.inputs, layer);
    return [product(shape)];
  },
  concat(layer, read, built) {
    const axis = message([text(1, "axis"), integer(3, 1), integer(20, 2)]);
    node(built, "Concat", layer.inputs, layer, [axis]);
    return [read.reduce((total, [n]) => total + n, 0)];
  },
};

function same(op) {
  return (layer, [shape], built) => {
    node(built, op, layer.inputs, layer);
    return shape;
  };
}

function convolution(layer, [[H, W, C]], built) {
  const { name, kernel, stride, padding } = layer;
  const [rows, columns] = [H, W].map((e, a) => axisOf(e, kernel[a], stride[a], padding));
  const isDepthwise = layer.op === "depthwiseConv2d";
  const [N, perGroup] = isDepthwise ? [C, 1] : [layer.filters, C];
  const { values } = built.weights.get(`${name}.weight`);
  const taps = kernel[0] * kernel[1];
  const ours = (n, c, tap) => values[isDepthwise ? tap * C + n : (tap * C + c) * N + n];
  const turned = Float32Array.from({ length: values.length }, (_, i) => {
    return ours(Math.floor(i / (perGroup * taps)), Math.floor(i / taps) % perGroup, i % taps);
  });
  constant(built, `${name}.weight`, [N, perGroup, ...kernel], turned);
  node(built, "Conv", [layer.inputs[0], `${name}.weight`, ...bias(layer, built)], layer, [
    list("kernel_shape", kernel),
    list("strides", stride),
    list("pads", [rows.pad[0], columns.pad[0], rows.pad[1], columns.pad[1]]),
    message([text(1, "group"), integer(3, isDepthwise ? C : 1), integer(20, 2)]),
  ]);
  return [rows.outputs, columns.outputs, N];
}

/** ONNX flattens [C, H, W], we [H, W, C]: where its element k is with us. */
function order([H, W, C]) {
  return (k) => (k % (H * W)) * C + Math.floor(k / (H * W));
}

function bias({ name, bias: has }, built) {
  if (!has) return [];
  const { values, shape } = built.weights.get(`${name}.bias`);
  constant(built, `${name}.bias`, shape, values);
  return [`${name}.bias`];
}

function node({ nodes }, op, inputs, { name }, attributes = []) {
  const fields = [
    ...inputs.map((input) => text(1, input)),
    text(2, name),
    text(3, name),
    text(4, op),
  ];
  nodes.push(message([...fields, ...attributes.map((attribute) => bytes(5, attribute))]));
}

function constant({ initializers }, name, shape, values) {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const dims = shape.map((extent) => integer(1, extent));
  initializers.push(message([...dims, integer(2, 1), text(8, name), bytes(9, raw)]));
}

function info(name, shape) {
  const dims = shape.map((extent) => bytes(1, message([integer(1, extent)])));
  const tensor = message([integer(1, 1), bytes(2, message(dims))]);
  return message([text(1, name), bytes(2, message([bytes(1, tensor)]))]);
}

function list(name, values) {
  return message([text(1, name), ...values.map((value) => integer(8, value)), integer(20, 7)]);
}

// protocol buffers: a message is its fields one after the other

function message(fields) {
  return Buffer.concat(fields);
}

function integer(field, value) {
  return Buffer.from([...varint(field << 3), ...varint(value)]);
}

function float(field, value) {
  const four = Buffer.alloc(4);
  four.writeFloatLE(value);
  return Buffer.concat([Buffer.from(varint((field << 3) | 5)), four]);
}

function bytes(field, value) {
  return Buffer.concat([
    Buffer.from([...varint((field << 3) | 2), ...varint(value.length)]),
    value,
  ]);
}

function text(field, value) {
  return bytes(field, Buffer.from(value));
}

function varint(value) {
  const out = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  return [...out, rest];
}
