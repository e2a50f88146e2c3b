/**
 * The greeting of the shell. At the first start in a folder, it says what was found, what others
 * can see, and what to try. Later it is a single line. Called by peer.ts.
 * @module
 */

import { type Address, formatAddress } from "../../core/address.ts";
import { formatCount, formatSize } from "../../core/quantity.ts";
import type { ConsentMode } from "../../peer/serve/consent.ts";

/** The facts that a greeting reports. */
export interface Facts {
  readonly folder: string;
  readonly folderIsNew: boolean;
  readonly isFirstStart: boolean;
  readonly files: number;
  readonly bytes: number;
  readonly index: Address | undefined;
  /** The other peers at the index and their files; undefined when the index did not answer. */
  readonly others: { readonly peers: number; readonly files: number } | undefined;
  /** The key of this peer in its short form, which people compare. */
  readonly fingerprint: string;
  readonly consent: ConsentMode;
  readonly isPlain: boolean;
}

const CAN_OTHERS: Readonly<Record<ConsentMode, string>> = {
  open: " and can download them",
  ask: ", but you are asked about each download",
  deny: ", but nobody can download them",
};

/** The lines of the greeting. */
export function greeting(facts: Facts): string[] {
  const { folder, folderIsNew, isFirstStart, files, bytes, index, others, fingerprint, consent, isPlain } = facts;
  const made = folderIsNew ? [`Made the folder ${folder}: files that you put there are shared at once`] : [];
  if (!isFirstStart) return [...made, "To list the commands: help"];
  const found = files === 0
    ? `The folder ${folder} is empty`
    : `Found ${formatCount(files, "file")} (${formatSize(bytes)}) in ${folder}`;
  const seen = `Everybody at the index${index === undefined ? "" : ` ${formatAddress(index)}`} sees the names`;
  const present = others === undefined
    ? []
    : others.peers === 0
    ? ["You are the only peer; others join with --index and the address of this index"]
    : [`Connected now: ${formatCount(others.peers, "other peer")} with ${formatCount(others.files, "file")}`];
  return [
    ...(folderIsNew ? made : [found]),
    `${seen} of your files${CAN_OTHERS[consent]}`,
    "Hidden files are never shared",
    isPlain ? "Transfers are not encrypted (--plain)" : `Transfers are encrypted; your key is ${fingerprint}`,
    ...present,
    "Try: search WORD, get NUMBER, peers (to list all commands: help)",
  ];
}
