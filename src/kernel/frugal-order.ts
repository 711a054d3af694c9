/**
 * The order of calls within a phase that keeps little memory alive, so that what is written is read
 * again from a near cache.
 *
 * As a compiler orders instructions when registers are few (Goodman, Hsu 1988): of the calls that may
 * run next always the one that leaves the least alive; branches that share nothing one after the other.
 */

/** What a call waits for and uses. */
export interface Waiting {
  /** Calls of the phase, by position, that it must come after. */
  readonly needs: readonly number[];
  /** Storage that it shares with other calls of the phase. */
  readonly uses: ReadonlySet<string>;
}

/**
 * Positions of the calls in their new order; of equal ones the first comes first.
 *
 * bytesOf  of a storage that lives within the phase; 0 of others
 */
export function frugalOrder(
  calls: readonly Waiting[],
  bytesOf: (storage: string) => number,
): number[] {
  return branchesOf(calls).flatMap((branch) => branchOrder(branch, calls, bytesOf));
}

/** Positions of calls that are joined by what they use, ascending, by the first of each. */
function branchesOf(calls: readonly Waiting[]): number[][] {
  let branches: { members: number[]; uses: ReadonlySet<string> }[] = [];
  calls.forEach(({ uses }, i) => {
    const isJoined = (branch: { uses: ReadonlySet<string> }): boolean =>
      [...uses].some((name) => branch.uses.has(name));
    const joined = branches.filter(isJoined);
    const members = [...joined.flatMap((branch) => branch.members), i];
    const all = new Set([...uses, ...joined.flatMap((branch) => [...branch.uses])]);
    const others = branches.filter((branch) => !isJoined(branch));
    branches = [...others, { members: members.sort((a, b) => a - b), uses: all }];
  });
  return branches.map(({ members }) => members).sort(([a], [b]) => a - b);
}

function branchOrder(
  branch: readonly number[],
  calls: readonly Waiting[],
  bytesOf: (storage: string) => number,
): number[] {
  const waiting = new Set(branch);
  const [alive, order] = [new Set<string>(), [] as number[]];
  const users = new Map<string, Set<number>>();
  for (const i of branch) {
    for (const name of calls[i].uses) users.set(name, (users.get(name) ?? new Set()).add(i));
  }
  const growth = (i: number): number => {
    let bytes = 0;
    for (const name of calls[i].uses) {
      if (!alive.has(name)) bytes += bytesOf(name);
      if (users.get(name)?.size === 1) bytes -= bytesOf(name);
    }
    return bytes;
  };
  while (waiting.size > 0) {
    const ready = [...waiting].filter((i) => !calls[i].needs.some((need) => waiting.has(need)));
    const sizes = ready.map(growth);
    const next = ready[sizes.indexOf(Math.min(...sizes))];
    waiting.delete(next);
    order.push(next);
    for (const name of calls[next].uses) {
      alive.add(name);
      users.get(name)?.delete(next);
    }
  }
  return order;
}
