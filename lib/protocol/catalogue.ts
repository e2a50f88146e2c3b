/**
 * Every message that exists, for the protocol table, the golden file and the fuzz tests.
 * @module
 */

import { Asking, Download, DownloadMany, Holds, List, Pieces, Queued } from "./files.ts";
import { Hello, Prove } from "./hello.ts";
import { Put, Remove, Taken } from "./inbox.ts";
import type { NamedRecord } from "./field.ts";
import type { News, Request } from "./message.ts";
import { Closing, Join, Leave, Partial, Peers, Ping, Probe, Reached, Update } from "./presence.ts";
import { Show, Shown } from "./show.ts";
import { DownloadRequest, Find, FolderFiles, Search } from "./search.ts";
import { Hit, Holder, IndexedFile, PeerRef, PeerRow, SharedFile } from "./shapes.ts";
import { Tell } from "./talk.ts";

/** A definition of any message. */
export type AnyRequest = Request<unknown, unknown>;

/** The requests that an index answers, in the order of a session. */
export const INDEX_REQUESTS: readonly AnyRequest[] = [
  Hello,
  Prove,
  Join,
  Update,
  Partial,
  Search,
  Find,
  FolderFiles,
  Peers,
  DownloadRequest,
  Ping,
  Leave,
];

/** The requests that a peer answers. */
export const PEER_REQUESTS: readonly AnyRequest[] = [
  Hello,
  Prove,
  List,
  Pieces,
  Holds,
  Download,
  DownloadMany,
  Tell,
  Put,
  Remove,
  Show,
  Shown,
];

/** The news that an index sends. */
export const INDEX_NEWS: readonly News<unknown>[] = [Reached, Probe, Closing];

/** The news that a peer sends to another. */
export const PEER_NEWS: readonly News<unknown>[] = [Queued, Asking, Taken];

/** The records that messages carry by name. */
export const RECORDS: readonly NamedRecord<unknown>[] = [PeerRef, PeerRow, Hit, Holder, IndexedFile, SharedFile];
