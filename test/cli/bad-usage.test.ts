/** Wrong verbs, options, config files and output folders; help, colours, pipes. */

import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { needs } from "../capabilities.ts";
import { cli, copy, json, start, stateOf, workplace, writeTiny } from "./workplace.ts";

const place = workplace();
const data = join(place, "tiny");
const run = join(place, "run");
const settings = ["--modalities", "image", "--size", "16", "--epochs", "1"];

beforeAll(async () => {
  await writeTiny(data);
  await json(["train", data, "--out", run, ...settings]);
  await json(["compress", run, "--bits", "8"]);
});

describe("a wrong command line gives 2 and says what is right", () => {
  const out = join(place, "never");
  const mistakes: [string[], string][] = [
    [["trian", data], "unknown command 'trian'\n(Did you mean train?)"],
    [["train"], "missing required argument 'folder'"],
    [["train", data, "other"], "too many arguments for 'train'"],
    [["train", data, "--epcohs", "3"], "unknown option '--epcohs'\n(Did you mean --epochs?)"],
    [["train", data, "--epochs", "some"], "'--epochs <n>' argument 'some' is invalid"],
    [["train", data, "--epochs", "0"], "must be 1 or more"],
    [["train", data, "--seed", "-1"], "must be a whole number, 0 or more"],
    [["train", data, "--rate", "0"], "must be a number above 0"],
    [["train", data, "--optimizer", "adm"], "unknown optimizer: adm; did you mean adam?"],
    [["train", data, "--schedule", "stop"], "unknown schedule: stop; did you mean step?"],
    [["train", data, "--modalities", "image,"], "must be names separated by commas"],
    [
      ["train", data, "--preset", "tinym2nat"],
      "unknown preset: tinym2nat; did you mean tinym2net?",
    ],
    [["evaluate", run, "--split", "tset"], "unknown split: tset; did you mean test?"],
    [["evaluate", run, "--precision", "in"], "unknown precision: in; did you mean int?"],
    [["compress", run, "--bits", "mixd"], "unknown bits: mixd; did you mean mixed?"],
    [["compress", run, "--flash", "10kB"], "'--flash <bytes>' argument '10kB' is invalid"],
    [["verify", run, "--target", "wsam"], "unknown target: wsam; did you mean wasm?"],
    [["deploy", run, "--target", "cortex-m4"], "deploy: --out must be given"],
    [["deploy", run, "--out", out], "deploy: --target must be given"],
    [
      ["deploy", run, "--target", "cortex-m4", "--out", out],
      "target cortex-m4: not available in this version",
    ],
    [["bench"], "give a RUN folder, --preset NAME or `training`"],
    [["bench", run, "--preset", "ds-cnn"], "give RUN or --preset, not both"],
    [["bench", "training", "--bits", "8"], "bench training takes no --bits"],
    [["bench", "training", "--peers", "torch"], "unknown peer: torch; did you mean pytorch?"],
    [["bench", run, "--quick"], "bench takes no --quick"],
    [["bench", "--preset", "ds-cn"], "unknown preset: ds-cn; did you mean ds-cnn?"],
  ];

  test.each(mistakes.map(([argv, message]) => [message, argv] as const))(
    "%s",
    async (message, argv) => {
      const before = stateOf(run);
      const flags = argv[0] === "train" ? ["--out", out, "--size", "16"] : [];
      const { code, stdout, stderr } = await cli([...argv, ...flags, "--json"]);
      expect(stderr).toContain(message);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stateOf(out)).toEqual({});
      expect(stateOf(run)).toEqual(before);
    },
  );

  test("a target whose compiler is missing gives 4", async () => {
    const kept = process.env.PATH;
    process.env.PATH = "";
    try {
      for (const verb of ["verify", "bench"]) {
        const { code, stderr } = await cli([verb, run, "--target", "portable"]);
        expect(stderr).toContain("target portable: no cc, gcc or clang on PATH; set CC");
        expect(code).toBe(4);
      }
      const { stackBytes, flashBytes } = await json([
        "deploy",
        run,
        "--target",
        "portable",
        "--out",
        join(place, "no-compiler"),
      ]);
      expect([stackBytes, flashBytes]).toMatchObject([null, { codeHow: "estimated" }]);
    } finally {
      process.env.PATH = kept;
    }
  });
});

describe("help", () => {
  test.each([
    "demo",
    "data",
    "train",
    "evaluate",
    "compress",
    "verify",
    "deploy",
    "bench",
    "report",
  ])("%s --help goes to stdout and gives 0", async (verb) => {
    const { code, stdout, stderr } = await cli([verb, "--help"]);
    expect(stdout).toContain(`Usage: tinym2net ${verb} [options]`);
    for (const option of ["--json", "--seed", "--config", "--quiet"]) {
      expect(stdout).toContain(option);
    }
    expect([code, stderr]).toEqual([0, ""]);
  });

  test("--version tells the version and nothing else", async () => {
    const { code, stdout } = await cli(["--version"]);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(code).toBe(0);
  });

  test("without a verb it is shown on stderr, and the exit code is 2", async () => {
    const { code, stdout, stderr } = await cli([]);
    expect(stderr).toContain("Usage: tinym2net");
    expect([code, stdout]).toEqual([2, ""]);
  });
});

describe("--out", () => {
  const train = (out: string, ...flags: string[]): string[] => [
    ...["train", data, "--out", out],
    ...settings,
    ...flags,
  ];

  test("an earlier run is kept without --force", async () => {
    const before = stateOf(run);
    const { code, stderr } = await cli(train(run));
    expect(stderr).toContain("is not empty; use --resume to continue it or --force to start it");
    expect(code).toBe(2);
    expect(stateOf(run)).toEqual(before);
  });

  test("a folder that holds something else is kept even with --force", async () => {
    const other = join(place, "other");
    mkdirSync(other);
    writeFileSync(join(other, "thesis.txt"), "years of work");
    for (const argv of [
      train(other, "--force"),
      ["deploy", run, "--target", "wasm", "--out", other],
    ]) {
      const { code, stderr } = await cli(argv);
      expect(stderr).toContain("is not empty");
      expect(code).toBe(2);
    }
    expect(Object.keys(stateOf(other))).toEqual(["thesis.txt"]);
  });

  test("a file, and a folder below a file, are refused before any work", async () => {
    const file = join(data, "manifest.csv");
    for (const out of [file, join(file, "run")]) {
      for (const argv of [train(out), ["deploy", run, "--target", "wasm", "--out", out]]) {
        const { code, stderr } = await cli(argv);
        expect(stderr).toContain(`cannot write ${out}: a part of the path is a file, not a folder`);
        expect(stderr).not.toContain("features");
        expect(code).toBe(2);
      }
    }
  });

  test("deploy writes the same package again, and another one only with --force", async () => {
    const out = join(place, "package");
    const deploy = ["deploy", run, "--target", "wasm", "--out", out];
    await json(deploy);
    const before = stateOf(out);
    await json(deploy);
    writeFileSync(join(out, "README.md"), "my notes");
    const { code, stderr } = await cli(deploy);
    expect(stderr).toContain("is not empty (README.md); use --force or another --out");
    expect(code).toBe(2);
    await json([...deploy, "--force"]);
    expect(stateOf(out)).toEqual(before);
  });

  test("deploy on a full disk leaves the package that is there as it was", async () => {
    const out = copy(join(place, "package"), join(place, "full"));
    const before = stateOf(out);
    symlinkSync("/dev/full", join(out, "selftest.mjs.partial"));
    const { code, stderr } = await cli(["deploy", run, "--target", "wasm", "--out", out]);
    expect(stderr).toContain("selftest.mjs: the disk is full; free some space");
    expect(code).toBe(2);
    expect(stateOf(out)).toEqual(before);
  });

  test("a folder without permission to write is refused", async () => {
    const out = join(place, "read-only");
    mkdirSync(out);
    chmodSync(out, 0o555);
    // root may write anywhere, unless it gives that up
    const leading =
      process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] : [];
    for (const argv of [
      train(join(out, "run")),
      ["deploy", run, "--target", "wasm", "--out", join(out, "wasm")],
    ]) {
      const { code, stderr } = await start(argv, { leading }).ended;
      expect(stderr).toContain("no permission to write there; choose another folder with --out");
      expect(code).toBe(2);
    }
    expect(stateOf(out)).toEqual({});
  });
});

describe("--config", () => {
  const config = (content: unknown): string => {
    const path = join(place, "config.json");
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  };

  test("its options go before the defaults and behind the command line", async () => {
    const options = { epochs: 2, size: 16, modalities: ["image"], seed: 7, quiet: true };
    const path = config({ ...options, out: join(place, "configured") });
    const result = await json(["train", data, "--config", path, "--epochs", "1"]);
    expect(result).toMatchObject({ epochs: 1, run: join(place, "configured"), stderr: "" });
    const again = await cli([
      "train",
      data,
      "--out",
      join(place, "configured"),
      "--resume",
      "--seed",
      "1",
    ]);
    expect(again.stderr).toContain("seed must be 7");
  });

  test("options that a verb must have may come from it", async () => {
    const path = config({ target: "wasm", out: join(place, "by-config") });
    expect(await json(["deploy", run, "--config", path])).toMatchObject({ target: "wasm" });
  });

  test.each([
    [{ epoch: 2 }, /unknown option in .*config\.json: epoch; did you mean epochs\?/],
    [{ epochs: "many" }, /--epochs in .*config\.json must be a whole number.* It is "many"/],
    [{ epochs: 1.5 }, /--epochs in .*config\.json must be a whole number/],
    [{ epochs: true }, /--epochs in .* must be text, a number or a list, got true/],
    [{ preset: null }, /--preset in .* must be text, a number or a list, got null/],
    [{ modalities: { a: 1 } }, /--modalities in .* must be text, a number or a list/],
    [{ quiet: "yes" }, /--quiet in .* must be true or false, got "yes"/],
    ["{ epochs: 1 }", /config\.json is no JSON/],
    [[1], /must hold one JSON object with options/],
  ])("%j is refused", async (content, message) => {
    const out = join(place, "misconfigured");
    const { code, stderr } = await cli(["train", data, "--out", out, "--config", config(content)]);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(stateOf(out)).toEqual({});
  });

  test("a file that is not there is refused", async () => {
    const { code, stderr } = await cli(["data", data, "--config", join(place, "nowhere.json")]);
    expect(stderr).toContain("nowhere.json cannot be read");
    expect(code).toBe(2);
  });
});

describe("terminals and pipes", () => {
  test("--quiet says nothing but the result", async () => {
    const { code, stdout, stderr } = await cli(["data", data, "--quiet"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("No problems found");
  });

  test("a pipe gets no escape sequences, with colours forced off or not", async () => {
    for (const colour of [{}, { NO_COLOR: "1" }, { CI: "true" }]) {
      const env = { ...process.env, FORCE_COLOR: "", ...colour };
      const { code, stdout, stderr } = await start(["data", data], { env }).ended;
      expect(code).toBe(0);
      expect(stdout + stderr).not.toContain("\u001b");
    }
  });

  test("a reader that closes the pipe early is no failure", async () => {
    const child = start(["data", data]);
    child.process.stdout.destroy();
    const { code, stderr } = await child.ended;
    expect(stderr).not.toContain("EPIPE");
    expect(code).toBe(0);
  });

  test(
    "a temporary folder that is not there is told, and nothing is deployed",
    needs("cc"),
    async () => {
      const kept = process.env.TMPDIR;
      process.env.TMPDIR = join(place, "no-such-folder");
      try {
        const out = join(place, "tmp");
        const { code, stderr } = await cli(["deploy", run, "--target", "portable", "--out", out]);
        expect(stderr).toMatch(/temporary folder .*no-such-folder: .*; free space or set TMPDIR/);
        expect(code).toBe(2);
        expect(stateOf(out)).toEqual({});
      } finally {
        if (kept === undefined) delete process.env.TMPDIR;
        else process.env.TMPDIR = kept;
      }
    },
  );
});

test("a verb of a later version is told apart from a misspelt one", async () => {
  const later = await cli(["search", "runs/x"]);
  expect(later).toMatchObject({
    code: 2,
    stderr: "tinym2net: search is not in this version; see --help\n",
  });
  const misspelt = await cli(["trian"]);
  expect(misspelt.code).toBe(2);
  expect(misspelt.stderr).toContain("Did you mean train?");
});
