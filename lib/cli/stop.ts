/**
 * Waits for a signal that stops the program. Called by server.ts and peer.ts.
 * @module
 */

import { STOP_SIGNALS } from "../core/flow/stop_signals.ts";
import { EXIT } from "./outcome.ts";

/**
 * How long a further signal counts as the same one. `deno task` passes on the Ctrl-C that the
 * terminal has sent to both, so one Ctrl-C arrives twice.
 */
const SAME_MS = 300;

/** Resolves at the first signal to stop. A second signal ends the program at once. */
export function firstStopSignal(): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    for (const signal of STOP_SIGNALS) {
      Deno.addSignalListener(signal, () => {
        const nowMs = performance.now();
        if (nowMs - (firstMs ??= nowMs) > SAME_MS) Deno.exit(EXIT.interrupted);
        resolve(signal);
      });
    }
  });
}
