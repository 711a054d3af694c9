/**
 * Sound and pictures become what a net eats, in integers that training, browser and device share.
 */

export { logMelFloat, mfccFloat } from "./audio-definition.ts";
export { delayHops } from "./audio-stream.ts";
export { checkSpec } from "./check-spec.ts";
export {
  extractFeatures,
  type FeatureSet,
  type FitOptions,
  fitFrontend,
  type Refit,
} from "./extract.ts";
export { extractor, frontendRoutine, type Stage, streamRoutine } from "./frontend.ts";
export { resizeFloat } from "./image-definition.ts";
export { missingFeatures } from "./missing.ts";
export { pictureFitter, prepareAudio, preparePicture } from "./prepare.ts";
export { prepareSeries, seriesUnits } from "./prepare-series.ts";
export { FEATURE_SCALE, fitScaling } from "./scaling.ts";
export { seriesFloat } from "./series-definition.ts";
export {
  type AudioSpec,
  channelCount,
  defaultAudioSpec,
  defaultImageSpec,
  defaultSeriesSpec,
  type FeatureSpec,
  type Frontend,
  featureShape,
  type ImageSpec,
  inputShape,
  type Scaling,
  type SeriesSpec,
} from "./spec.ts";
export {
  type Extract,
  type Extraction,
  extractHere,
  inputReader,
  sampleExtractor,
  type Work,
} from "./work.ts";
