/**
 * Programs on an emulated Cortex-M4: QEMU's mps2-an386, nothing but the emitted C and a start-up.
 *
 * Instructions are counted by virtual time: with -icount shift=0 one instruction takes 1 ns, and
 * SysTick, at 25 MHz, falls by one every 40 of them. Counts repeat to the digit; they are no cycles.
 * Text and exit code leave by semihosting.
 *
 * Source: Arm, "Semihosting for AArch32 and AArch64", operations 0x04 SYS_WRITE0 and 0x20
 * SYS_EXIT_EXTENDED, reason 0x20026; Armv7-M Architecture Reference Manual, B3.3 (SysTick).
 */

import type { Reading } from "./sections.ts";
import { type Environment, hasTool, inFolder, runTool } from "./tool.ts";
import { compile, STRICT_FLAGS } from "./toolchain.ts";

const COMPILER = "arm-none-eabi-gcc";
const EMULATOR = "qemu-system-arm";
const LEVEL = "-O2";

/** Instructions between two ticks: 40 ns of virtual time. */
const INSTRUCTIONS_A_TICK = 40;

/** Arguments of qemu-system-arm that run a.elf to its end. */
export const EMULATOR_FLAGS: readonly string[] = [
  ...["-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none"],
  ...["-semihosting-config", "enable=on,target=native", "-kernel", "a.elf"],
];

/** What a program for the emulated core is compiled and linked with. */
export const CORTEX_M4_FLAGS: readonly string[] = [
  ...["-mcpu=cortex-m4", "-mthumb", ...STRICT_FLAGS],
  ...["-nostdlib", "-T", "board.ld"],
];

export const linkerScript = `MEMORY {
  FLASH (rx) : ORIGIN = 0x0, LENGTH = 4M
  RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 4M
}
SECTIONS {
  .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) } > FLASH
  .data : { data_begin = .; *(.data*) . = ALIGN(4); data_end = .; } > RAM AT > FLASH
  data_source = LOADADDR(.data);
  .bss : { bss_begin = .; *(.bss*) *(COMMON) . = ALIGN(4); bss_end = .; } > RAM
}
`;

export const startUp = `#include <stdint.h>

extern uint32_t data_begin[], data_end[], data_source[], bss_begin[], bss_end[];
int main(void);

static void leave(uint32_t code) {
  uint32_t block[2] = {0x20026, code};
  register uint32_t operation __asm__("r0") = 0x20;
  register uint32_t *argument __asm__("r1") = block;
  __asm__ volatile("bkpt 0xAB" : : "r"(operation), "r"(argument) : "memory");
  for (;;) {
  }
}

void told(const char *text);

void told(const char *text) {
  register uint32_t operation __asm__("r0") = 0x04;
  register const char *argument __asm__("r1") = text;
  __asm__ volatile("bkpt 0xAB" : "+r"(operation) : "r"(argument) : "memory");
}

static void fault(void) {
  leave(99);
}

static void reset(void) {
  volatile uint32_t *to = bss_begin;
  while (to < bss_end) *to++ = 0;
  to = data_begin;
  for (const uint32_t *from = data_source; to < data_end;) *to++ = *from++;
  leave((uint32_t)main());
}

__attribute__((section(".vectors"), used)) static void *const vectors[] = {
    (void *)(uintptr_t)0x20100000, (void *)(uintptr_t)reset, (void *)(uintptr_t)fault,
    (void *)(uintptr_t)fault,      (void *)(uintptr_t)fault, (void *)(uintptr_t)fault,
    (void *)(uintptr_t)fault,
};
`;

/** `ticks_begin()` and `ticks_end()`, which tells the ticks between them; more than 2^24 - 1 are lost. */
const counter = `static volatile uint32_t *const systick = (volatile uint32_t *)0xE000E010;
void told(const char *text);

static void ticks_begin(void) {
  systick[1] = 0xffffff;
  systick[2] = 0;
  systick[0] = 5;
}

static void ticks_end(void) {
  uint32_t ticks = 0xffffff - systick[2];
  uint32_t wrapped = systick[0] & 0x10000;
  char text[12];
  int at = 11;
  text[at] = 0;
  do text[--at] = (char)('0' + ticks % 10);
  while ((ticks /= 10) > 0);
  told(wrapped ? "wrapped" : text + at);
}
`;

/** Why nothing can be counted here; undefined if it can. */
export function emulationReason(environment: Environment): string | undefined {
  const lacking = [COMPILER, EMULATOR].filter((tool) => !hasTool(tool, environment));
  return lacking.length === 0 ? undefined : `no ${lacking.join(", no ")} on PATH`;
}

/**
 * Instructions of a piece of C on the emulated core.
 *
 * files    what it is made of, by name; every .c file is compiled
 * main     C that includes what it needs and has a main, which calls ticks_begin() and ticks_end()
 *          once each
 */
export async function countOnCortexM4(
  files: Readonly<Record<string, string>>,
  main: string,
  { environment = process.env }: { environment?: Environment } = {},
): Promise<Reading> {
  const reason = emulationReason(environment);
  if (reason !== undefined) return { value: null, reason };
  const all = {
    ...files,
    "main.c": `#include <stdint.h>\n${counter}\n${main}`,
    "start.c": startUp,
    "board.ld": linkerScript,
  };
  return inFolder(all, async (folder) => {
    const sources = Object.keys(all).filter((name) => name.endsWith(".c"));
    const flags = [...CORTEX_M4_FLAGS, LEVEL, ...sources, "-lgcc", "-o", "a.elf"];
    await compile({ command: COMPILER, leading: [] }, flags, folder);
    const timed = ["-icount", "shift=0", ...EMULATOR_FLAGS];
    const { code, stdout, stderr } = await runTool(EMULATOR, timed, { folder, timeoutMs: 60_000 });
    const text = new TextDecoder().decode(stdout) + stderr;
    const ticks = /^\d+/.exec(text)?.[0];
    if (code !== 0 || ticks === undefined) {
      return { value: null, reason: `the emulator ended with ${code}: ${text.slice(0, 200)}` };
    }
    const on = `Cortex-M4, emulated, ${COMPILER} ${LEVEL}`;
    return { value: Number(ticks) * INSTRUCTIONS_A_TICK, on };
  });
}
