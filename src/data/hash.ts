/** SHA-256 of content, so that a run can say what data it saw. */

import type { Dataset } from "./dataset.ts";
import { readBytes } from "./files.ts";
import { inParallel } from "./in-parallel.ts";
import { MANIFEST } from "./manifest.ts";

const FILES_AT_ONCE = 8;

/**
 * One hash of a dataset's manifest and of every file its samples use.
 *
 * Files count by path and content in the order of their paths, so neither the order of rows nor
 * that of a folder's listing matters beyond the manifest's own bytes.
 *
 * hashOf   SHA-256 of the file at a path below the folder, where it is known without reading it here
 * returns  64 hexadecimal digits
 */
export async function contentHash(
  dataset: Pick<Dataset, "folder" | "samples">,
  { hashOf }: { hashOf?: (path: string) => string | undefined } = {},
): Promise<string> {
  const used = dataset.samples.flatMap(({ sources }) => Object.values(sources));
  const paths = [...new Set(used.map(({ path }) => path))].sort();
  const lines = await inParallel([MANIFEST, ...paths], {
    limit: FILES_AT_ONCE,
    work: async (path) => {
      const hash = hashOf?.(path) ?? (await sha256(await readBytes(`${dataset.folder}/${path}`)));
      return `${hash}  ${path}\n`;
    },
  });
  return sha256(new TextEncoder().encode(lines.join("")));
}

/** SHA-256 in hexadecimal. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(bytes));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
