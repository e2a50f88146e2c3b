/**
 * Everything that a running peer reports. Emitted by peer.ts and its openers; the shell turns each
 * event into a line.
 * @module
 */

import type { ShareTrouble } from "../store/share/troubles.ts";
import type { ConsentEvent } from "./serve/consent.ts";
import type { FullDisk } from "./folder/full_disks.ts";
import type { InboxEvent } from "./inbox/inbox.ts";
import type { SessionEvent } from "./session/index_session.ts";
import type { FolderStateEvent } from "./folder/open_state.ts";
import type { RenamedEvent } from "./folder/own_name.ts";
import type { PictureEvent } from "./pictures/pictures.ts";
import type { ToldEvent } from "./talk/mailbox.ts";
import type { OutboxEvent } from "./talk/outbox.ts";

/** One event of a peer. */
export type PeerEvent =
  | SessionEvent
  | ConsentEvent
  | PictureEvent
  | ToldEvent
  | OutboxEvent
  | FolderStateEvent
  | (InboxEvent & FullDisk)
  | RenamedEvent
  | ShareTrouble
  /** A download waits for room on the disk of the folder or file at `path`. */
  | (FullDisk & {
    readonly event: "download-waits";
    readonly file: string;
    readonly path: string;
    readonly why: string;
  })
  | { readonly event: "bad-source"; readonly peer: string; readonly file: string; readonly why: string };
