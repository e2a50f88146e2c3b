/**
 * The folders of the inbox: one for each sender, with the sender's name. A folder belongs to a key,
 * so another key with the same name gets a folder of its own. Called by inbox.ts.
 * @module
 */

import { fingerprint } from "../../core/fingerprint.ts";
import { peerNameKey } from "../../core/peer_name.ts";
import { receivedName } from "../../store/files/received_name.ts";
import { INBOX_FOLDER } from "../../store/files/shareable.ts";
import type { State } from "../../store/state/state.ts";
import type { Who } from "../find/who.ts";

/**
 * Finds the folder of a sender. A name that has no folder yet now belongs to the sender's key.
 *
 * @returns The path in the shared folder: `inbox/ana`, or `inbox/ana (3f9a-11c2-8b0d-77e1)` for a
 * key that is not the first with that name.
 */
export function senderFolder({ id, name, isSure, key }: Who, state: State): string {
  const folder = folderName(name) ?? fingerprint(id);
  const owner = state.people.senderFolderOwner(peerNameKey(folder));
  const isFree = isSure && key !== "changed" && owner === undefined;
  const isOwn = owner === id || (isFree && state.people.claimSenderFolder(peerNameKey(folder), id));
  return `${INBOX_FOLDER}/${folder}` + (isOwn ? "" : ` (${fingerprint(id)})`);
}

function folderName(name: string): string | undefined {
  try {
    return receivedName(name.replaceAll("/", "_"));
  } catch {
    return undefined;
  }
}
