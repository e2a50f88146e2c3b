/**
 * Reports a transfer that the end of the program stops. Called by shell.ts and one_shot.ts.
 * @module
 */

import type { TransferView } from "../../peer/get/transfer.ts";
import type { Output } from "./output.ts";
import { percentDone } from "./progress.ts";

/** Reports how far a transfer came. `then` says how to continue it. */
export function noteStopped(output: Output, view: TransferView, then: string): void {
  const { name, done, size } = view;
  const at = size === 0 ? "" : ` at ${percentDone(view)} %`;
  output.note(`${name} stopped${at}; ${then}`, { event: "stopped", name, done, size });
}
