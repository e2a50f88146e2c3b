/**
 * Opens the fetching side of a peer: its downloads, and the files that it puts into other peers'
 * inboxes. Called by peer.ts.
 * @module
 */

import { LocalPieces } from "../store/share/local_pieces.ts";
import type { Share } from "../store/share/share.ts";
import { Deliverers } from "../transfer/content/deliverers.ts";
import type { Partials } from "../transfer/content/partials.ts";
import { Downloads } from "../transfer/downloads.ts";
import type { Finding } from "./find/finding.ts";
import type { Home } from "./folder/home.ts";
import { ContentTurns } from "./get/content_turns.ts";
import type { FetchParts } from "./get/fetching.ts";
import { LocalContents } from "./get/local_contents.ts";
import { Transfers } from "./get/transfers.ts";
import { Puts } from "./inbox/puts.ts";
import type { PeerSetup } from "./peer_options.ts";

/** What fetching needs. */
export interface FetchingParts {
  readonly home: Home;
  readonly share: Share;
  readonly finding: Finding;
  /** Unfinished downloads that are served to others already. */
  readonly partials: Partials;
}

/** The fetching side of a peer, until it is disposed of. */
export interface Fetching extends AsyncDisposable {
  readonly transfers: Transfers;
  readonly puts: Puts;
}

/** Opens it. */
export function openFetching(parts: FetchingParts, setup: PeerSetup): Fetching {
  const { clock, random, up, patient = false } = setup;
  const stack = new AsyncDisposableStack();
  const transfers = stack.use(new Transfers(fetchParts(parts, setup), parts.home.state, { patient }));
  const { contacts } = parts.finding;
  const puts = stack.use(new Puts({ contacts, share: parts.share, clock, random, pace: up }));
  return { transfers, puts, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function fetchParts({ home, share, finding, partials }: FetchingParts, setup: PeerSetup): FetchParts {
  const { folder, fullDisks } = home;
  const { contacts, finder } = finding;
  const { plain, dial, clock, random, down: pace, onEvent } = setup;
  const downloads = new Downloads({
    connect: (source, signal) => contacts.connect(source, signal),
    finder,
    clock,
    random,
    pace,
    deliverers: new Deliverers(),
    local: new LocalPieces(share, home.state),
    partials,
    onBadSource: (peer, file, { message: why }) => onEvent({ event: "bad-source", peer, file, why }),
  });
  return {
    folder,
    share,
    local: new LocalContents(share),
    turns: new ContentTurns(),
    finder,
    downloads,
    onDiskFull: (file, path, { message: why }) => {
      onEvent({ event: "download-waits", file, path, why, isNamed: fullDisks.isNamed(path) });
    },
    onDiskRoom: (path) => fullDisks.noteRoom(path),
    dialPlain: plain ? (address, signal) => dial(address, { signal }) : undefined,
    clock,
    random,
    pace,
  };
}
