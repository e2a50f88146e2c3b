/**
 * Measures how late the event loop is: whatever holds it, everybody waits. Called by server.ts.
 *
 * A timer tells, since the platform's own measure (`monitorEventLoopDelay` of node:perf_hooks) gives percentiles alone, in a unit that is not
 * Node's.
 * @module
 */

/** Time between two looks: often enough to meet what holds the loop for long, seldom enough to cost nothing. */
const EVERY_MS = 50;

/** Calls `late` with the milliseconds by which each look came too late, until it is disposed of. It keeps no program alive. */
export function watchEventLoop(late: (ms: number) => void): Disposable {
  let dueMs = 0;
  let timer: ReturnType<typeof setTimeout>;
  const begin = (): void => {
    dueMs = performance.now() + EVERY_MS;
    timer = setTimeout(look, EVERY_MS);
    Deno.unrefTimer(timer);
  };
  const look = (): void => {
    late(Math.max(0, performance.now() - dueMs));
    begin();
  };
  begin();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
