/**
 * Integer graphs become programs, and programs become packages: C for devices, WebAssembly for
 * browsers.
 */

export { emitC } from "./emit-c.ts";
export { arenaBytes } from "./emit-c-header.ts";
export { emitStreamC } from "./emit-c-stream.ts";
export { emitWasm } from "./emit-wasm.ts";
export { type LowerOptions, lower, streamOf } from "./lower.ts";
export { productName } from "./names.ts";
export {
  checkInputs,
  checkProduct,
  type Example,
  type Product,
  type ProductInput,
  rootStorage,
  type Stream,
  storageOf,
  streamProduct,
  usedStorage,
} from "./product.ts";
export { constantBytes, type FlashPart, flashParts } from "./product-flash.ts";
