/**
 * Time that is passed in: code that waits or measures takes a `Clock`, so that a test can use its
 * own.
 * @module
 */

/** Milliseconds that never go back, and waiting. */
export interface Clock {
  /** Milliseconds since some fixed moment. Changes of the wall clock do not affect it. */
  now(): number;
  /** Resolves after `ms`. Rejects with the signal's reason as soon as the signal is aborted. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  delay: (ms, signal) => {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", abort);
        resolve();
      }, ms);
      const abort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
    });
  },
};

/**
 * Waits by the machine's clock.
 *
 * @returns True when the time is over, false when the signal came first.
 */
export function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  return systemClock.delay(ms, signal).then(() => true, () => false);
}

/**
 * Waits for a promise, but no longer than `ms`.
 *
 * @returns Whether the promise was resolved or rejected in that time.
 */
export async function settlesWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => timer = setTimeout(() => resolve(false), ms));
  try {
    return await Promise.race([promise.then(() => true, () => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Lets everything that waits for the event loop run once: sockets, timers, signals. For loops that
 * would otherwise block it.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/**
 * A turn of the event loop that lasts longer than this keeps everything else waiting. To end one
 * takes 1 to 2 ms.
 */
const TURN_MS_MAX = 25;
/** When somebody first asked in the present turn. */
let turnBeganMs: number | undefined;

/** How long the present turn of the event loop has lasted, since this was first asked in it. */
export function turnMs(): number {
  const nowMs = performance.now();
  if (turnBeganMs === undefined) setTimeout(() => turnBeganMs = undefined, 0);
  turnBeganMs ??= nowMs;
  return nowMs - turnBeganMs;
}

/** Short messages between two looks at the clock: a look costs a quarter of one. */
const MESSAGES_PER_LOOK = 8;
/** As many bytes of messages cost about as much as one short message. */
const MESSAGE_BYTES = 4 * 1024;
let messagesSinceLook = 0;

/**
 * Whether the present turn has lasted too long. For loops that wait for the network: what has
 * arrived already is read in the same turn.
 *
 * @param bytes About how many bytes were read since this was asked last.
 */
export function isLongTurn(bytes: number): boolean {
  messagesSinceLook += 1 + bytes / MESSAGE_BYTES;
  if (messagesSinceLook < MESSAGES_PER_LOOK) return false;
  messagesSinceLook = 0;
  return turnMs() > TURN_MS_MAX;
}
