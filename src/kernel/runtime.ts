/**
 * What the WebAssembly engine can do beyond the standard's SIMD: fused multiply-add.
 *
 * Relaxed SIMD is on by default in V8 since 11.4 (Node 22, Chrome 114). Node 20 has it behind a flag
 * that can be switched on while it runs, before the first module is compiled.
 */

const NODE_20_FLAG = "--experimental-wasm-relaxed-simd";

/** (func (result v128) x x x f32x4.relaxed_madd), the smallest module that needs it. */
const PROBE = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[1, 5, 1, 0x60, 0, 1, 0x7b],
  ...[3, 2, 1, 0],
  ...[10, 19, 1, 17, 0],
  ...[0x41, 0, 0xfd, 17, 0x41, 0, 0xfd, 17, 0x41, 0, 0xfd, 17, 0xfd, 0x85, 0x02],
  0x0b,
]);

/** Whether modules may use fused multiply-add here; switches it on in Node 20. */
export function hasFusedMultiplyAdd(): boolean {
  if (WebAssembly.validate(PROBE)) return true;
  if (!("process" in globalThis)) return false;
  const { process } = globalThis;
  if (!process.version.startsWith("v20.")) return false;
  process.getBuiltinModule("node:v8").setFlagsFromString(NODE_20_FLAG);
  return WebAssembly.validate(PROBE);
}
