/**
 * Waits for a signal that stops the program. Called by server.ts and peer.ts.
 * @module
 */

import { STOP_SIGNALS } from "../core/flow/stop_signals.ts";
import { EXIT } from "./outcome.ts";

/** Resolves at the first signal to stop. A second signal ends the program at once. */
export function firstStopSignal(): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    let isStopping = false;
    for (const signal of STOP_SIGNALS) {
      Deno.addSignalListener(signal, () => {
        if (isStopping) Deno.exit(EXIT.interrupted);
        isStopping = true;
        resolve(signal);
      });
    }
  });
}
