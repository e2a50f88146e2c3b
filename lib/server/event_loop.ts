/**
 * Measures how late the event loop is. While it is busy, all peers wait. Called by server.ts.
 *
 * It measures with a timer. The platform's own measure (`monitorEventLoopDelay` of node:perf_hooks)
 * gives only percentiles, and in Deno not in the unit of Node.
 * @module
 */

/**
 * Time between two measurements: short enough to meet long delays, and long enough to cost nothing.
 */
const EVERY_MS = 50;

/**
 * Measures until it is disposed of. It keeps no program alive.
 *
 * @param late Called with the milliseconds by which each timer fired too late.
 */
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
