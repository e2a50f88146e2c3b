/**
 * The command that shows another peer a picture.
 * @module
 */

import { shownPeerName } from "../../core/peer_name.ts";
import { formatDuration, formatRate, formatSize } from "../../core/quantity.ts";
import type { Peer } from "../../peer/peer.ts";
import { checkPath } from "./check_path.ts";
import { type Command, peerCommand } from "./command.ts";
import type { Output } from "../screen/output.ts";

/** The commands. */
export const PICTURE_COMMANDS: readonly Command[] = [
  peerCommand({
    name: "show",
    args: [{ name: "PEER", completes: "peers" }, { name: "IMAGE", completes: "paths" }],
    about: "show PEER a picture: PNG, JPEG, GIF or WebP, up to 32 MiB, over UDP",
    more: "IMAGE is a path, or a name in your folder. PEER's shell shows it if its terminal supports pictures. " +
      "If PEER has an inbox, it is also saved there.",
    flags: {},
    async run({ output, peer, inBackground }, [name, path]) {
      checkPath(path);
      await inBackground(show(peer, output, name, path));
    },
  }),
];

async function show({ pictures }: Peer, output: Output, peer: string, path: string): Promise<void> {
  const onAsking = once(() =>
    output.note(`Waiting for the consent of ${shownPeerName(peer)}`, { event: "asking", peer })
  );
  const { name, size, tookMs, parts, sent } = await pictures.show(peer, path, { onAsking });
  const rate = tookMs > 0 ? size / tookMs * 1000 : 0;
  const how = `${formatSize(size)} in ${formatDuration(tookMs)} (${formatRate(rate)})`;
  output.result(`Showed ${shownPeerName(peer)} ${name}: ${how}`, {
    event: "shown",
    peer,
    name,
    size,
    tookMs: Math.round(tookMs),
    bytesPerSecond: Math.round(rate),
    datagrams: sent,
    resent: sent - parts,
  });
}

/** Reports something once, however often it happens. */
function once(report: () => void): () => void {
  let isReported = false;
  return () => {
    if (!isReported) report();
    isReported = true;
  };
}
