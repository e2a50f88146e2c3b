/**
 * Everything that a running peer reports. Called by peer.ts, which reports it, and by the shell, which makes lines of it.
 * @module
 */

import type { ShareTrouble } from "../store/share/troubles.ts";
import type { ConsentEvent } from "./serve/consent.ts";
import type { FullDisk } from "./folder/full_disks.ts";
import type { InboxEvent } from "./inbox/inbox.ts";
import type { SessionEvent } from "./session/index_session.ts";
import type { FolderStateEvent } from "./folder/open_state.ts";
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
  | { readonly event: "renamed"; readonly from: string; readonly name: string }
  /** A file of one's own that nobody can get, or whose bytes have changed though its size and time have not. */
  | { readonly event: ShareTrouble["trouble"]; readonly file: string }
  /** A download waits for room on the disk of the folder or file at `path`. */
  | (FullDisk & {
    readonly event: "download-waits";
    readonly file: string;
    readonly path: string;
    readonly why: string;
  })
  | { readonly event: "bad-source"; readonly peer: string; readonly file: string; readonly why: string };
