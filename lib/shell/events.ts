/**
 * What a peer tells, as people read it.
 * @module
 */

import { formatAddress } from "../core/address.ts";
import type { PeerEvent } from "../peer/peer.ts";

/** One event as one sentence. */
export function describeEvent(event: PeerEvent): string {
  switch (event.event) {
    case "index-lost":
      return `Lost the index (${event.why}); trying to reach it again, running downloads go on`;
    case "index-back":
      return `Back at the index ${formatAddress(event.index)}`;
    case "index-refused":
      return `The index refused: ${event.why}`;
    case "unreachable":
      return `Others cannot reach you at ${
        formatAddress(event)
      }, so your files are not listed; open that port in this ` +
        "machine's firewall and start again (searching and downloading work all the same)";
    case "bad-source":
      return `${event.peer} is not asked for "${event.file}" any more: ${event.why}`;
    case "renamed":
      return `${event.from} is taken here, so you are ${event.name}; choose a name with --name`;
  }
}
