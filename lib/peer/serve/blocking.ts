/**
 * Blocks peers: all requests of a blocked key are refused, and what runs for it ends. The key is
 * blocked, so another name does not help. Called by the shell; visit.ts refuses the requests.
 * @module
 */

import { NO_ID } from "../../core/dialect.ts";
import { Failure } from "../../core/failure.ts";
import { fingerprint } from "../../core/fingerprint.ts";
import { peerNameKey } from "../../core/peer_name.ts";
import { printable } from "../../core/printable.ts";
import type { BlockedPeer } from "../../store/state/people_store.ts";
import type { State } from "../../store/state/state.ts";
import type { IndexQueries } from "../find/index_queries.ts";
import { keyKnownFor } from "../find/who.ts";

/** What blocking needs. */
export interface BlockingParts {
  readonly state: State;
  readonly queries: Pick<IndexQueries, "lookUp" | "peers">;
  /** This peer's own id. */
  readonly self: string;
  /** Called with a key when it is blocked, to end what runs for it. */
  readonly onBlocked: (id: string) => void;
}

/** The peers that the owner of this peer has blocked. */
export class Blocking {
  readonly #parts: BlockingParts;

  constructor(parts: BlockingParts) {
    this.#parts = parts;
  }

  /** All blocked peers, in order of name. */
  list(): BlockedPeer[] {
    return this.#parts.state.people.blocked().sort((one, other) => one.name.localeCompare(other.name));
  }

  /**
   * Blocks a peer.
   *
   * @param what The name that the peer has now or had before, or its key as `peers` shows it.
   * @throws {Failure} "not-found"; "usage" for this peer itself and for a program without a key.
   */
  async block(what: string): Promise<BlockedPeer> {
    const found = await this.#find(what);
    if (found.id === NO_ID) {
      throw new Failure(
        "usage",
        `Cannot block ${printable(found.name)}: it is a classmate's own program, which has no key`,
        { hint: "start without --plain to serve none of these programs" },
      );
    }
    if (found.id === this.#parts.self) throw new Failure("usage", "Cannot block yourself", { hint: "" });
    this.#parts.state.people.block(found);
    this.#parts.onBlocked(found.id);
    return found;
  }

  /**
   * Ends the block of a peer.
   *
   * @param what The name that the peer had when it was blocked, or its key.
   * @throws {Failure} "not-found".
   */
  unblock(what: string): BlockedPeer {
    const found = this.list().find((peer) => isMeant(peer, what));
    if (found === undefined) {
      throw new Failure("not-found", `You have not blocked "${printable(what)}"`, {
        hint: "see who is blocked with: block",
      });
    }
    this.#parts.state.people.unblock(found.id);
    return found;
  }

  async #find(what: string): Promise<BlockedPeer> {
    const { queries, state } = this.#parts;
    const here = await queries.lookUp(what).catch(() => undefined);
    if (here !== undefined) return { id: here.id, name: here.name };
    const known = keyKnownFor(state, what);
    if (known !== undefined) return { id: known, name: what };
    const row = (await queries.peers()).peers.find((peer) => isMeant(peer, what));
    if (row !== undefined) return { id: row.id, name: row.name };
    throw new Failure("not-found", `There is no peer "${printable(what)}" here, and no peer of that name is known`, {
      hint: "see who is here with: peers",
    });
  }
}

function isMeant({ id, name }: BlockedPeer, what: string): boolean {
  return peerNameKey(name) === peerNameKey(what) || fingerprint(id) === what.toLowerCase();
}
