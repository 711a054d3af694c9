/** A disk that is really full: a small file system of its own, seen by one process tree only. */

import { mkdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { copy, json, start, stateOf, tool, workplace, writeTiny } from "./workplace.ts";

const place = workplace();
const data = join(place, "tiny");
const run = join(place, "run");
const settings = ["--modalities", "image", "--size", "16", "--epochs", "1"];

/** A private mount needs Linux and root, or a kernel that lets users have name spaces. */
const mount = 'mount -t tmpfs -o size=$SIZE none "$0"';
const canMount =
  tool("unshare", ["-rm", "sh", "-c", mount, tmpdir()], { ...process.env, SIZE: "64k" }).code === 0;

beforeAll(async () => {
  await writeTiny(data);
  await json(["train", data, "--out", run, ...settings]);
  await json(["compress", run, "--bits", "8"]);
});

/**
 * Run the program with a file system of `size` mounted on `disk`, filled with `from` first; what is
 * on it at the end is copied to `after`.
 */
function onSmallDisk(
  argv: string[],
  { disk, size, from, after }: { disk: string; size: string; from: string; after: string },
) {
  const script = `${mount} && cp -a "$1/." "$0" && shift && "$@"; code=$?; cp -a "$0/." "$AFTER"; exit $code`;
  const leading = ["unshare", "-rm", "sh", "-c", script, disk, from];
  return start(argv, { leading, env: { ...process.env, SIZE: size, AFTER: after } }).ended;
}

function folders(name: string): { disk: string; after: string } {
  const [disk, after] = [join(place, `${name}-disk`), join(place, `${name}-after`)];
  for (const folder of [disk, after]) mkdirSync(folder);
  return { disk, after };
}

describe.skipIf(!canMount)("on a full disk (needs unshare and mount)", () => {
  const fullDisk = /cannot write .*: the disk is full; free some space and run the same command/;

  test("train says so and leaves only whole files, and a run that can be resumed", async () => {
    const { disk, after } = folders("train");
    const from = join(place, "nothing");
    mkdirSync(from);
    const argv = ["train", data, "--out", join(disk, "run"), ...settings];
    const { code, stderr } = await onSmallDisk(argv, { disk, size: "64k", from, after });
    expect(stderr).toMatch(fullDisk);
    expect(code).toBe(2);
    expect(Object.keys(stateOf(after))).toEqual(["run/run.json"]);
  });

  test("compress says so and leaves the run as it was", async () => {
    const { disk, after } = folders("compress");
    const from = join(place, "from");
    copy(run, join(from, "run"));
    // each file takes whole pages; ten of them more are too few for the new net
    const pages = Object.keys(stateOf(run)).map((name) => statSync(join(run, name)).size / 4096);
    const size = `${4 * (pages.reduce((sum, count) => sum + Math.ceil(count), 0) + 10)}k`;
    const argv = ["compress", join(disk, "run"), "--bits", "4", "--data", data];
    const { code, stderr } = await onSmallDisk(argv, { disk, size, from, after });
    expect(stderr).toMatch(fullDisk);
    expect(code).toBe(2);
    expect(stateOf(join(after, "run"))).toEqual(stateOf(run));
  });

  test("deploy says so and leaves no folder", async () => {
    const { disk, after } = folders("deploy");
    const from = join(place, "empty");
    mkdirSync(from);
    const argv = ["deploy", run, "--target", "wasm", "--out", join(disk, "package")];
    const { code, stderr } = await onSmallDisk(argv, { disk, size: "64k", from, after });
    expect(stderr).toMatch(fullDisk);
    expect(code).toBe(2);
    expect(stateOf(after)).toEqual({});
  });
});
