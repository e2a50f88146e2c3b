/**
 * The commands that put files into the inboxes of other peers, and delete files.
 * @module
 */

import { shownPeerName } from "../../core/peer_name.ts";
import { formatDuration, formatRate, formatSize } from "../../core/quantity.ts";
import type { PutResult } from "../../peer/inbox/running_put.ts";
import { checkPath } from "./check_path.ts";
import { type Command, peerCommand } from "./command.ts";
import type { Output } from "../screen/output.ts";

/** The commands. */
export const INBOX_COMMANDS: readonly Command[] = [
  peerCommand({
    name: "put",
    args: [{ name: "FILE", completes: "paths" }, { name: "PEER", completes: "peers" }],
    about: "put FILE into PEER's inbox: a number of your files, a name there, or any path",
    more: "PEER has to run with --inbox. Repeat an interrupted put to continue it. " +
      "A second file of the same name becomes (1) name there.",
    flags: {},
    async run(context, [file, peer]) {
      checkPath(file);
      const started = context.peer.puts.start(file, peer);
      await context.followPut(started, (result) => reportPut(context.output, result));
    },
  }),
  peerCommand({
    name: "rm",
    args: [{ name: "FILE", completes: "own" }, { name: "PEER", takes: "optional", completes: "peers" }],
    about: "delete FILE from your folder, or with PEER, a file that you put into PEER's inbox",
    more: "The file is deleted at once and cannot be restored. " +
      "With PEER, you can delete only files that you put there yourself.",
    flags: {},
    async run({ output, peer }, [file, other]) {
      const { name, ...where } = other === undefined
        ? { name: await peer.inbox.deleteOwn(file) }
        : await peer.puts.takeBack(file, other);
      const at = other === undefined ? "" : ` at ${other}`;
      output.result(`Deleted ${name}${at}`, { event: "removed", name, ...where });
    },
  }),
];

function reportPut(output: Output, result: PutResult): void {
  const { name, size, root, peer, path, alreadyHere, sent, tookMs } = result;
  const bytesPerSecond = tookMs > 0 ? Math.round(sent / tookMs * 1000) : 0;
  const amount = `${formatSize(sent)} in ${formatDuration(tookMs)} (${formatRate(bytesPerSecond)})`;
  const receiver = shownPeerName(peer);
  const text = alreadyHere
    ? `${name} is at ${receiver} already, as ${path}`
    : `${name} is at ${receiver} now, as ${path}: ${amount}${sent < size ? "; the rest was there" : ""}`;
  const took = Math.round(tookMs);
  output.result(text, { event: "put", name, size, root, peer, path, alreadyHere, sent, tookMs: took, bytesPerSecond });
}
