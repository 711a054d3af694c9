/**
 * Layers with their gradients, seeded randomness, and nets compiled to WebAssembly training steps.
 */

export {
  type CompileCache,
  compileCache,
  compileInference,
  compileInferenceThreads,
  compileTraining,
  compileTrainingThreads,
} from "./compile.ts";
export { type Axis, axesOf, type Padding, type Pair, type Window } from "./kernels/window.ts";
export type {
  Add,
  AveragePool,
  BatchNorm,
  Concat,
  Conv2d,
  Dense,
  DepthwiseConv2d,
  Dropout,
  FakeQuantize,
  Flatten,
  GlobalAveragePool,
  HardSwish,
  Initial,
  Layer,
  LayerOp,
  MaxPool,
  Parameter,
  Relu,
  Relu6,
  Shape,
  WeightQuantization,
} from "./layer.ts";
export { inputShapes, type Net, type NetInput, parametersOf, shapesOf } from "./net.ts";
export { product as sizeOfShape } from "./op.ts";
export { layerMacs, layerParameters } from "./ops/index.ts";
export {
  DEFAULT_OPTIMIZER,
  hyperparameters,
  type Optimizer,
  optimizerStates,
} from "./optimizer.ts";
export { type Random, random, shuffle } from "./random.ts";
export {
  type InferenceOptions,
  inferenceRoutine,
  type TrainingOptions,
  trainingRoutine,
} from "./routine.ts";
