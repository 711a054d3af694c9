/**
 * The barrier between two calls: every thread waits until all have come.
 *
 * The last to come resets the count and moves the epoch on; the others watch the epoch, first
 * spinning for a few microseconds, then asleep. A thread that never comes would keep the others for
 * ever, so sleeping ends in a trap.
 */

import { OP, signed, TYPE, unsigned } from "./bytes.ts";

/**
 * Byte addresses below the first region: arrivals, the epoch, and the number of runs begun (see
 * worker.ts).
 */
export const COUNT_ADDRESS = 8;
export const EPOCH_ADDRESS = 12;
export const RUNS_ADDRESS = 16;

const SPINS = 4096;
const ATOMIC = { notify: 0x00, wait32: 0x01, load: 0x10, store: 0x17, add: 0x1e };

/** An atomic instruction on the s32 at the address on the stack. */
function atomic(opcode: number): number[] {
  return [0xfe, opcode, 2, 0];
}

const at = (address: number): number[] => [OP.i32Const, ...signed(address)];
const number = at;
const DROP = 0x1a;
const UNREACHABLE = 0x00;
const [EPOCH, SPIN] = [0, 1];

/**
 * The body of a function without parameters: wait for all parts.
 *
 * patienceMs  after which a thread that has not come is given up
 */
export function barrierBody({
  parts,
  patienceMs = 60_000,
}: {
  parts: number;
  patienceMs?: number;
}): number[] {
  const get = (local: number): number[] => [OP.localGet, ...unsigned(local)];
  const set = (local: number): number[] => [OP.localSet, ...unsigned(local)];
  const epochNow = [...at(EPOCH_ADDRESS), ...atomic(ATOMIC.load)];
  const lastToCome = [
    ...[...at(COUNT_ADDRESS), ...number(0), ...atomic(ATOMIC.store)],
    ...[...at(EPOCH_ADDRESS), ...number(1), ...atomic(ATOMIC.add), DROP],
    ...[...at(EPOCH_ADDRESS), ...number(parts), ...atomic(ATOMIC.notify), DROP],
  ];
  // labels inside the block: 0 the loop, 1 the block
  const spin = [
    ...[OP.loop, TYPE.empty, ...epochNow, ...get(EPOCH), OP.i32Sub, OP.brIf, 1],
    ...[...get(SPIN), ...number(1), OP.i32Add, OP.localTee, SPIN],
    ...[...number(SPINS), OP.i32LtS, OP.brIf, 0, OP.end],
  ];
  const sleep = [
    ...[
      OP.loop,
      TYPE.empty,
      ...at(EPOCH_ADDRESS),
      ...get(EPOCH),
      OP.i64Const,
      ...signed(patienceMs * 1e6),
    ],
    ...[...atomic(ATOMIC.wait32), ...number(2), OP.i32Eq, OP.if, TYPE.empty, UNREACHABLE, OP.end],
    ...[...epochNow, ...get(EPOCH), OP.i32Eq, OP.brIf, 0, OP.end],
  ];
  return [
    ...[1, 2, TYPE.i32], // two locals
    ...[...epochNow, ...set(EPOCH)],
    ...[...at(COUNT_ADDRESS), ...number(1), ...atomic(ATOMIC.add), ...number(parts - 1), OP.i32Eq],
    ...[OP.if, TYPE.empty, ...lastToCome, OP.else],
    ...[OP.block, TYPE.empty, ...spin, ...sleep, OP.end],
    ...[OP.end, OP.end],
  ];
}
