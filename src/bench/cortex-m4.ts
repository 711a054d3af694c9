/**
 * The least that starts a program on QEMU's mps2-an386 (Cortex-M4) and carries its exit code out by
 * semihosting.
 *
 * Source: Arm, "Semihosting for AArch32 and AArch64", operation 0x20 SYS_EXIT_EXTENDED, reason
 * 0x20026.
 */

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
