/**
 * An INVENTED report for tests and for looking at the page: no net was trained for these numbers.
 *
 * Only the layers are real: operations, parameters and MACs of the paper's preset for four classes.
 */
import type {
  ArmResult,
  EpochRecord,
  LayerRow,
  MemoryPlan,
  Report,
} from "../apps/studio/report/index.ts";

const CLASSES: readonly string[] = ["helicopter", "tank", "gunfire", "explosion"];

const FLOAT_FUSED: ArmResult = {
  name: "image + audio",
  modalities: ["image", "audio"],
  precision: "float",
  split: "test",
  n: 240,
  accuracy: 0.9417,
  accuracyInterval: { low: 0.904, high: 0.965 },
  balancedAccuracy: 0.9417,
  balancedAccuracyInterval: { low: 0.911, high: 0.969 },
  confusion: [
    [58, 1, 0, 1],
    [2, 57, 0, 1],
    [0, 0, 56, 4],
    [0, 1, 4, 55],
  ],
  parameters: 418948,
  macs: 7598976,
};

const ARMS: readonly ArmResult[] = [
  {
    ...FLOAT_FUSED,
    name: "audio",
    modalities: ["audio"],
    accuracy: 0.7292,
    accuracyInterval: { low: 0.67, high: 0.782 },
    balancedAccuracy: 0.7292,
    balancedAccuracyInterval: { low: 0.676, high: 0.781 },
    confusion: [
      [55, 4, 1, 0],
      [6, 53, 0, 1],
      [1, 0, 35, 24],
      [0, 2, 27, 31],
    ],
    parameters: 145764,
    macs: 2282048,
  },
  {
    ...FLOAT_FUSED,
    name: "image",
    modalities: ["image"],
    accuracy: 0.8125,
    accuracyInterval: { low: 0.758, high: 0.857 },
    balancedAccuracy: 0.8125,
    balancedAccuracyInterval: { low: 0.766, high: 0.859 },
    confusion: [
      [43, 16, 0, 1],
      [18, 41, 1, 0],
      [0, 1, 55, 4],
      [1, 0, 3, 56],
    ],
    parameters: 273892,
    macs: 5324736,
  },
  FLOAT_FUSED,
  {
    ...FLOAT_FUSED,
    precision: "8-bit",
    flashBytes: 431104,
    ramBytes: 74432,
  },
  {
    ...FLOAT_FUSED,
    precision: "mixed 8/4",
    accuracy: 0.9375,
    accuracyInterval: { low: 0.8995, high: 0.9618 },
    balancedAccuracy: 0.9375,
    balancedAccuracyInterval: { low: 0.907, high: 0.966 },
    confusion: [
      [58, 1, 0, 1],
      [2, 57, 0, 1],
      [0, 0, 55, 5],
      [0, 1, 4, 55],
    ],
    flashBytes: 233472,
    ramBytes: 74432,
  },
];

/** Name, operation, inputs, output shape, parameters, MACs, bits. */
type LayerLine = readonly [string, string, string, readonly number[], number, number, (8 | 4)?];

const LINES: readonly LayerLine[] = [
  ["image.conv", "conv 3×3 + relu", "image", [32, 32, 64], 1920, 1769472, 8],
  ["image.dw1", "depthwise 3×3", "image.conv", [32, 32, 64], 640, 589824, 8],
  ["image.pw1", "pointwise + relu + pool", "image.dw1", [16, 16, 32], 2080, 2097152, 8],
  ["image.dw2", "depthwise 3×3", "image.pw1", [16, 16, 32], 320, 73728, 8],
  ["image.pw2", "pointwise + relu + pool", "image.dw2", [8, 8, 64], 2112, 524288, 8],
  ["image.dense", "dense + relu", "image.pw2", [64], 262208, 262144, 4],
  ["audio.conv", "conv 3×3 + relu", "audio", [44, 13, 64], 768, 329472, 8],
  ["audio.dw1", "depthwise 3×3", "audio.conv", [44, 13, 64], 640, 329472, 8],
  ["audio.pw1", "pointwise + relu + pool", "audio.dw1", [22, 6, 32], 2080, 1171456, 8],
  ["audio.dw2", "depthwise 3×3", "audio.pw1", [22, 6, 32], 320, 38016, 8],
  ["audio.pw2", "pointwise + relu + pool", "audio.dw2", [11, 3, 64], 2112, 270336, 8],
  ["audio.dense", "dense + relu", "audio.pw2", [64], 135232, 135168, 4],
  ["concat", "concat", "image.dense,audio.dense", [128], 0, 0],
  ["head.dense", "dense + relu", "concat", [64], 8256, 8192, 8],
  ["head.scores", "dense", "head.dense", [4], 260, 256, 8],
];

const LAYERS: readonly LayerRow[] = LINES.map(
  ([name, op, inputs, outputShape, parameters, macs, bits]) => ({
    name,
    op,
    inputs: inputs.split(","),
    outputShape,
    parameters,
    macs,
    ...(bits === undefined ? {} : { bits, weightBytes: (parameters * bits) / 8 }),
    activationBytes: outputShape.reduce((product, size) => product * size, 1),
  }),
);

const CALLS = [
  "image.conv",
  "image.dw1",
  "image.pw1",
  "image.dw2",
  "image.pw2",
  "image.dense",
  "audio.conv",
  "audio.dw1",
  "audio.pw1",
  "audio.dw2",
  "audio.pw2",
  "audio.dense",
  "head.dense",
  "head.scores",
];

const MEMORY: MemoryPlan = {
  arenaBytes: 74432,
  calls: CALLS,
  blocks: [
    { name: "image", offset: 65536, bytes: 3072, first: 0, last: 0 },
    { name: "audio", offset: 73728, bytes: 572, first: 0, last: 6 },
    { name: "image.conv", offset: 0, bytes: 65536, first: 0, last: 2 },
    { name: "image.pw1", offset: 65536, bytes: 8192, first: 2, last: 4 },
    { name: "image.pw2", offset: 0, bytes: 4096, first: 4, last: 5 },
    { name: "concat", offset: 74304, bytes: 128, first: 5, last: 12 },
    { name: "audio.conv", offset: 0, bytes: 36608, first: 6, last: 8 },
    { name: "audio.pw1", offset: 36608, bytes: 4224, first: 8, last: 10 },
    { name: "audio.pw2", offset: 0, bytes: 2112, first: 10, last: 11 },
    { name: "head.dense", offset: 0, bytes: 64, first: 12, last: 13 },
  ],
};

/** A curve that falls and levels out, with a small wobble. */
function inventCurve(best: number, epochs: number, overfit: number): EpochRecord[] {
  return Array.from({ length: epochs }, (_, k) => {
    const epoch = k + 1;
    const rest = Math.exp(-epoch / 4);
    const wobble = 0.03 * Math.sin(2.4 * epoch + best * 10);
    return {
      epoch,
      trainLoss: 0.12 + 1.3 * rest + wobble / 2,
      valLoss: 0.15 + (1 - best) * 1.6 + 1.1 * rest + wobble + overfit * epoch,
      valBalancedAccuracy: Math.min(1, best - (best - 0.25) * rest + wobble),
    };
  });
}

/** The example; numbers are invented. */
export const EXAMPLE_REPORT: Report = {
  title: "battlefield (invented example)",
  synthetic: true,
  dataset: {
    name: "battlefield",
    classes: CLASSES,
    modalities: [
      { name: "image", kind: "image" },
      { name: "audio", kind: "audio" },
    ],
    samples: {
      train: { helicopter: 240, tank: 240, gunfire: 240, explosion: 240 },
      val: { helicopter: 60, tank: 60, gunfire: 60, explosion: 60 },
      test: { helicopter: 60, tank: 60, gunfire: 60, explosion: 60 },
    },
    groups: 96,
    problems: [
      {
        severity: "warning",
        kind: "class-matched",
        message: "pictures and sounds are paired by class, not recorded together",
      },
    ],
  },
  arms: ARMS,
  gain: {
    fused: "image + audio",
    best: "image",
    difference: 0.1292,
    interval: { low: 0.083, high: 0.176 },
    groups: 24,
  },
  curves: [
    { name: "audio", epochs: inventCurve(0.74, 20, 0.012) },
    { name: "image", epochs: inventCurve(0.82, 20, 0.006) },
    { name: "image + audio", epochs: inventCurve(0.95, 20, 0.002) },
  ],
  layers: LAYERS,
  memory: MEMORY,
  flash: [
    { part: "weights", bytes: 220832, how: "exact" },
    { part: "biases and scales", bytes: 5344, how: "exact" },
    { part: "code", bytes: 6488, how: "measured" },
    { part: "feature tables", bytes: 808, how: "estimated" },
  ],
  equality: [
    { target: "wasm", equal: true, samples: 240 },
    { target: "portable C99 (cc)", equal: true, samples: 240 },
    {
      target: "cortex-m4",
      equal: false,
      samples: 240,
      firstDifference: "sample 17, layer audio.pw1, element 301: expected -12, got -11",
    },
    { target: "cortex-m55", equal: false, samples: 0, skipped: "no arm-none-eabi-gcc on the path" },
  ],
  reproduce: {
    commands: [
      "tinym2net train battlefield --out runs/battlefield --preset tinym2net --seed 1",
      "tinym2net compress runs/battlefield --bits mixed --flash 240000",
      "tinym2net verify runs/battlefield --target wasm,portable",
      "tinym2net report runs/battlefield",
    ],
    facts: [
      { name: "tinym2net", value: "0.1.0" },
      { name: "node", value: "20.20.2" },
      { name: "seed", value: "1" },
      { name: "manifest", value: "sha256:3b1f0c5d9e7a42680bd1f6c2a9e45873" },
      { name: "weights", value: "sha256:91ce02b7f4d83a5516e0cb8d27f1a94e" },
    ],
  },
};
