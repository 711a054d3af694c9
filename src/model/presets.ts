/**
 * Presets: nets by name.
 *
 * tinym2net  the two-branch net of Rashid et al. 2022 (arXiv:2202.04303): each modality goes
 *            through a convolution and two depthwise-separable ones and a dense layer; the branches
 *            are concatenated and classified. Any number of branches.
 * ds-cnn     the keyword-spotting net of MLPerf Tiny (Banbury et al. 2021, arXiv:2106.07597; Zhang
 *            et al. 2017, arXiv:1711.07128).
 */

import { UserError, unknown } from "../errors.ts";
import { type Layer, type NetInput, shapesOf } from "../tensor/index.ts";
import { checkGraph, type Graph } from "./graph.ts";

export const PRESETS = ["tinym2net", "ds-cnn"] as const;

/** Layers of the presets that belong to no modality. */
const RESERVED = ["fusion", "scores", "head.dense", "head.relu", "head.dropout"];

export type Preset = (typeof PRESETS)[number];

export interface PresetOptions {
  /** One a modality, [H, W, C]. */
  readonly inputs: readonly NetInput[];
  readonly classes: readonly string[];
}

/**
 * The graph of a preset for given inputs.
 *
 * throws   UserError for an unknown name or a modality named as a layer, RangeError if the inputs
 *          are too small for its pooling
 */
export function preset(name: string, options: PresetOptions): Graph {
  const known = PRESETS.find((preset) => preset === name);
  if (known === undefined) throw unknown("preset", name, PRESETS);
  const taken = options.inputs.find(({ name }) => RESERVED.some((layer) => layer === name));
  if (taken !== undefined) {
    throw new UserError(
      `preset ${name}: modality ${taken.name} has the name of a layer; rename it`,
    );
  }
  const graph = known === "tinym2net" ? tinym2net(options) : dsCnn(options);
  return checkGraph(graph, shapesOf(graph).get(graph.layers[graph.layers.length - 1].name));
}

const WINDOW = { kernel: [3, 3], stride: [1, 1], padding: "same" } as const;
const POINT = { ...WINDOW, kernel: [1, 1] } as const;
const NORM = { momentum: 0.1, epsilon: 1e-3 } as const;
const DROPOUT = 0.2;

/**
 * Source of the layer sizes: the paper's figure; 7,598,976 MACs for 44 x 13 audio, 32 x 32 x 3
 * images and four classes.
 */
function tinym2net({ inputs, classes }: PresetOptions): Graph {
  const branches = inputs.map(tinym2netBranch);
  const ends = branches.map((branch) => branch[branch.length - 1].name);
  const fusion = inputs.length > 1;
  const joined: Layer[] = fusion ? [{ op: "concat", name: "fusion", inputs: ends }] : [];
  const head: Layer[] = [
    {
      op: "dense",
      name: "head.dense",
      inputs: [fusion ? "fusion" : ends[0]],
      units: 64,
      bias: true,
    },
    { op: "relu", name: "head.relu", inputs: ["head.dense"] },
    { op: "dropout", name: "head.dropout", inputs: ["head.relu"], rate: DROPOUT },
    { op: "dense", name: "scores", inputs: ["head.dropout"], units: classes.length, bias: true },
  ];
  return { inputs, classes, layers: [...branches.flat(), ...joined, ...head] };
}

/** Where one column is left, as of a series of one channel, pooling is along the height only. */
function tinym2netBranch({ name: input, shape: [, width] }: NetInput): Layer[] {
  const at = (role: string): string => `${input}.${role}`;
  const pool = (n: number): [number, number] => [2, width >> n > 0 ? 2 : 1];
  const separable = (n: number, from: string, filters: number): Layer[] => [
    { op: "depthwiseConv2d", name: at(`depthwise${n}`), inputs: [from], bias: true, ...WINDOW },
    {
      op: "conv2d",
      name: at(`pointwise${n}`),
      inputs: [at(`depthwise${n}`)],
      filters,
      bias: true,
      ...POINT,
    },
    { op: "relu", name: at(`relu${n}`), inputs: [at(`pointwise${n}`)] },
    { op: "maxPool", name: at(`pool${n}`), inputs: [at(`relu${n}`)], size: pool(n) },
    { op: "dropout", name: at(`dropout${n}`), inputs: [at(`pool${n}`)], rate: DROPOUT },
  ];
  return [
    { op: "conv2d", name: at("conv"), inputs: [input], filters: 64, bias: true, ...WINDOW },
    { op: "batchNorm", name: at("norm"), inputs: [at("conv")], ...NORM },
    { op: "relu", name: at("relu"), inputs: [at("norm")] },
    ...separable(1, at("relu"), 32),
    ...separable(2, at("dropout1"), 64),
    { op: "flatten", name: at("flatten"), inputs: [at("dropout2")] },
    { op: "dense", name: at("dense"), inputs: [at("flatten")], units: 64, bias: true },
    { op: "relu", name: at("relu3"), inputs: [at("dense")] },
    { op: "dropout", name: at("dropout3"), inputs: [at("relu3")], rate: DROPOUT },
  ];
}

/**
 * Each input has a stack of its own up to the average pool; several are concatenated before the
 * classifier.
 */
function dsCnn({ inputs, classes }: PresetOptions): Graph {
  const stacks = inputs.map(({ name }) => dsCnnStack(name));
  const ends = stacks.map((stack) => stack[stack.length - 1].name);
  const fusion = inputs.length > 1;
  const joined: Layer[] = fusion ? [{ op: "concat", name: "fusion", inputs: ends }] : [];
  const from = fusion ? "fusion" : ends[0];
  const scores: Layer = {
    op: "dense",
    name: "scores",
    inputs: [from],
    units: classes.length,
    bias: true,
  };
  return { inputs, classes, layers: [...stacks.flat(), ...joined, scores] };
}

function dsCnnStack(input: string): Layer[] {
  const at = (role: string): string => `${input}.${role}`;
  const normed = (role: string, from: string): Layer[] => [
    { op: "batchNorm", name: at(`${role}.norm`), inputs: [from], ...NORM },
    { op: "relu", name: at(`${role}.relu`), inputs: [at(`${role}.norm`)] },
  ];
  const first: Layer = {
    op: "conv2d",
    name: at("conv"),
    inputs: [input],
    filters: 64,
    bias: false,
    kernel: [10, 4],
    stride: [2, 2],
    padding: "same",
  };
  const blocks = [1, 2, 3, 4].flatMap((n): Layer[] => {
    const from = n === 1 ? at("conv.dropout") : at(`pointwise${n - 1}.relu`);
    const [depthwise, pointwise] = [at(`depthwise${n}`), at(`pointwise${n}`)];
    return [
      { op: "depthwiseConv2d", name: depthwise, inputs: [from], bias: false, ...WINDOW },
      ...normed(`depthwise${n}`, depthwise),
      {
        op: "conv2d",
        name: pointwise,
        inputs: [at(`depthwise${n}.relu`)],
        filters: 64,
        bias: false,
        ...POINT,
      },
      ...normed(`pointwise${n}`, pointwise),
    ];
  });
  return [
    first,
    ...normed("conv", at("conv")),
    { op: "dropout", name: at("conv.dropout"), inputs: [at("conv.relu")], rate: DROPOUT },
    ...blocks,
    { op: "dropout", name: at("dropout"), inputs: [at("pointwise4.relu")], rate: 0.4 },
    { op: "globalAveragePool", name: at("pool"), inputs: [at("dropout")] },
  ];
}
