/** The data: samples by split and class, groups, and what the audit found. */
import { formatCount } from "../../cli/terminal/format.ts";
import { type Html, html } from "./html.ts";
import type { DatasetFacts, Report } from "./report.ts";
import { renderTable, type View } from "./view.ts";

export function renderDataset({ dataset, synthetic }: Report): View {
  const sensors = dataset.modalities.map(({ name, kind }) =>
    name === kind ? name : `${name} (${kind})`,
  );
  return {
    id: "dataset",
    title: "Data",
    body: html`<p>${dataset.name}: ${sensors.join(", ")};
${formatCount(dataset.groups)} groups, none of which may be in two splits.</p>
${
  synthetic &&
  html`<p><span class="badge">Synthetic</span> These recordings were generated. They
show that the tool works, not how well it would do on real sensors.</p>`
}
${renderCounts(dataset)}
${renderProblems(dataset)}`,
  };
}

function renderCounts({ samples, classes }: DatasetFacts): Html {
  const splits = Object.entries(samples);
  if (splits.length === 0) return html``;
  const total = (counts: Readonly<Record<string, number>>) =>
    Object.values(counts).reduce((sum, n) => sum + n, 0);
  const numeric = (header: string) => ({ header, isNumeric: true });
  return renderTable({
    caption: "Samples by split and class",
    columns: [{ header: "Split" }, ...classes.map(numeric), numeric("All")],
    rows: splits.map(([split, counts]) => [
      split,
      ...classes.map((name) => formatCount(countOf(counts, name))),
      formatCount(total(counts)),
    ]),
  });
}

/** A class may be named like a member of Object. */
function countOf(counts: Readonly<Record<string, number>>, name: string): number {
  return Object.hasOwn(counts, name) ? counts[name] : 0;
}

function renderProblems({ problems }: DatasetFacts): Html {
  if (problems.length === 0) return html`<p class="small">The audit found no problems.</p>`;
  return renderTable({
    caption: "Problems found by the audit",
    columns: [{ header: "Kind" }, { header: "Severity" }, { header: "Message", isLong: true }],
    rows: problems.map(({ kind, severity, message }) => [kind, severity, message]),
  });
}
