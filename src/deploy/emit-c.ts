/**
 * A product as a package of portable C99: header, source, self-test, Makefile, README.
 *
 * No timestamps and no paths: the same product gives the same bytes.
 */

import { printHeader } from "./emit-c-header.ts";
import { printMakefile, printReadme } from "./emit-c-package.ts";
import { printSource } from "./emit-c-source.ts";
import { emitStreamC } from "./emit-c-stream.ts";
import { symbolsOf } from "./emit-c-symbols.ts";
import { checkProduct, type Product } from "./product.ts";
import { printSelftest } from "./selftest-c.ts";

/**
 * Emit a product as C.
 *
 * returns  file contents by name
 * throws   RangeError where the product is not consistent
 */
export function emitC(product: Product): Record<string, string> {
  checkProduct(product);
  const symbols = symbolsOf(product);
  const { prefix } = symbols;
  const { streams = [] } = product;
  return {
    [`${prefix}.h`]: printHeader(product, symbols),
    [`${prefix}.c`]: printSource(product, symbols),
    ...Object.assign({}, ...streams.map((stream) => emitStreamC(product, stream))),
    [`${prefix}_selftest.c`]: printSelftest(product, symbols),
    Makefile: printMakefile(product, symbols),
    "README.md": printReadme(product, symbols),
  };
}
