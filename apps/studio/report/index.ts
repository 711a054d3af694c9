/** The report: what one run knows in, one self-contained HTML page out. */

export { renderReport } from "./page.ts";
export type {
  ArmResult,
  EpochRecord,
  Equality,
  Gain,
  LayerRow,
  MemoryPlan,
  Report,
} from "./report.ts";
