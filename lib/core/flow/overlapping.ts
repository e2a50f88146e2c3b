/**
 * Does one piece of work after the other, where each may end with a part beside which the next one
 * can already run. Called by lib/peer/get/fetch_folder.ts: while a file is being written to the
 * disk for good, the next one arrives.
 * @module
 */

/**
 * Does all the work, in order. At most two run at a time: one that is ending, and the next one.
 *
 * @param work Does one piece. It may call `onEnding`, after which the next one begins.
 * @throws What a piece has thrown. None is under way any more by then, and no other begins.
 */
export async function overlapping<T>(
  all: Iterable<T>,
  work: (one: T, onEnding: () => void) => Promise<void>,
): Promise<void> {
  const running: Promise<void>[] = [];
  try {
    for (const one of all) {
      const { promise: ending, resolve: onEnding } = Promise.withResolvers<void>();
      const working = work(one, onEnding);
      running.push(working);
      await Promise.race([ending, working]);
      if (running.length > 1) await running.shift();
    }
    await Promise.all(running);
  } finally {
    await Promise.allSettled(running);
  }
}
