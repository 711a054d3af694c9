/** Folders of sounds, pictures and series become an index of labelled, paired, audited samples. */

export { countGroups, countLabels } from "./audit.ts";
export { BATTLEFIELD_CLASSES, battlefield } from "./battlefield.ts";
export { collectDataset, type FoundSample, filesOf } from "./collect.ts";
export {
  type Audio,
  assertUsable,
  type CountRange,
  type Dataset,
  type Modality,
  type ModalityKind,
  type Picture,
  type Problem,
  type Sample,
  type Series,
  type Source,
  SPLITS,
  type Split,
} from "./dataset.ts";
export { contentHash } from "./hash.ts";
export type { Refusal } from "./import/importer.ts";
export {
  IMPORTERS,
  type ImportOptions,
  type ImportPlan,
  planImport,
  writeImport,
} from "./import/plan.ts";
export { inParallel } from "./in-parallel.ts";
export { type Inspection, inspectDataset } from "./inspect.ts";
export type { AudioFacts, ImageFacts, SeriesFacts } from "./inspect-facts.ts";
export { type Pairing, pairByClass } from "./pair.ts";
export { SERIOUS_KINDS } from "./problems.ts";
export { countSplits, readDataset } from "./read.ts";
export { openReader, type Reader } from "./reader.ts";
export { openResampler, type Resampler } from "./resample.ts";
export { type Fold, splitByFold, splitByGroup } from "./split.ts";
export { decodeWav, encodeWav, type Sound } from "./wav.ts";
export { type NewSample, writeDataset } from "./write.ts";
