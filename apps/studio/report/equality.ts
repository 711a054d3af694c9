/** Whether each target computes the reference's integers; what was not run says so. */
import { formatCount } from "../../cli/terminal/format.ts";
import { html } from "./html.ts";
import type { Equality, Report } from "./report.ts";
import { renderTable, type View } from "./view.ts";

export function renderEquality({ equality }: Report): View | undefined {
  if (equality.length === 0) return undefined;
  const table = renderTable({
    caption: "Integers of each target against the reference interpreter",
    columns: [
      { header: "Target" },
      { header: "Result" },
      { header: "Samples", isNumeric: true },
      { header: "Remark", isLong: true },
    ],
    rows: equality.map((target) => [
      target.target,
      html`<span class="status ${status(target)}">${WORDS[status(target)]}</span>`,
      target.skipped === undefined ? formatCount(target.samples) : "–",
      target.skipped ?? target.firstDifference ?? "",
    ]),
  });
  return { id: "equality", title: "Equality", body: table };
}

const WORDS = { equal: "✓ equal", differs: "✗ differs", skipped: "○ skipped" };

function status({ equal, skipped }: Equality): keyof typeof WORDS {
  if (skipped !== undefined) return "skipped";
  return equal ? "equal" : "differs";
}
