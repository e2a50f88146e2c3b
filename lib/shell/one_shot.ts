/**
 * Runs one command and ends, for scripts and for people who want just that.
 * @module
 */

import { Guest } from "../peer/guest.ts";
import { Peer, type PeerOptions } from "../peer/peer.ts";
import type { Command, CommandContext, CommandFlags } from "./command.ts";
import { byteResults, type Output } from "./output.ts";
import { showProgress } from "./progress_display.ts";

/** A command with its arguments. */
export interface Invocation {
  readonly command: Command;
  readonly args: readonly string[];
  readonly flags: CommandFlags;
}

/** Runs one command with what it needs, and leaves. Fails: as the command does. */
export async function runOnce(
  { command, args, flags }: Invocation,
  output: Output,
  options: PeerOptions,
): Promise<void> {
  if (command.needs === "peer") {
    await using peer = await Peer.start(options);
    await command.run(contextOf(output, peer, peer), args, flags);
    await peer.listed();
  } else {
    await using guest = await Guest.open(options);
    await command.run(contextOf(output, guest, undefined), args, flags);
  }
}

function contextOf(output: Output, { directory }: Pick<Peer, "directory">, peer: Peer | undefined): CommandContext {
  return {
    output,
    directory,
    peer,
    stdout: byteResults,
    inBackground: (work) => work,
    async follow({ transfer, result }, report) {
      await showProgress(() => transfer.view(), result, { json: output.json });
      report(await result);
    },
    async followPut({ put, result }, report) {
      await showProgress(() => put.view(), result, { json: output.json });
      report(await result);
    },
  };
}
