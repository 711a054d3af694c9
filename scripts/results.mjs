/**
 * Trains, compresses and scores every arm on the real datasets and writes docs/results.md.
 *
 *   node scripts/results.mjs [--data DIR] [--out DIR] [--seeds N] [--only NAME,...]
 *
 * Each number comes from the command line program itself. Finished runs in --out are kept, so a stopped
 * script goes on where it was. Nothing is chosen on the test split: epochs are by validation, and every
 * arm has the same settings.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: {
    data: { type: "string", default: process.env.TINYM2NET_DATA ?? join(root, "../shared/data") },
    out: { type: "string", default: join(root, "runs/results") },
    seeds: { type: "string" },
    only: { type: "string" },
    write: { type: "boolean", default: false },
  },
});

/** Epochs and seeds such that all of it takes about an hour on one core; --seeds asks for more. */
const DATASETS = [
  {
    name: "coswara-pairs",
    epochs: 30,
    seeds: 3,
    arms: [["cough"], ["speech"], ["cough", "speech"]],
    about:
      "cough + speech of the same person; the label is the sex of the speaker (66 people, 12 in test)",
  },
  {
    name: "covid-cough",
    epochs: 30,
    seeds: 3,
    arms: [["audio"]],
    about:
      "induced cough, COVID-19 positive or negative; a benchmark, no evidence of a usable test",
  },
  {
    name: "drone-av",
    epochs: 20,
    seeds: 1,
    arms: [["audio"], ["image"], ["thermal"], ["image", "audio"], ["image", "thermal", "audio"]],
    about: "drone, helicopter or background; modalities are class-matched, not recorded together",
  },
  {
    name: "av-digits",
    epochs: 10,
    seeds: 1,
    arms: [["image"], ["audio"], ["image", "audio"]],
    about: "degraded digit picture + noisy spoken digit, test speaker never trained on",
  },
];

/** One JSON object from the program. */
function tinym2net(...args) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "bin/tinym2net.js"), ...args, "--json", "--quiet"],
    { encoding: "utf8", maxBuffer: 1 << 28 },
  );
  if (status !== 0) throw new Error(`tinym2net ${args.join(" ")}: exit ${status}\n${stderr}`);
  return JSON.parse(stdout);
}

/** What a command says, kept beside the runs so that it is asked once. */
function kept(run, key, ask) {
  const file = `${run}.${key}.json`;
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8"));
  const started = Date.now();
  const answer = { ...ask(), seconds: (Date.now() - started) / 1000 };
  for (const bulky of ["ids", "groups", "labels", "predictions"]) delete answer[bulky];
  writeFileSync(file, JSON.stringify(answer));
  return answer;
}

function runOf(name, arm, seed) {
  return join(values.out, name, `${arm.join("-")}-${seed}`);
}

function runArm({ name, epochs, arms }, arm, seed, isFused) {
  const data = join(values.data, name);
  const run = runOf(name, arm, seed);
  mkdirSync(join(values.out, name), { recursive: true });
  console.error(`${name} ${arm.join(" + ")} seed ${seed}`);
  const settings = ["--epochs", `${epochs}`, "--seed", `${seed}`, "--threads", "1"];
  const flags = ["--modalities", arm.join(","), ...settings];
  const train = kept(run, "train", () =>
    tinym2net("train", data, "--out", run, "--force", ...flags),
  );
  const float = kept(run, "float", () =>
    tinym2net("evaluate", run, "--data", data, "--split", "test"),
  );
  const result = { train, float, int: {} };
  if (!isFused) return result;
  for (const bits of ["8", "4", "mixed"]) {
    result.int[bits] = kept(run, bits, () => {
      const compressed = tinym2net("compress", run, "--bits", bits, "--data", data);
      const flags = ["--data", data, "--split", "test", "--precision", "int"];
      return { ...tinym2net("evaluate", run, ...flags), compressed };
    });
  }
  result.verify = kept(run, "verify", () =>
    tinym2net("verify", run, "--data", data, "--samples", "3"),
  );
  result.bench = kept(run, "bench", () => tinym2net("bench", run));
  const singles = arms
    .filter((other) => other.length === 1)
    .map((other) => runOf(name, other, seed));
  if (arm.length > 1) {
    result.report = kept(run, "report", () =>
      tinym2net("report", run, "--arms", singles.join(",")),
    );
  }
  return result;
}

const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
const deviation = (list) =>
  list.length < 2
    ? 0
    : Math.sqrt(list.reduce((s, x) => s + (x - mean(list)) ** 2, 0) / (list.length - 1));
const percent = (list) => {
  const spread = list.length > 1 ? ` ± ${(100 * deviation(list)).toFixed(1)}` : "";
  return `${(100 * mean(list)).toFixed(1)}${spread}`;
};
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

function row(cells) {
  return `| ${cells.join(" | ")} |\n`;
}

function section(dataset, results) {
  const seeds = Object.keys(results[0].seeds);
  const times = seeds.length === 1 ? "one seed" : `${seeds.length} seeds`;
  let text = `## ${dataset.name}\n\n${dataset.about}. ${dataset.epochs} epochs, ${times}.\n\n`;
  const hasArea = Object.values(results[0].seeds)[0].float.auc !== undefined;
  const head = [
    "net",
    "precision",
    "balanced accuracy, %",
    "accuracy, %",
    ...(hasArea ? ["AUC"] : []),
    "flash",
    "RAM",
  ];
  text += row(head) + row(head.map(() => "---"));
  for (const { arm, seeds: bySeed } of results) {
    const list = Object.values(bySeed);
    const scores = (pick, extra) =>
      row([
        arm.join(" + "),
        extra[0],
        percent(list.map((r) => pick(r).balancedAccuracy)),
        percent(list.map((r) => pick(r).accuracy)),
        ...(hasArea ? [mean(list.map((r) => pick(r).auc)).toFixed(3)] : []),
        ...extra.slice(1),
      ]);
    text += scores((r) => r.float, ["float", "-", "-"]);
    for (const bits of ["8", "4", "mixed"].filter((name) => list[0].int[name])) {
      const { flashBytes, ramBytes } = list[0].int[bits].compressed;
      const title = bits === "mixed" ? "mixed 8/4" : `${bits}-bit`;
      text += scores((r) => r.int[bits], [title, kilobytes(flashBytes), kilobytes(ramBytes)]);
    }
  }
  const fused = Object.values(results[results.length - 1].seeds)[0];
  if (fused.report?.gain) {
    const { best, difference, interval, groups } = fused.report.gain;
    const points = (x) => (100 * x).toFixed(1);
    const range = `[${points(interval.low)}, ${points(interval.high)}]`;
    text += `\nFusing all over ${best} alone, float, seed 1: ${points(difference)} points ${range}, `;
    text += `95 % interval over ${groups} groups.\n`;
  }
  if (fused.verify) {
    const targets = Object.entries(fused.verify.targets);
    const said = targets.map(
      ([name, t]) => `${name} ${t.equal === null ? "skipped" : t.equal ? "equal" : "DIFFERENT"}`,
    );
    const count = targets[0][1].samples;
    text += `\nReference interpreter against targets on ${count} recordings: ${said.join(", ")}. `;
    const bench = Object.entries(fused.bench.targets);
    const ms = bench
      .filter(([, t]) => t.latencyMs !== null)
      .map(([name, t]) => `${name} ${t.latencyMs.toFixed(1)} ms`);
    text += `Latency of the mixed net, measured on this machine, front-ends included: ${ms.join(", ")}.\n`;
  }
  const rates = results.map(
    ({ arm, seeds: s }) =>
      `${arm.join(" + ")} ${Math.round(Object.values(s)[0].train.samplesPerSecond ?? 0)}`,
  );
  const where = "samples a second on one thread, the machine shared with other work";
  text += `\nTraining, ${where}: ${rates.join(", ")}.\n\n`;
  return text;
}

const only = values.only?.split(",");
let text = "";
for (const dataset of DATASETS) {
  if (only && !only.includes(dataset.name)) continue;
  const results = [];
  const most = Math.max(...dataset.arms.map((arm) => arm.length));
  for (let seed = 1; seed <= Number(values.seeds ?? dataset.seeds); seed++) {
    dataset.arms.forEach((arm, i) => {
      const isFused = arm.length === most;
      results[i] ??= { arm, seeds: {} };
      results[i].seeds[seed] = runArm(dataset, arm, seed, isFused);
    });
  }
  text += section(dataset, results);
}
const machine = `Node ${process.version}, ${process.platform} ${process.arch}, ${cpus().length} cores`;
const head = `# Results on real data

Written by \`node scripts/results.mjs --write\` (${machine}). The plain recipe: preset
\`tinym2net\`, Adam with a peak rate of 0.001 and a cosine schedule, the default batch, no
augmentation; the epoch with the best balanced accuracy on the validation split is kept. Every number
is on the test split, mean ± standard deviation over seeds; compression is post-training. Flash is
exact for weights and tables and estimated for code; RAM is arena + raw inputs + scores, exact, stack
apart.

`;
if (values.write) writeFileSync(join(root, "docs/results.md"), `${head}${text.trimEnd()}\n`);
else process.stdout.write(head + text);
