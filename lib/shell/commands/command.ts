/**
 * What a command is and what it works with. The commands themselves are in commands.ts.
 * @module
 */

import type { Directory } from "../../peer/find/directory.ts";
import type { Peer } from "../../peer/peer.ts";
import type { StartedPut } from "../../peer/inbox/puts.ts";
import type { PutResult } from "../../peer/inbox/running_put.ts";
import type { TransferResult } from "../../peer/get/transfer.ts";
import type { StartedTransfer } from "../../peer/get/transfers.ts";
import type { FlagTable } from "../../cli/flags.ts";
import type { Output } from "../screen/output.ts";

/** What a command works with. */
export interface CommandContext {
  readonly output: Output;
  readonly directory: Directory;
  /** The joined peer. Only there for commands that need one. */
  readonly peer: Peer | undefined;
  /** Shows how a download goes and, when it has ended well, reports it. One-shot runs wait for that; the shell lets it run on. */
  readonly follow: (started: StartedTransfer, report: (result: TransferResult) => void) => Promise<void>;
  /** The same for a file that is put into another peer's inbox. */
  readonly followPut: (started: StartedPut, report: (result: PutResult) => void) => Promise<void>;
  /** Lets something take its time: one-shot runs wait for it, in the shell it goes on while other commands run. */
  readonly inBackground: (work: Promise<void>) => Promise<void>;
  /** Standard output as a stream of bytes, for `get --output -`; undefined where the shell has it. */
  readonly stdout: { write(bytes: Uint8Array): Promise<number> } | undefined;
}

/** Flags as a command gets them. */
export type CommandFlags = Readonly<Record<string, string | boolean | undefined>>;

/** What an argument can be completed with: `own` are the files of this peer, `paths` these and whatever is on its disk. */
export type Completes = "commands" | "files" | "peers" | "own" | "paths" | "transfers" | "blocked";

/** One command. */
export interface Command {
  readonly name: string;
  readonly args: string;
  readonly about: string;
  /** More than one sentence, for `help COMMAND`. */
  readonly more?: string;
  readonly flags: FlagTable;
  /** What completion offers for each argument; for further ones, what it does for the last. */
  readonly completes: readonly Completes[];
  /** What has to be there: nothing, the index, or a peer that has joined it. */
  readonly needs: "nothing" | "index" | "peer";
  /** How many arguments it takes. */
  readonly count: { readonly min: number; readonly max: number };
  /** After how many words of a typed line, the name among them, the rest is text, in which neither quotes nor dashes mean anything. */
  readonly textAfter?: number;
  /** Fails as "usage" when a value makes no sense, before anything is opened or asked. */
  check?(flags: CommandFlags): void;
  run(context: CommandContext, args: readonly string[], flags: CommandFlags): Promise<void>;
}

/** The peer, for commands that say that they need one. */
export function joined(peer: Peer | undefined): Peer {
  if (peer === undefined) throw new TypeError("A command that needs a peer was run without one");
  return peer;
}
