/**
 * A host program around an emitted C package: many samples in one process.
 *
 *   driver scores     input: samples, each its inputs' bytes in order; output: each one's scores
 *   driver trace      the same, and after each one's scores the whole arena
 *   driver repeat N   one sample, N runs, no output (for instruction counts)
 *   driver time N     one sample, N timed runs after one untimed; output: nanoseconds, one a line
 *
 * Before each sample the arena is filled with a pattern, so that nobody can rely on what it held;
 * with zeros for a trace, in which elements that no call writes must equal the interpreter's.
 */

import { emitC, type Product, productName, storageOf } from "../deploy/index.ts";
import { C_TYPES, sizeOf } from "../kernel/index.ts";

const DRIVER = "tinym2net_driver.c";

/** The C files to compile and link: the package's source and the driver. */
export function driverFiles(product: Product): Record<string, string> {
  const name = productName(product.name);
  const files = emitC(product);
  return {
    [`${name}.h`]: files[`${name}.h`],
    [`${name}.c`]: files[`${name}.c`],
    [DRIVER]: printDriver(product, name),
  };
}

/** Names of the source files among driverFiles. */
export function driverSources(product: Product): string[] {
  return [`${productName(product.name)}.c`, DRIVER];
}

function printDriver(product: Product, name: string): string {
  const inputs = product.inputs.map((input) => storageOf(product, input.name));
  const arrays = inputs.map(({ type, shape }, i) => {
    if (type === "f32") throw new Error("internal: f32 has no C form");
    return `static ${C_TYPES[type]} input_${i}[${sizeOf(shape)}];\n`;
  });
  const reads = inputs.map((_, i) => `fread(input_${i}, sizeof input_${i}, 1, stdin) == 1`);
  const macro = name.toUpperCase();
  const passed = ["arena", ...inputs.map((_, i) => `input_${i}`), "scores"].join(", ");
  return `#define _POSIX_C_SOURCE 200112L
#include "${name}.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

${macro}_ARENA(arena);
${arrays.join("")}static int8_t scores[${macro}_CLASS_COUNT];

static int next_sample(int filling) {
  memset(arena, filling, sizeof arena);
  memset(scores, 0x5a, sizeof scores);
  return ${reads.length > 0 ? reads.join(" && ") : "1"};
}

static void classify(void) {
  ${name}_run(${passed});
}

static void classify_timed(void) {
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  classify();
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%lld\\n", (end.tv_sec - start.tv_sec) * 1000000000LL + (end.tv_nsec - start.tv_nsec));
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  int runs = argc > 2 ? atoi(argv[2]) : 0;
  if (strcmp(mode, "scores") == 0 || strcmp(mode, "trace") == 0) {
    while (next_sample(mode[0] == 't' ? 0 : 0xa5)) {
      classify();
      fwrite(scores, sizeof scores, 1, stdout);
      if (mode[0] == 't') fwrite(arena, ${macro}_ARENA_BYTES, 1, stdout);
    }
    return 0;
  }
  if (!next_sample(0xa5)) return 1;
  if (strcmp(mode, "time") == 0) {
    classify();
    while (runs-- > 0) classify_timed();
    return 0;
  }
  while (runs-- > 0) classify();
  return 0;
}
`;
}
