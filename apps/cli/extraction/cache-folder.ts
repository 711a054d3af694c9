/**
 * Where what was computed before is kept: TINYM2NET_CACHE, else the folder for caches that the
 * system has (XDG_CACHE_HOME, ~/.cache; ~/Library/Caches; %LOCALAPPDATA%).
 *
 * Not beside the data, which may be read-only, and not in a run, since runs share it. All of it may
 * be deleted at any time.
 */

import { readdirSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { PARTIAL } from "./feature-store.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The value of TINYM2NET_CACHE that means: no cache. */
const OFF = "off";

/** Above this, what was not used for longest is deleted. */
const MAX_BYTES = 2 * 2 ** 30;

/** An unfinished file this old belongs to no living process. */
const ABANDONED_MS = 60 * 60 * 1000;

/** The folder, or undefined where nothing shall be kept. */
export function cacheFolder(
  environment: Environment,
  { platform = process.platform, home = homedir() }: { platform?: string; home?: string } = {},
): string | undefined {
  const { TINYM2NET_CACHE: own, XDG_CACHE_HOME, LOCALAPPDATA } = environment;
  if (own === OFF) return undefined;
  if (own !== undefined && own !== "") return resolve(own);
  if (platform === "win32") return join(LOCALAPPDATA ?? home, "tinym2net", "cache");
  if (platform === "darwin") return join(home, "Library", "Caches", "tinym2net");
  return join(XDG_CACHE_HOME || join(home, ".cache"), "tinym2net");
}

/** Keep a cache within its limit, and clear what killed processes left. */
export function prune(
  folder: string,
  { nowMs, maxBytes = MAX_BYTES }: { nowMs: number; maxBytes?: number },
): void {
  const files = filesBelow(folder).sort((a, b) => a.usedMs - b.usedMs);
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const remove = (file: CacheFile): void => {
    rmSync(file.path, { force: true });
    bytes -= file.bytes;
  };
  const isAbandoned = ({ path, usedMs }: CacheFile): boolean =>
    path.endsWith(PARTIAL) && nowMs - usedMs > ABANDONED_MS;
  for (const file of files.filter(isAbandoned)) remove(file);
  for (const file of files.filter((other) => !isAbandoned(other))) {
    if (bytes > maxBytes) remove(file);
  }
}

interface CacheFile {
  readonly path: string;
  readonly bytes: number;
  readonly usedMs: number;
}

function filesBelow(folder: string): CacheFile[] {
  const isThere = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  const names = isThere ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  return names.flatMap((name) => {
    const path = join(folder, name);
    const status = statSync(path, { throwIfNoEntry: false }); // another process may be faster
    if (status?.isFile() !== true) return [];
    return [{ path, bytes: status.size, usedMs: status.mtimeMs }];
  });
}
