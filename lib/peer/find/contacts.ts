/**
 * Calls other peers: with encryption, as ourselves, and nobody but the one that is meant. Names are remembered with the key they had when they were
 * first used; another key under a known name is refused until the person says that it is trusted. Called by everything in lib/peer that asks
 * another peer.
 * @module
 */

import { formatAddress } from "../../core/address.ts";
import { NO_ID } from "../../core/dialect.ts";
import { Failure } from "../../core/failure.ts";
import { fingerprint } from "../../core/fingerprint.ts";
import { IDENTITIES_CACHED_MAX } from "../../core/limits.ts";
import { peerNameKey } from "../../core/peer_name.ts";
import { type CallingAs, greet } from "../../net/caller.ts";
import type { Connection } from "../../net/connection.ts";
import type { Dial } from "../../net/dial.ts";
import { identityOf, type PublicIdentity } from "../../net/identity.ts";
import type { PeerRow } from "../../protocol/shapes.ts";
import type { State } from "../../store/state/state.ts";
import type { Source } from "../../transfer/content/source.ts";
import { keyKnownFor, standingIn } from "./who.ts";

/** The signal of a caller that waits however long it takes. */
const NEVER = new AbortController().signal;

/** What calling needs. */
export interface ContactsOptions {
  readonly dial: Dial;
  /** As whom one calls; the name may change. */
  readonly self: () => CallingAs;
  /** Whether one talks to peers that serve without encryption. */
  readonly plain: boolean;
  /** Asks the index for a peer. */
  readonly lookUp: (name: string) => Promise<PeerRow | undefined>;
  /** Where names and keys are remembered; without, nothing is. */
  readonly state: State | undefined;
}

/** What this peer knows of another one. */
export interface PeerRemarks {
  readonly you: boolean;
  /** Whether the key is another than the one that was known by the name. */
  readonly changed: boolean;
  readonly blocked: boolean;
}

/** The peers that one calls. */
export class Contacts {
  readonly #options: ContactsOptions;
  readonly #identities = new Map<string, PublicIdentity>();

  constructor(options: ContactsOptions) {
    this.#options = options;
  }

  /**
   * Connects to a source, and makes sure that it is there. Fails: "key-changed", "refused" where encryption is missing, "unreachable",
   * "wrong-key", and as the other side says.
   */
  async connect(source: Source, signal?: AbortSignal): Promise<Connection> {
    const { dial, plain, self } = this.#options;
    const { peer, address, id } = source;
    if (id === NO_ID) {
      throw new Failure("unsupported", `Cannot talk to ${peer}: it is a classmate's own program`, {
        hint: "search for its files, and get them",
      });
    }
    this.#check(peer, id);
    if (source.plain && !plain) {
      throw new Failure("refused", `Cannot talk to ${peer}: it shares without encryption`, {
        hint: "start with --plain, if everybody on this network may read along",
      });
    }
    const identity = source.plain ? {} : { identity: await this.#identity(peer, id) };
    const connection = await dial(address, { ...identity, ...(signal === undefined ? {} : { signal }) });
    // A caller that has stopped waiting is not held up by a peer that never answers HELLO.
    using _closing = connection.closeOn(signal ?? NEVER);
    try {
      signal?.throwIfAborted();
      const name = await greet(connection, self());
      if (name !== peer) {
        throw new Failure("unreachable", `Cannot reach ${peer}: somebody else is at ${formatAddress(address)} now`);
      }
      this.#options.state?.people.rememberPeer(peerNameKey(peer), id);
      return connection;
    } catch (thrown) {
      connection.close();
      signal?.throwIfAborted();
      throw thrown;
    }
  }

  /** Trusts the key that a name has now. Shape: its id. */
  trust({ name, id }: { readonly name: string; readonly id: string }): string {
    this.#options.state?.people.trustPeer(peerNameKey(name), id);
    return id;
  }

  /** What a person has to know of a peer in a list: whether it is this peer itself, has another key than before, or is blocked. */
  remarks({ name, id }: { readonly name: string; readonly id: string }): PeerRemarks {
    const { self, state } = this.#options;
    return {
      you: id === self().identity?.id,
      changed: state !== undefined && id !== NO_ID && standingIn(state, { id, name, isSure: true }) === "changed",
      blocked: state?.people.isBlocked(id) ?? false,
    };
  }

  #check(peer: string, id: string): void {
    const { state } = this.#options;
    const known = state && keyKnownFor(state, peer);
    if (state === undefined || known === undefined) return;
    if (standingIn(state, { id, name: peer, isSure: true }) !== "changed") return;
    throw new Failure(
      "key-changed",
      `${peer} is not who it was: the key was ${fingerprint(known)} and now is ${fingerprint(id)}`,
      { hint: `ask them; if they say so, accept the new key with: trust ${JSON.stringify(peer)}` },
    );
  }

  /** Who a peer is, by its certificate; whoever says so, it fits the id or it does not. */
  async #identity(peer: string, id: string): Promise<PublicIdentity> {
    const cached = this.#identities.get(id);
    if (cached !== undefined) return cached;
    const row = await this.#options.lookUp(peer);
    if (row === undefined) throw new Failure("unreachable", `Cannot reach ${peer}: it has left`);
    const identity = await identityOf(Uint8Array.fromHex(row.certificate));
    if (identity.id !== id || row.id !== id) {
      throw new Failure("wrong-key", `Cannot trust ${peer}: its certificate does not fit its id`);
    }
    if (this.#identities.size >= IDENTITIES_CACHED_MAX) this.#identities.clear();
    this.#identities.set(id, identity);
    return identity;
  }
}
