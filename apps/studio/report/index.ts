/** The report: what one run knows in, one self-contained HTML page out. */

export { renderReport } from "./page.ts";
export type {
  ArmResult,
  DatasetFacts,
  EpochRecord,
  Equality,
  FlashPart,
  Gain,
  Interval,
  LayerRow,
  LearningCurve,
  MemoryBlock,
  MemoryPlan,
  Problem,
  Report,
  Reproduction,
} from "./report.ts";
