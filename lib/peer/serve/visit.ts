/**
 * The connections over which other peers send requests to this one. A visit holds what the answer
 * to a request depends on: the key that the caller has proven, its name, and whether the owner of
 * this peer allows what it wants. Made by peer.ts; used by host.ts, mailbox.ts, pictures.ts and
 * inbox_routes.ts.
 * @module
 */

import { NO_ID } from "../../core/dialect.ts";
import { Failure } from "../../core/failure.ts";
import { type Route, type Routes, routes } from "../../net/answerer.ts";
import type { Connection } from "../../net/connection.ts";
import { encodeNews } from "../../protocol/envelope.ts";
import { Asking, Queued } from "../../protocol/files.ts";
import type { Acquaintances, Caller, Who } from "../find/who.ts";
import type { Consent, Wish } from "./consent.ts";

/** What a visit needs. */
export interface VisitParts {
  readonly consent: Consent;
  readonly acquaintances: Acquaintances;
}

/** One connection over which a peer sends requests. */
export class Visit implements Caller, Disposable {
  readonly connection: Connection;
  readonly #parts: VisitParts;
  readonly #onEnd: () => void;
  /** The id that the caller has proven; until then {@linkcode NO_ID}. */
  caller = NO_ID;
  /** The name that the caller gives itself. */
  claimedName: string | undefined;

  /** @param onEnd Called when the visit is disposed of. */
  constructor(connection: Connection, parts: VisitParts, onEnd: () => void) {
    this.connection = connection;
    this.#parts = parts;
    this.#onEnd = onEnd;
  }

  /** Ends the visit; the connection is not closed. */
  [Symbol.dispose](): void {
    this.#onEnd();
  }

  /** @throws {Failure} "refused" when the owner has blocked the caller's key. */
  checkNotBlocked(): void {
    if (this.#parts.acquaintances.isBlocked(this.caller)) throw notWelcome();
  }

  /** Identifies the caller. */
  async who(): Promise<Who> {
    return await this.#parts.acquaintances.who(this);
  }

  /** Whether the owner of this peer allows everything to everybody. */
  get allowsAll(): boolean {
    return this.#parts.consent.isOpen;
  }

  /**
   * Resolves when the owner of this peer allows what the caller wants. The caller is informed when
   * the owner has to be asked.
   *
   * @throws {Failure} "refused"; "busy" when too many questions are open.
   */
  async allow(wish: Pick<Wish, "kind" | "name" | "root" | "size" | "modified">): Promise<void> {
    const { consent } = this.#parts;
    if (consent.isOpen) return;
    const { name: peer, key } = await this.who();
    const inform = (): Promise<void> => this.connection.send(encodeNews(Asking, {}));
    await consent.allow({ ...wish, id: this.caller, peer, key }, inform, { host: this.connection.remote.host });
  }

  /**
   * @throws {Failure} "refused" when this peer refuses all downloads, except for keys that are
   * always allowed.
   */
  checkNotDenied({ name, size }: Pick<Wish, "name" | "size">): void {
    this.#parts.consent.checkNotDenied({ kind: "download", name, size, id: this.caller });
  }

  /** Informs the caller how many are before it in a queue. */
  async reportPlace(before: number): Promise<void> {
    await this.connection.send(encodeNews(Queued, { before }));
  }
}

/** What the visits of a peer need. */
export interface VisitsParts extends VisitParts {
  /** Called with the id of a caller when its last visit has ended. */
  readonly onLeft: (id: string) => void;
}

/** The visits that one peer has now. */
export class Visits {
  readonly #parts: VisitsParts;
  readonly #open = new Set<Visit>();

  constructor(parts: VisitsParts) {
    this.#parts = parts;
  }

  /** Begins a visit, which ends when it is disposed of. */
  begin(connection: Connection): Visit {
    const visit: Visit = new Visit(connection, this.#parts, () => {
      this.#open.delete(visit);
      if (!this.#open.values().some(({ caller }) => caller === visit.caller)) this.#parts.onLeft(visit.caller);
    });
    this.#open.add(visit);
    return visit;
  }

  /** Closes all connections of a key. What runs over them ends. */
  endAllOf(id: string): void {
    for (const { caller, connection } of this.#open) if (caller === id) connection.close(notWelcome());
  }
}

/** Gathers the routes of all features. Requests of a blocked key are refused before any of them. */
export function visitRoutes(...all: readonly Route<Visit>[]): Routes<Visit> {
  return routes(...all.map(unlessBlocked));
}

function unlessBlocked({ method, answer }: Route<Visit>): Route<Visit> {
  return {
    method,
    async answer(visit, data, id) {
      visit.checkNotBlocked();
      return await answer(visit, data, id);
    },
  };
}

function notWelcome(): Failure {
  return new Failure("refused", "The owner accepts no requests from you", { hint: "talk to the owner" });
}
