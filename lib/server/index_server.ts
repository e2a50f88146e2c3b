/**
 * The index server: it listens, gives every connection a session, and says goodbye at the end.
 * Called by server.ts.
 * @module
 */

import type { Address } from "../core/address.ts";
import { type Clock, systemClock } from "../core/flow/clock.ts";
import { failedWith } from "../core/failure.ts";
import { CLOSE_WAIT_MS, INDEX_CONNECTIONS_MAX, INDEX_STRANGERS_MAX, SILENCE_MS_MAX } from "../core/limits.ts";
import { peerNameKey } from "../core/peer_name.ts";
import type { SearchIndex } from "../index/search_index.ts";
import { CallerPaces } from "../net/caller_paces.ts";
import { type AnswerOptions, answerRequests } from "../net/answerer.ts";
import type { Connection } from "../net/connection.ts";
import { DialectReader } from "../net/dialect_reader.ts";
import { dial } from "../net/dial.ts";
import { WrongGuesses } from "../net/wrong_guesses.ts";
import { Listener } from "../net/listener.ts";
import type { Room, RoomKey } from "../net/room_key.ts";
import { encodeNews } from "../protocol/envelope.ts";
import { Closing } from "../protocol/presence.ts";
import { ClassroomPeers } from "./classroom_peers.ts";
import { DialBacks } from "./dial_backs.ts";
import { type DialectSessionParts, serveDialect } from "./dialect_session.ts";
import { IndexMetrics, type ServerState } from "./index_metrics.ts";
import { bugEvent, type Journal } from "./journal.ts";
import { RATES, type Rates } from "./rates.ts";
import { Session, type SessionParts } from "./session.ts";
import { SESSION_ROUTES } from "./session_routes.ts";

/** What an index server works with. */
export interface IndexServerOptions {
  readonly index: SearchIndex;
  readonly journal: Journal;
  readonly metrics?: IndexMetrics | undefined;
  readonly connectionsMax?: number | undefined;
  readonly rates?: Rates | undefined;
  /**
   * The room, if it has a key. The index then speaks TLS with a certificate that is derived from
   * the key, and answers only callers that have the key.
   */
  readonly room?: Room | undefined;
  /** Silence after which the index ends a session. */
  readonly silenceMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** A listening index. */
export class IndexServer implements AsyncDisposable {
  readonly #parts: SessionParts;
  #listener: Listener | undefined;
  #address: Address;
  readonly #connections = new Set<Connection>();
  readonly #silenceMs: number;
  #roomKey: RoomKey | undefined;
  readonly #guesses: WrongGuesses;
  readonly #proofs: CallerPaces;
  readonly #dialects: DialectSessionParts;
  readonly #metrics: IndexMetrics;
  #answering: AnswerOptions<Session>;

  private constructor(address: Address, options: IndexServerOptions) {
    this.#metrics = options.metrics ?? new IndexMetrics({ methods: SESSION_ROUTES.keys(), operations: [] });
    const clock = options.clock ?? systemClock;
    this.#parts = {
      index: options.index,
      journal: options.journal,
      clock,
      dial,
      dialBacks: new DialBacks(clock),
      joined: new Map(),
      rates: options.rates ?? RATES,
    };
    this.#silenceMs = options.silenceMs ?? SILENCE_MS_MAX;
    this.#roomKey = options.room?.key;
    this.#guesses = new WrongGuesses(this.#parts.clock);
    this.#proofs = new CallerPaces(this.#parts.rates.proofs, this.#parts.clock);
    const { index, journal, rates } = this.#parts;
    this.#dialects = {
      index,
      journal,
      clock,
      metrics: this.#metrics,
      peers: new ClassroomPeers({ index, journal, clock }),
      paces: new CallerPaces(rates.requests, clock),
    };
    this.#address = address;
    this.#answering = this.#answeringNow();
    index.serve({
      isAlive: async (name) => await this.#parts.joined.get(peerNameKey(name))?.isAlive() ?? false,
      lost: (name) => {
        this.#parts.joined.get(peerNameKey(name))?.lost();
        this.#dialects.peers.lost(name);
      },
    });
  }

  /**
   * Starts to listen.
   *
   * @throws {Failure} "unreachable" when this machine cannot listen at the address.
   */
  static async listen(address: Address, options: IndexServerOptions): Promise<IndexServer> {
    const server = new IndexServer(address, options);
    server.#listener = await Listener.listen(address, {
      connectionsMax: options.connectionsMax ?? INDEX_CONNECTIONS_MAX,
      strangersMax: INDEX_STRANGERS_MAX,
      fullHint: "try again in a moment, or at another index; the owner of this one can allow more with --max-peers",
      identity: options.room?.identity,
      serve: (connection) => server.#serve(connection),
      onBug: (thrown) => server.#parts.journal(bugEvent(thrown)),
    });
    server.#address = server.#listener.address;
    return server;
  }

  /** Where it listens. */
  get address(): Address {
    return this.#address;
  }

  /**
   * Replaces the room's key. New connections need the new key, and sessions go on.
   *
   * @param room The new key, for an index that was started with one.
   */
  rekey(room: Room): void {
    this.#listener?.identify(room.identity);
    this.#roomKey = room.key;
    this.#answering = this.#answeringNow();
    this.#parts.journal({ event: "rekeyed" });
  }

  /** The room's key at present, if the room has one. */
  get roomKey(): RoomKey | undefined {
    return this.#roomKey;
  }

  /** The state of the server, for its metrics. */
  get state(): ServerState {
    const none = { open: 0, accepted: 0, refused: 0, bytesRead: 0, bytesWritten: 0 };
    return { ...this.#listener?.traffic ?? none, joined: this.#parts.joined.size };
  }

  /** Accepts no more connections, sends CLOSING to every peer, and ends all sessions. */
  async close(reason: string): Promise<void> {
    this.#listener?.stop();
    this.#parts.journal({ event: "closing", peers: this.#parts.joined.size });
    const goodbye = encodeNews(Closing, { reason });
    await Promise.all(Array.from(this.#connections, async (connection) => {
      await connection.send(goodbye).catch(() => {});
      await connection.closeAfterSending(CLOSE_WAIT_MS);
    }));
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#dialects.peers[Symbol.dispose]();
    await this.#listener?.[Symbol.asyncDispose]();
  }

  /**
   * The options of new connections. All connections share them, since copies would take memory for
   * each.
   */
  #answeringNow(): AnswerOptions<Session> {
    const roomKey = this.#roomKey;
    return {
      idleMs: this.#silenceMs,
      onHeard: (session) => session.heard(),
      onProven: (session, identity) => session.proven(identity),
      roomKey,
      beforeProof: async (host) => {
        await this.#proofs.wait(host);
        await this.#guesses.wait(host);
      },
      onAnswered: (session, method) => this.#metrics.answered(method, session.tookMs),
      onRefused: ({ code }) => this.#metrics.refused(code),
      onWrongGuess: (host) => this.#guesses.note(host),
      onBug: (thrown) => this.#parts.journal(bugEvent(thrown)),
    };
  }

  async #serve(connection: Connection): Promise<void> {
    // No classroom dialect can prove a room key.
    const reader = this.#roomKey === undefined ? await DialectReader.begin(connection) : undefined;
    // Not awaited, since every waiting function takes half a kilobyte for each connection.
    return reader === undefined ? this.#serveNative(connection) : serveDialect(reader, this.#dialects);
  }

  async #serveNative(connection: Connection): Promise<void> {
    const { journal } = this.#parts;
    const session = new Session(this.#parts, connection);
    this.#connections.add(connection);
    try {
      const why = await answerRequests(connection, SESSION_ROUTES, session, this.#answering);
      if (why !== null && !failedWith(why, "closed", "timeout")) {
        journal({ event: "refused", peer: session.label, code: why.code, message: why.message });
      }
      await session.end(why === null ? "closed its connection" : why.message);
    } finally {
      this.#connections.delete(connection);
    }
  }
}
