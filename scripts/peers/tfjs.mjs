/**
 * TensorFlow.js on its WebAssembly backend, the fastest one that needs no installed library; the
 * peer of `bench training`.
 *
 * That backend lacks the gradients of convolutions, so they are written here with operations that
 * it has: as a sum over the taps of the window. It is the best we know to get from it; without them
 * only its plain JavaScript backend trains, hundreds of times slower. It has no threads in Node.
 */

import { axisOf, product, serve } from "./peer.mjs";

let tf;

async function load() {
  tf = await import("@tensorflow/tfjs");
  await import("@tensorflow/tfjs-backend-wasm");
  // a backend that does not start is replaced without a word
  if (!(await tf.setBackend("wasm"))) throw new Error("tfjs: the wasm backend does not start");
  await tf.ready();
  return `TensorFlow.js ${tf.version.tfjs}, ${tf.getBackend()} backend`;
}

function build(setup) {
  const { graph, batch, task, labels, adam } = setup;
  const inputs = graph.inputs.map(({ name, shape }) =>
    tf.tensor(setup.inputs[name], [batch, ...shape]),
  );
  const variables = new Map(
    [...setup.weights].map(([name, { values, shape }]) => {
      const isTrained = setup.parameters.find((p) => p.name === name).trainable;
      return [name, tf.variable(tf.tensor(values, shape), isTrained)];
    }),
  );
  const scores = (isTraining) => forward(graph, inputs, variables, isTraining);
  if (task === "infer") {
    const step = () => {
      tf.tidy(() => {
        scores(false).dataSync();
      });
    };
    return { step, logits: () => tf.tidy(() => scores(false).dataSync()) };
  }
  const target = tf.oneHot(tf.tensor1d(labels, "int32"), graph.classes.length).toFloat();
  const optimizer = tf.train.adam(adam.rate, adam.beta1, adam.beta2, adam.epsilon);
  const step = () =>
    tf.tidy(() => {
      const cost = () =>
        target
          .mul(tf.logSoftmax(scores(true)))
          .sum()
          .mul(-1 / batch)
          .asScalar();
      return optimizer.minimize(cost, true).dataSync()[0];
    });
  return { step };
}

function forward(graph, inputs, variables, isTraining) {
  const values = new Map(graph.inputs.map(({ name }, i) => [name, inputs[i]]));
  for (const layer of graph.layers) {
    const read = layer.inputs.map((name) => values.get(name));
    const isFirst = graph.inputs.some(({ name }) => name === layer.inputs[0]);
    const of = (role) => variables.get(`${layer.name}.${role}`);
    values.set(layer.name, OPS[layer.op](read[0], layer, of, { read, isFirst, isTraining }));
  }
  return values.get(graph.layers.at(-1).name);
}

const OPS = {
  conv2d(x, layer, of, { isFirst }) {
    return biased(convolution(x, of("weight"), layer, CONV, isFirst), layer, of);
  },
  depthwiseConv2d(x, layer, of, { isFirst }) {
    const w = of("weight");
    const filter = w.reshape([...w.shape, 1]);
    return biased(convolution(x, filter, layer, DEPTHWISE, isFirst), layer, of);
  },
  dense: (x, layer, of) => biased(x.matMul(of("weight")), layer, of),
  batchNorm(x, layer, of, { isTraining }) {
    if (!isTraining) return normalised(x, of("mean"), of("variance"), layer, of);
    const { mean, variance } = tf.moments(
      x,
      x.shape.slice(0, -1).map((_, axis) => axis),
    );
    const rows = x.size / mean.size;
    tf.tidy(() => {
      const unbiased = variance.mul(rows / (rows - 1));
      follow(of("mean"), mean, layer.momentum);
      follow(of("variance"), unbiased, layer.momentum);
    });
    return normalised(x, mean, variance, layer, of);
  },
  relu: (x) => x.relu(),
  maxPool: (x, { size }) => tf.maxPool(x, size, size, "valid"),
  globalAveragePool: (x) => x.mean([1, 2]),
  flatten: (x) => x.reshape([x.shape[0], product(x.shape.slice(1))]),
  dropout: (x, { rate }, _of, { isTraining }) => (isTraining && rate > 0 ? tf.dropout(x, rate) : x),
  concat: (_x, _layer, _of, { read }) => tf.concat(read, 1),
};

function biased(x, { bias }, of) {
  return bias ? x.add(of("bias")) : x;
}

function normalised(x, mean, variance, { epsilon }, of) {
  const scale = variance.add(epsilon).rsqrt().mul(of("gamma"));
  return x.mul(scale).add(of("beta").sub(mean.mul(scale)));
}

function follow(running, value, momentum) {
  running.assign(running.add(value.sub(running).mul(momentum)));
}

/** What differs between a full and a depthwise convolution. */
const CONV = {
  forward: (x, w, stride) => tf.conv2d(x, w, stride, "valid"),
  inputGradient(dy, w, shape, stride) {
    return tf.conv2dTranspose(dy, w, shape, stride, "valid");
  },
  tapGradient(x, dy) {
    const [C, N] = [x.shape[3], dy.shape[3]];
    return tf.matMul(x.reshape([-1, C]), dy.reshape([-1, N]), true);
  },
};

const DEPTHWISE = {
  forward: (x, w, stride) => tf.depthwiseConv2d(x, w, stride, "valid"),
  /** Stride 1: the depthwise convolution of the padded gradient with the turned window. */
  inputGradient(dy, w, [, H, W], [sy, sx]) {
    if (sy !== 1 || sx !== 1) throw new Error("tfjs: depthwise stride must be 1 in this peer");
    const [kh, kw] = w.shape;
    const padded = dy.pad([[0, 0], around(H, dy.shape[1], kh), around(W, dy.shape[2], kw), [0, 0]]);
    return tf.depthwiseConv2d(padded, w.reverse([0, 1]), 1, "valid");
  },
  tapGradient: (x, dy) => x.mul(dy).sum([0, 1, 2]),
};

function around(extent, outputs, kernel) {
  return [kernel - 1, extent - outputs];
}

/** A convolution of the padded input whose gradients the backend can compute. */
function convolution(x, w, { kernel, stride, padding }, kind, isFirst) {
  const [rows, columns] = [0, 1].map((a) => axisOf(x.shape[1 + a], kernel[a], stride[a], padding));
  const isPadded = [...rows.pad, ...columns.pad].some((pad) => pad > 0);
  const input = isPadded ? x.pad([[0, 0], rows.pad, columns.pad, [0, 0]]) : x;
  const value = (from, weight) => kind.forward(from, weight, stride);
  const dw = (from, weight, dy) => weightGradient(from, dy, weight.shape, stride, kind);
  if (isFirst) {
    // nobody asks for the gradient of the net's input
    const custom = tf.customGrad((weight, save) => {
      save([weight, input]);
      const gradFunc = (dy, [filter, source]) => dw(source, filter, dy);
      return { value: value(input, weight), gradFunc };
    });
    return custom(w);
  }
  const custom = tf.customGrad((from, weight, save) => {
    save([from, weight]);
    const gradFunc = (dy, [source, filter]) => [
      kind.inputGradient(dy, filter, source.shape, stride),
      dw(source, filter, dy),
    ];
    return { value: value(from, weight), gradFunc };
  });
  return custom(input, w);
}

function weightGradient(x, dy, shape, [sy, sx], kind) {
  const [kh, kw] = shape;
  const [B, H, W] = dy.shape;
  const C = x.shape[3];
  const taps = [];
  for (let ky = 0; ky < kh; ky++) {
    for (let kx = 0; kx < kw; kx++) {
      const [from, end] = [
        [0, ky, kx, 0],
        [B, ky + (H - 1) * sy + 1, kx + (W - 1) * sx + 1, C],
      ];
      const isDense = sy === 1 && sx === 1;
      const part = isDense
        ? tf.slice(x, from, [B, H, W, C])
        : tf.stridedSlice(x, from, end, [1, sy, sx, 1]);
      taps.push(kind.tapGradient(part, dy));
    }
  }
  return tf.stack(taps).reshape(shape);
}

await serve(load, build);
