import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { describe, expect, test } from "vitest";
import { chromePath, needs } from "../../../test/capabilities.ts";
import { EXAMPLE_REPORT } from "../../../test/example-report.ts";
import { judge } from "./headline.ts";
import { renderReport } from "./page.ts";
import type { Report } from "./report.ts";

const HOSTILE = `<script>alert(1)</script>"'&`;

/** The example with every text replaced by one that would break out of careless markup. */
const HOSTILE_REPORT: Report = JSON.parse(JSON.stringify(EXAMPLE_REPORT), (key, value) => {
  const isName = typeof value === "string" && !["precision", "how"].includes(key);
  return isName ? `${HOSTILE}${value}` : value;
});

/** What remains when everything optional is absent. */
const EMPTY_REPORT: Report = {
  title: "empty",
  synthetic: false,
  dataset: { name: "none", classes: [], modalities: [], samples: {}, groups: 0, problems: [] },
  arms: [],
  curves: [],
  layers: [],
  equality: [],
  reproduce: { commands: [], facts: [] },
};

function sectionsOf(page: string): string[] {
  return [...page.matchAll(/<section id="([^"]*)"/g)].map(([, id]) => id);
}

/** The page's text without markup, spaces collapsed. */
function textOf(page: string): string {
  return page
    .replace(/<style>.*<\/style>/s, "")
    .replace(/<[^>]*>/g, "")
    .replace(/\s+/g, " ");
}

/** Names of tags that do not close the one last opened; empty for a balanced page. */
function unbalancedTags(page: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  const tags = page.replace(/<style>.*<\/style>/s, "").matchAll(/<(\/?)([a-z0-9]+)[^>]*?(\/?)>/g);
  for (const [, closing, name, selfClosing] of tags) {
    if (selfClosing === "/" || ["meta", "link"].includes(name)) continue;
    if (closing === "") open.push(name);
    else if (open.pop() !== name) wrong.push(name);
  }
  return [...wrong, ...open];
}

describe("the report", () => {
  test("states the result, the gain and the verdict first", () => {
    const text = textOf(renderReport(EXAMPLE_REPORT));
    expect(text).toContain(
      "Fusing image + audio: 94.2 % balanced accuracy, " +
        "+12.9 points over the best single sensor [8.3, 17.6]",
    );
    expect(text).toContain(
      "✓ Fusion helps. The 95 % interval of the gain (float nets) lies above zero",
    );
    expect(text).toContain("Synthetic data");
  });

  test("has every section for a full run", () => {
    expect(sectionsOf(renderReport(EXAMPLE_REPORT))).toEqual([
      "results",
      "bars",
      "confusion",
      "curves",
      "net",
      "graph",
      "memory",
      "equality",
      "dataset",
      "reproduce",
    ]);
  });

  test("leaves out what a run does not have", () => {
    const page = renderReport(EMPTY_REPORT);
    expect(sectionsOf(page)).toEqual(["dataset"]);
    expect(textOf(page)).toContain("No net was scored in this run.");
    expect(textOf(page)).not.toContain("Synthetic");
  });

  test("without a gain the best net is the headline", () => {
    const { gain: _, memory: __, flash: ___, ...rest } = EXAMPLE_REPORT;
    const page = renderReport({ ...rest, arms: rest.arms.slice(0, 2) });
    expect(textOf(page)).toContain("image: 81.3 % balanced accuracy [76.6, 85.9]");
    expect(page).not.toContain('class="verdict');
    expect(sectionsOf(page)).not.toContain("memory");
  });

  test("calls a gain a gain only if its whole interval lies above zero", () => {
    const gain = { fused: "both", best: "one", difference: 0.1 };
    expect(judge({ ...gain, interval: { low: 0.01, high: 0.2 } })).toBe("helps");
    expect(judge({ ...gain, interval: { low: 0, high: 0.2 } })).toBe("unknown");
    expect(judge({ ...gain, interval: { low: -0.2, high: -0.01 } })).toBe("hurts");
  });

  test("says when few groups stand behind the verdict", () => {
    const gain = { fused: "image + audio", best: "image", difference: -0.01 };
    const report = {
      ...EXAMPLE_REPORT,
      gain: { ...gain, interval: { low: -0.1, high: 0.12 }, groups: 12 },
    };
    const text = textOf(renderReport(report));
    expect(text).toContain("−1.0 points against the best single sensor [−10.0, 12.0]");
    expect(text).toContain("○ No evidence that fusion helps.");
    expect(text).toContain("Only 12 independent groups stand behind it");
  });

  test("gives no number that is not one, whatever diverged", () => {
    const epochs = [
      {
        epoch: 1,
        trainLoss: Number.NaN,
        valLoss: Number.POSITIVE_INFINITY,
        valBalancedAccuracy: 0,
      },
      { epoch: 2, trainLoss: 1, valLoss: 1, valBalancedAccuracy: 0.5 },
    ];
    const page = renderReport({ ...EXAMPLE_REPORT, curves: [{ name: "diverged", epochs }] });
    for (const [, path] of page.matchAll(/ d="([^"]*)"/g)) expect(path).not.toMatch(/NaN|Inf/);
    expect(page).not.toMatch(/(?:x|y|cx|cy|width|height)="[^"]*(?:NaN|Infinity|undefined)/);
  });

  test("lets no text of a data set become markup", () => {
    const page = renderReport(HOSTILE_REPORT);
    expect(page).not.toContain("<script");
    expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(page.match(/<[a-z]+/g)?.length).toBe(
      renderReport(EXAMPLE_REPORT).match(/<[a-z]+/g)?.length,
    );
  });

  test("closes every tag that it opens, in order", () => {
    for (const report of [EXAMPLE_REPORT, HOSTILE_REPORT, EMPTY_REPORT]) {
      expect(unbalancedTags(renderReport(report))).toEqual([]);
    }
    expect(unbalancedTags("<p><b></p></b>")).not.toEqual([]);
  });

  test("refers to nothing outside itself, and is the same every time", () => {
    const page = renderReport(EXAMPLE_REPORT);
    expect(page).not.toMatch(/https?:|\bsrc=|url\(|@import/);
    expect([...page.matchAll(/href="([^"]*)"/g)].every(([, to]) => /^(#|data:,)/.test(to))).toBe(
      true,
    );
    expect(renderReport(EXAMPLE_REPORT)).toBe(page);
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("in a browser", needs("chromium"), () => {
  test.each([
    ["the example", EXAMPLE_REPORT],
    ["hostile names", HOSTILE_REPORT],
    ["an empty run", EMPTY_REPORT],
  ])(
    "%s is well formed, asks for nothing, reports nothing and never scrolls sideways",
    async (_, report) => {
      const folder = await mkdtemp(join(tmpdir(), "tinym2net-report-"));
      const browser = await chromium.launch({ executablePath: chromePath ?? "" });
      try {
        const file = join(folder, "report.html");
        const source = renderReport(report);
        await writeFile(file, source);
        const page = await browser.newPage({ viewport: { width: 380, height: 800 } });
        const messages: string[] = [];
        const requests: string[] = [];
        page.on("console", (message) => messages.push(message.text()));
        page.on("pageerror", (error) => messages.push(error.message));
        page.on("dialog", (dialog) => messages.push(dialog.message()));
        page.on("request", (request) => requests.push(request.url()));
        await page.goto(pathToFileURL(file).href);
        for (const width of [380, 1400]) {
          await page.setViewportSize({ width, height: 800 });
          expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
        }
        // What the parser built has as many elements as the source has tags: nothing was repaired.
        const tags = source.replace(/<style>.*<\/style>/s, "<style>").match(/<[a-z]/g) ?? [];
        expect(await page.evaluate("document.querySelectorAll('*').length")).toBe(tags.length);
        expect(await page.evaluate("document.compatMode")).toBe("CSS1Compat");
        expect(messages).toEqual([]);
        expect(requests.filter((url) => !url.startsWith("data:"))).toEqual([
          pathToFileURL(file).href,
        ]);
      } finally {
        await browser.close();
        await rm(folder, { recursive: true });
      }
    },
  );
});
