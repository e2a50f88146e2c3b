/**
 * Runs one command and ends, in scripts or for a person.
 * @module
 */

import { printable } from "../core/printable.ts";
import { Guest } from "../peer/guest.ts";
import { Peer, type PeerOptions } from "../peer/peer.ts";
import type { TransferView } from "../peer/get/transfer.ts";
import type { PeerContext, ReadyCommand } from "./commands/command.ts";
import { exists } from "./commands/folder_argument.ts";
import { byteResults } from "../cli/streams.ts";
import type { Output } from "./screen/output.ts";
import { clearProgress, showProgress } from "./screen/progress_display.ts";
import { noteStopped } from "./screen/stopped.ts";

/** The transfer that a command waits for at the moment. */
export interface Followed {
  view?: (() => TransferView) | undefined;
}

/** Reports how far the followed transfer came when a signal stopped the program. */
export function reportStopped(output: Output, { view }: Followed): void {
  const stopped = view?.();
  if (stopped === undefined) return;
  if (Deno.stderr.isTerminal() && !output.json) clearProgress();
  noteStopped(output, stopped, "repeat the command to continue");
}

/**
 * Runs one command with what it needs, and leaves the index. Reports a folder that this created.
 *
 * @throws {Failure} The command's own failure.
 */
export async function runOnce(
  command: ReadyCommand,
  output: Output,
  options: PeerOptions,
  followed: Followed = {},
): Promise<void> {
  const { folder } = options;
  const wasMissing = !await exists(folder);
  try {
    await run(command, output, options, followed);
  } finally {
    if (wasMissing && await exists(folder)) {
      output.note(`Made the folder ${printable(folder)}, which was missing`, { event: "folder-made", folder });
    }
  }
}

async function run(command: ReadyCommand, output: Output, options: PeerOptions, followed: Followed): Promise<void> {
  switch (command.needs) {
    case "nothing":
      return await command.run({ output });
    case "index": {
      await using guest = await Guest.open(options);
      return await command.run({ output, finding: guest });
    }
    case "peer": {
      await using peer = await Peer.start({ ...options, follows: false });
      await command.run(contextOf(output, peer, followed));
      return await peer.listed();
    }
  }
}

function contextOf(output: Output, peer: Peer, followed: Followed): PeerContext {
  const follow = async <T>(view: () => TransferView, result: Promise<T>): Promise<T> => {
    followed.view = view;
    await showProgress(view, result, { json: output.json });
    followed.view = undefined;
    return await result;
  };
  return {
    output,
    finding: peer,
    peer,
    stdout: byteResults,
    inBackground: (work) => work,
    async follow({ transfer, result }, report) {
      report(await follow(() => transfer.view(), result));
    },
    async followPut({ put, result }, report) {
      report(await follow(() => put.view(), result));
    },
  };
}
