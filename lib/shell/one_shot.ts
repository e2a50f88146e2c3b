/**
 * Runs one command and ends, for scripts and for people who want just that.
 * @module
 */

import { printable } from "../core/printable.ts";
import type { Directory } from "../peer/find/directory.ts";
import { Guest } from "../peer/guest.ts";
import { Peer, type PeerOptions } from "../peer/peer.ts";
import type { TransferView } from "../peer/get/transfer.ts";
import type { Command, CommandContext, CommandFlags } from "./commands/command.ts";
import { exists } from "./commands/folder_argument.ts";
import { byteResults, type Output } from "./screen/output.ts";
import { clearProgress, showProgress } from "./screen/progress_display.ts";
import { noteStopped } from "./screen/stopped.ts";

/** A command with its arguments. */
export interface Invocation {
  readonly command: Command;
  readonly args: readonly string[];
  readonly flags: CommandFlags;
}

/** What a command waits for, as long as it does. */
export interface Followed {
  view?: (() => TransferView) | undefined;
}

/** Says where a download, or a file that is put, was when the program was told to stop. */
export function reportStopped(output: Output, { view }: Followed): void {
  const stopped = view?.();
  if (stopped === undefined) return;
  if (Deno.stderr.isTerminal() && !output.json) clearProgress();
  noteStopped(output, stopped, "the same command goes on from there");
}

/** Runs one command with what it needs, and leaves. Reports a folder that this made. Fails: as the command does. */
export async function runOnce(
  invocation: Invocation,
  output: Output,
  options: PeerOptions,
  followed: Followed = {},
): Promise<void> {
  const { folder } = options;
  const wasMissing = !await exists(folder);
  try {
    await run(invocation, output, options, followed);
  } finally {
    if (wasMissing && await exists(folder)) {
      output.note(`Made the folder ${printable(folder)}, which was missing`, { event: "folder-made", folder });
    }
  }
}

async function run(
  { command, args, flags }: Invocation,
  output: Output,
  options: PeerOptions,
  followed: Followed,
): Promise<void> {
  if (command.needs === "nothing") {
    const none = (): never => {
      throw new TypeError("A command that needs an index was run without one");
    };
    await command.run(contextOf(output, none, undefined, followed), args, flags);
  } else if (command.needs === "peer") {
    await using peer = await Peer.start({ ...options, follows: false });
    await command.run(contextOf(output, () => peer.directory, peer, followed), args, flags);
    await peer.listed();
  } else {
    await using guest = await Guest.open(options);
    await command.run(contextOf(output, () => guest.directory, undefined, followed), args, flags);
  }
}

function contextOf(
  output: Output,
  directory: () => Directory,
  peer: Peer | undefined,
  followed: Followed,
): CommandContext {
  const follow = async <T>(view: () => TransferView, result: Promise<T>): Promise<T> => {
    followed.view = view;
    await showProgress(view, result, { json: output.json });
    followed.view = undefined;
    return await result;
  };
  return {
    output,
    get directory() {
      return directory();
    },
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
