/**
 * What a person reads when the shell opens: at the first start in a folder what was found, what others can see and what to try; later only a
 * line. Called by peer.ts.
 * @module
 */

import { type Address, formatAddress } from "../../core/address.ts";
import { formatCount, formatSize } from "../../core/quantity.ts";
import type { ConsentMode } from "../../peer/serve/consent.ts";

/** What there is to tell. */
export interface Facts {
  readonly folder: string;
  readonly folderIsNew: boolean;
  readonly isFirstStart: boolean;
  readonly files: number;
  readonly bytes: number;
  readonly index: Address | undefined;
  /** Others who are here, and their files; undefined when nobody could tell. */
  readonly others: { readonly peers: number; readonly files: number } | undefined;
  /** The key of this peer, as people compare it. */
  readonly fingerprint: string;
  readonly consent: ConsentMode;
  readonly isPlain: boolean;
}

const MAY_THEY: Readonly<Record<ConsentMode, string>> = {
  open: "and can download them",
  ask: "and you are asked when somebody wants one",
  deny: "and nobody can download them",
};

/** The greeting, a line each. */
export function greeting(facts: Facts): string[] {
  const { folder, folderIsNew, isFirstStart, files, bytes, index, others, fingerprint, consent, isPlain } = facts;
  const made = folderIsNew ? [`Made the folder ${folder}: whatever you put there is shared at once`] : [];
  if (!isFirstStart) return [...made, "help lists what you can do"];
  const found = files === 0
    ? `Nothing is in ${folder} yet`
    : `Found ${formatCount(files, "file")} (${formatSize(bytes)}) in ${folder}`;
  const seen = `Everybody at the index${index === undefined ? "" : ` ${formatAddress(index)}`} sees the names`;
  const who = others === undefined
    ? []
    : others.peers === 0
    ? ["No other peer is here yet; others join with --index and the address of this index"]
    : [`Here now: ${formatCount(others.peers, "other peer")} with ${formatCount(others.files, "file")}`];
  return [
    ...(folderIsNew ? made : [found]),
    `${seen} of what you share, ${MAY_THEY[consent]}; hidden files are never shared`,
    isPlain ? "Transfers are not encrypted (--plain)" : `Transfers are encrypted; your key is ${fingerprint}`,
    ...who,
    "Try: search PART-OF-A-NAME, get NUMBER, peers (help lists the rest)",
  ];
}
