/**
 * Sound that no permissive decoder reads (AAC, WebM) or hardly anybody has (AIFF): through the
 * program ffmpeg, where it is on PATH.
 *
 * The bytes go through a temporary file, because the index of an MP4 may stand at its end. ffmpeg is told the
 * format, so that no playlist or subtitle trick in a forged file makes it open anything else.
 */

import { UserError } from "../errors.ts";
import { writeBytes } from "./files.ts";

/** Names of ffmpeg's demuxers. */
export type FfmpegFormat = "mov" | "aac" | "matroska" | "aiff";

/** Decoding an hour takes seconds; what needs longer hangs. */
const TIME_LIMIT_MS = 120e3;

/**
 * The first sound track of a file as a WAV file of 32-bit floats.
 *
 * what        the format in words, for errors
 * limitBytes  of the WAV
 * throws      UserError if there is no ffmpeg, or it cannot read the file within the limits
 */
export async function convertToWav(
  bytes: Uint8Array,
  {
    format,
    what,
    name,
    limitBytes,
  }: {
    format: FfmpegFormat;
    what: string;
    name: string;
    limitBytes: number;
  },
): Promise<Uint8Array> {
  const { mkdtemp, rm } = await import("node:fs/promises");
  const { tmpdir } = await import("node:os");
  const { join } = await import("node:path");
  const folder = await mkdtemp(join(tmpdir(), "tinym2net-sound-"));
  try {
    const path = join(folder, "sound");
    await writeBytes(path, bytes);
    const end = await runFfmpeg(path, { format, limitBytes });
    if ("wav" in end) return end.wav;
    throw new UserError(`${name} is ${what}, ${end.failure}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function ffmpegArguments(path: string, format: FfmpegFormat): string[] {
  return [
    ...["-nostdin", "-hide_banner", "-loglevel", "error", "-xerror", "-threads", "1"],
    ...["-protocol_whitelist", "file,pipe", "-f", format, "-i", path],
    ...["-map", "0:a:0", "-bitexact", "-c:a", "pcm_f32le", "-f", "wav", "pipe:1"],
  ];
}

async function runFfmpeg(
  path: string,
  { format, limitBytes }: { format: FfmpegFormat; limitBytes: number },
): Promise<{ readonly wav: Uint8Array } | { readonly failure: string }> {
  const { execFile } = await import("node:child_process");
  const options = {
    encoding: "buffer",
    timeout: TIME_LIMIT_MS,
    killSignal: "SIGKILL",
    maxBuffer: limitBytes,
  } as const;
  return new Promise((settle) => {
    execFile("ffmpeg", ffmpegArguments(path, format), options, (error, stdout, stderr) => {
      if (error === null) settle({ wav: stdout });
      else if (error.code === "ENOENT") {
        const way = "install it, or convert the file to WAV or FLAC";
        settle({ failure: `which needs ffmpeg on PATH, and there is none; ${way}` });
      } else if (error.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") {
        settle({ failure: `and holds more than ${limitBytes} bytes of sound; cut it into parts` });
      } else if (error.killed === true) {
        settle({ failure: `and ffmpeg was stopped after ${TIME_LIMIT_MS / 1000} s` });
      } else {
        const reason = stderr.toString("utf8").trim().split("\n")[0].replaceAll(path, "it");
        settle({ failure: `and ffmpeg cannot read it: ${reason}` });
      }
    });
  });
}
