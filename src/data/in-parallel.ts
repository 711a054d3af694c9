/** Bounded concurrency: decoding is asynchronous, memory is not endless. */

/**
 * Map over items with at most `limit` of them under way.
 *
 * items    taken one at a time, so a generator's items need not all exist at once
 * work     called in order
 * returns  the results in the items' order
 * throws   what the first failing `work` threw; nothing new is started after it
 */
export async function inParallel<Item, Result>(
  items: Iterable<Item>,
  { limit, work }: { limit: number; work: (item: Item) => Promise<Result> },
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = items[Symbol.iterator]();
  let taken = 0;
  let isFailed = false;
  const worker = async () => {
    while (!isFailed) {
      const next = waiting.next();
      if (next.done === true) return;
      const index = taken++;
      try {
        results[index] = await work(next.value);
      } catch (error) {
        isFailed = true;
        throw error;
      }
    }
  };
  // All, and not the first failure alone: a caller may clean up only when nothing is under way.
  const ended = await Promise.allSettled(Array.from({ length: limit }, worker));
  for (const end of ended) if (end.status === "rejected") throw end.reason;
  return results;
}
