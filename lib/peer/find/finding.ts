/**
 * Builds everything that asks the index and other peers, each part from the ones before it. Called
 * by peer.ts and guest.ts.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import type { Pace } from "../../core/flow/pace.ts";
import type { Dial } from "../../net/dial.ts";
import type { Identity } from "../../net/identity.ts";
import type { Room } from "../../net/room_key.ts";
import type { State } from "../../store/state/state.ts";
import type { IndexSession } from "../session/index_session.ts";
import { Contacts } from "./contacts.ts";
import { Directory } from "./directory.ts";
import { Finder } from "./finder.ts";
import { IndexQueries } from "./index_queries.ts";
import { LastTable } from "./last_table.ts";
import { PeerLists } from "./peer_lists.ts";

/** What finding needs. */
export interface FindingOptions {
  readonly dial: Dial;
  readonly identity: Identity;
  /** This peer's own name; undefined for a guest. */
  readonly name: () => string | undefined;
  readonly room: Room | undefined;
  /** Whether this peer also talks to peers that serve without encryption. */
  readonly plain: boolean;
  /** Where names, keys and the last table are remembered. Without it, nothing is. */
  readonly state: State | undefined;
  readonly clock: Clock;
  /** The pace of everything that is received from peers. */
  readonly pace?: Pace | undefined;
}

/** The parts of a peer or guest that find files and peers. */
export interface Finding {
  readonly queries: IndexQueries;
  readonly contacts: Contacts;
  readonly finder: Finder;
  readonly directory: Directory;
}

/** Builds them over one session with the index. */
export function findingOver(session: IndexSession, options: FindingOptions): Finding {
  const { dial, identity, name: self, room, plain, state, clock, pace } = options;
  const queries = new IndexQueries(session);
  const calling = { identity, roomKey: room?.key };
  const contacts = new Contacts({ dial, self: () => ({ ...calling, name: self() }), plain, queries, state });
  const lists = new PeerLists({ clock, pace });
  const finder = new Finder({ queries, contacts, lists, self, clock });
  const directory = new Directory({ queries, contacts, lists, finder, table: new LastTable(state), self });
  return { queries, contacts, finder, directory };
}
