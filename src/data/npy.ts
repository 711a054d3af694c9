/**
 * NumPy's NPY files: numbers of one type in C order, one or two dimensions.
 *
 * The header is a Python literal. It is read by a grammar of what NumPy writes and never evaluated;
 * types that could hold objects are refused.
 *
 * Source: NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays".
 */

import { UserError } from "../errors.ts";

/** Longest header that is read; NumPy's own are 118 bytes. */
const MAX_HEADER_BYTES = 4096;

const MAX_CHANNELS = 1000;

/** Values of a file, and the time of each reading where it has them. */
export interface Readings {
  readonly timesS?: Float64Array;
  readonly channels: number;
  /** Interleaved, finite. */
  readonly data: Float32Array;
}

/** Whether a file says that it is an NPY. */
export function isNpy(bytes: Uint8Array): boolean {
  return [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59].every((byte, i) => bytes[i] === byte);
}

/**
 * Decode an NPY file.
 *
 * returns  [readings] or [readings, channels] as 32-bit floats
 * throws   UserError if it is truncated or holds something else than finite numbers in C order
 */
export function decodeNpy(bytes: Uint8Array, name: string): Readings {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bytes[6] > 1;
  if (bytes.length < 12) throw new UserError(`${name} is truncated: not even an NPY header fits`);
  const start = wide ? 12 : 10;
  const headerBytes = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  if (headerBytes > MAX_HEADER_BYTES || start + headerBytes > bytes.length) {
    throw new UserError(`${name} claims a header of ${headerBytes} bytes, which does not fit`);
  }
  const text = String.fromCharCode(...bytes.subarray(start, start + headerBytes));
  const { descr, shape } = readHeader(text, name);
  const read = valueReader(descr);
  if (read === undefined) {
    throw new UserError(`${name} holds the type ${descr}; floats and integers are read`);
  }
  const [length, channels = 1] = shape;
  const size = Number(descr.slice(2));
  const at = start + headerBytes;
  if (length === 0 || channels === 0 || channels > MAX_CHANNELS) {
    throw new UserError(
      `${name} must hold readings of 1 to ${MAX_CHANNELS} channels, got ${shape}`,
    );
  }
  if (length * channels * size !== bytes.length - at) {
    const counts = `${shape.join(" x ")} of ${size} bytes announced, ${bytes.length - at} bytes there`;
    throw new UserError(`${name} is truncated or damaged: ${counts}`);
  }
  const data = new Float32Array(length * channels);
  for (let i = 0; i < data.length; i++) data[i] = read(view, at + i * size);
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new UserError(`${name} reading ${Math.floor(bad / channels)}: must be finite floats`);
  }
  return { channels, data };
}

/** `{'descr': '<f4', 'fortran_order': False, 'shape': (100, 3), }`, keys in any order. */
function readHeader(text: string, name: string): { descr: string; shape: number[] } {
  const body = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1] ?? "";
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(body)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(body)?.[1];
  const shape = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(body)?.[1];
  if (order === undefined || shape === undefined) {
    throw new UserError(
      `${name} has no NPY header that is read: ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
  if (descr === undefined)
    throw new UserError(`${name} holds records or objects; numbers are read`);
  const lengths = shape.split(",").filter((length) => length.trim() !== "");
  if (lengths.length !== 1 && lengths.length !== 2) {
    throw new UserError(`${name} must be [readings] or [readings, channels], got (${shape})`);
  }
  if (order === "True" && lengths.length === 2) {
    throw new UserError(`${name} is in Fortran order; save numpy.ascontiguousarray(x)`);
  }
  return { descr, shape: lengths.map(Number) };
}

/** How one value is read; undefined for types that are not. */
function valueReader(descr: string): ((view: DataView, at: number) => number) | undefined {
  const [, order, type] = /^([<>|=])([fiu][1248])$/.exec(descr) ?? [];
  const little = order !== ">";
  switch (type) {
    case "f4":
      return (view, at) => view.getFloat32(at, little);
    case "f8":
      return (view, at) => view.getFloat64(at, little);
    case "i1":
      return (view, at) => view.getInt8(at);
    case "u1":
      return (view, at) => view.getUint8(at);
    case "i2":
      return (view, at) => view.getInt16(at, little);
    case "u2":
      return (view, at) => view.getUint16(at, little);
    case "i4":
      return (view, at) => view.getInt32(at, little);
    case "u4":
      return (view, at) => view.getUint32(at, little);
    case "i8":
      return (view, at) => Number(view.getBigInt64(at, little));
    case "u8":
      return (view, at) => Number(view.getBigUint64(at, little));
    default:
      return undefined;
  }
}
