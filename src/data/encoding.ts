/**
 * How a file is encoded, in a few words, from its first bytes: what a label must not follow from.
 *
 * WAV: format, bits, channels. PNG: colour type and depth. JPEG: the sum of its first quantization
 * table, which tells qualities and encoders apart. Of others the extension.
 */

/** Bytes that hold what is looked at in nearly every file; beyond them only the extension counts. */
export const HEAD_BYTES = 1024;

/** Words for what the first bytes of the file `path` say. */
export function encodingOf(head: Uint8Array, path: string): string {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const extension = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  try {
    if (["RIFF", "RF64", "BW64"].includes(textAt(head, 0))) return wavForm(head, view) ?? extension;
    if (textAt(head, 1).startsWith("PNG")) return `png, type ${head[25]}, ${head[24]} bits`;
    if (view.getUint16(0) === 0xffd8) return jpegForm(view) ?? extension;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the head ends early
  }
  return extension;
}

function textAt(head: Uint8Array, at: number): string {
  return String.fromCharCode(...head.subarray(at, at + 4));
}

function wavForm(head: Uint8Array, view: DataView): string | undefined {
  for (let at = 12; at + 24 <= head.length; ) {
    const size = view.getUint32(at + 4, true);
    if (textAt(head, at) === "fmt ") {
      const [format, channels] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
      return `wav, format ${format}, ${view.getUint16(at + 22, true)} bits, ${channels} channels`;
    }
    at += 8 + size + (size % 2);
  }
  return undefined;
}

function jpegForm(view: DataView): string | undefined {
  for (let at = 2; at + 4 <= view.byteLength; at += 2 + view.getUint16(at + 2)) {
    if (view.getUint16(at) !== 0xffdb) continue;
    let sum = 0;
    for (let i = 0; i < 64; i++) sum += view.getUint8(at + 5 + i);
    return `jpeg, quantization ${sum}`;
  }
  return undefined;
}
