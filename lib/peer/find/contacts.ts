/**
 * Connects to other peers: encrypted, under this peer's own identity, and only to the peer that is
 * meant. It remembers the key that a name had when it was first used, and refuses another key under
 * that name until the person trusts it. Called by everything in lib/peer that asks another peer.
 * @module
 */

import { formatAddress } from "../../core/address.ts";
import { BoundedMap } from "../../core/bounded_map.ts";
import { NO_ID } from "../../core/dialect.ts";
import { Failure } from "../../core/failure.ts";
import { fingerprint } from "../../core/fingerprint.ts";
import { IDENTITIES_CACHED_MAX } from "../../core/limits.ts";
import { peerNameKey } from "../../core/peer_name.ts";
import { printable } from "../../core/printable.ts";
import { type CallingAs, greet } from "../../net/caller.ts";
import type { Connection } from "../../net/connection.ts";
import type { Dial } from "../../net/dial.ts";
import { identityOf, type PublicIdentity } from "../../net/identity.ts";
import type { PeerRef, PeerRow } from "../../protocol/shapes.ts";
import type { State } from "../../store/state/state.ts";
import type { Source } from "../../transfer/content/source.ts";
import type { IndexQueries } from "./index_queries.ts";
import { refOf, sourceOf } from "./peer_refs.ts";
import { keyKnownFor, standingIn } from "./who.ts";

/** What connecting to peers needs. */
export interface ContactsOptions {
  readonly dial: Dial;
  /**
   * The name and keys that this peer presents. Asked at each connection, since the name may change.
   */
  readonly self: () => CallingAs;
  /** Whether this peer also talks to peers that serve without encryption. */
  readonly plain: boolean;
  readonly queries: Pick<IndexQueries, "lookUp">;
  /** Where names and keys are remembered. Without it, nothing is. */
  readonly state: State | undefined;
}

/** What this peer knows about another one. */
export interface PeerRemarks {
  /** Whether it is this peer itself. */
  readonly you: boolean;
  /** Whether its key is another than the one that was known under the name. */
  readonly changed: boolean;
  readonly blocked: boolean;
}

/** A peer and the connection to it, until it is disposed of. */
export interface ReachedPeer extends Disposable {
  readonly peer: PeerRef;
  readonly connection: Connection;
}

/** The peers that this peer connects to. */
export class Contacts {
  readonly #options: ContactsOptions;
  /** By id: those that are known, and those that are being looked up. */
  readonly #identities = new BoundedMap<string, Promise<PublicIdentity>>(IDENTITIES_CACHED_MAX);

  constructor(options: ContactsOptions) {
    this.#options = options;
  }

  /**
   * A peer that can be connected to.
   *
   * @throws {Failure} "not-found" when it has not joined, "unreachable" when it has no open port.
   */
  async find(name: string): Promise<PeerRef> {
    return reachable(await this.#row(name));
  }

  /**
   * Connects to a peer by its name, and asks the index once.
   *
   * @throws {Failure} As {@linkcode find} and {@linkcode connect} do.
   */
  async reach(name: string, signal?: AbortSignal): Promise<ReachedPeer> {
    return await this.reachRow(await this.#row(name), signal);
  }

  /**
   * Connects to a peer that the index has just listed, and does not ask it again.
   *
   * @throws {Failure} As {@linkcode reach} does.
   */
  async reachRow(row: PeerRow, signal?: AbortSignal): Promise<ReachedPeer> {
    const peer = reachable(row);
    const connection = await this.#connect(sourceOf(peer), () => Promise.resolve(row.certificate), { signal });
    return { peer, connection, [Symbol.dispose]: () => connection.close() };
  }

  /**
   * Connects to a source. The first request may follow at once, without a round trip for the proof
   * of this peer's key: it fails when the other side does not accept that.
   *
   * @throws {Failure} "key-changed"; "refused" when the peer does not encrypt and this one insists
   * on it; "unsupported" for a classroom client; "unreachable"; "wrong-key"; and whatever the other
   * side answers.
   */
  async connect(source: Source, signal?: AbortSignal): Promise<Connection> {
    return await this.#connect(source, () => this.#certificateOf(source), { signal, goesOn: true });
  }

  /**
   * Looks up what a connection to a source will need, so that it need not wait for the index. What
   * fails here fails again when it connects.
   */
  prepare(source: Source): void {
    if (source.plain || source.id === NO_ID) return;
    this.#identity(source, () => this.#certificateOf(source)).catch(() => {});
  }

  /**
   * Trusts the key that a peer has now.
   *
   * @throws {Failure} As {@linkcode find} does.
   */
  async trust(peer: string): Promise<{ name: string; id: string }> {
    const { name, id } = await this.find(peer);
    this.#options.state?.people.trustPeer(peerNameKey(name), id);
    return { name, id };
  }

  /** What a person has to know about a peer in a list. */
  remarks({ name, id }: { readonly name: string; readonly id: string }): PeerRemarks {
    const { self, state } = this.#options;
    return {
      you: id === self().identity?.id,
      changed: state !== undefined && id !== NO_ID && standingIn(state, { id, name, isSure: true }) === "changed",
      blocked: state?.people.isBlocked(id) ?? false,
    };
  }

  async #connect(
    source: Source,
    certificate: () => Promise<string>,
    { signal, goesOn }: { readonly signal: AbortSignal | undefined; readonly goesOn?: boolean | undefined },
  ): Promise<Connection> {
    const { dial, plain, self } = this.#options;
    const { peer, address, id } = source;
    if (id === NO_ID) {
      throw new Failure("unsupported", `Cannot talk to ${peer}: it is a classmate's own program`, {
        hint: "search for its files, and get them",
      });
    }
    this.#checkKey(peer, id);
    if (source.plain && !plain) {
      throw new Failure("refused", `Cannot talk to ${peer}: it shares without encryption`, {
        hint: "start with --plain if anybody on this network may read the traffic",
      });
    }
    const identity = source.plain ? undefined : await this.#identity(source, certificate);
    const connection = await dial(address, { identity, signal });
    // A peer that never answers HELLO does not delay a caller that has stopped waiting.
    using _closing = connection.closeOn(signal);
    try {
      signal?.throwIfAborted();
      const name = await greet(connection, { ...self(), goesOn });
      if (name !== peer) {
        throw new Failure("unreachable", `Cannot reach ${peer}: another peer is at ${formatAddress(address)} now`);
      }
      this.#options.state?.people.rememberPeer(peerNameKey(peer), id);
      return connection;
    } catch (thrown) {
      connection.close();
      signal?.throwIfAborted();
      throw thrown;
    }
  }

  async #row(name: string): Promise<PeerRow> {
    const row = await this.#options.queries.lookUp(name);
    if (row !== undefined) return row;
    throw new Failure("not-found", `There is no peer "${printable(name)}" here`, {
      hint: "see who is here with: peers",
    });
  }

  #checkKey(peer: string, id: string): void {
    const { state } = this.#options;
    const known = state && keyKnownFor(state, peer);
    if (state === undefined || known === undefined) return;
    if (standingIn(state, { id, name: peer, isSure: true }) !== "changed") return;
    throw new Failure(
      "key-changed",
      `${peer} has another key than before: it was ${fingerprint(known)} and is now ${fingerprint(id)}`,
      { hint: `ask the person; if the new key is theirs, accept it with: trust ${JSON.stringify(peer)}` },
    );
  }

  /**
   * The identity that a source has to prove. A certificate from any origin is safe to use: it
   * matches the id or it does not.
   */
  async #identity({ peer, id }: Source, certificate: () => Promise<string>): Promise<PublicIdentity> {
    const known = await this.#identities.get(id)?.catch(() => undefined);
    if (known !== undefined) return known;
    const checked = async (): Promise<PublicIdentity> => {
      const identity = await identityOf(Uint8Array.fromHex(await certificate()));
      if (identity.id !== id) throw wrongCertificate(peer);
      return identity;
    };
    const learning = checked();
    this.#identities.set(id, learning);
    try {
      return await learning;
    } catch (thrown) {
      this.#identities.delete(id);
      throw thrown;
    }
  }

  async #certificateOf({ peer, id }: Source): Promise<string> {
    const row = await this.#options.queries.lookUp(peer);
    if (row === undefined) throw new Failure("unreachable", `Cannot reach ${peer}: it has left`);
    if (row.id !== id) throw wrongCertificate(peer);
    return row.certificate;
  }
}

/** @throws {Failure} "unreachable" for a peer without an open port. */
function reachable(row: PeerRow): PeerRef {
  const ref = refOf(row);
  if (ref !== undefined) return ref;
  throw new Failure("unreachable", `Cannot reach ${printable(row.name)}: it is behind a firewall`);
}

function wrongCertificate(peer: string): Failure {
  return new Failure("wrong-key", `Cannot trust ${peer}: its certificate does not match its id`);
}
