/** A net as a plain graph of layers: presets, initial weights, cost. */

export { type Cost, costOf, type LayerCost } from "./cost.ts";
export { type Graph, initialWeights, packWeights, unpackWeights, type Weights } from "./graph.ts";
export { PRESETS, type Preset, type PresetOptions, preset } from "./presets.ts";
export { type QuantizationOptions, quantizationAware } from "./quantization-aware.ts";
