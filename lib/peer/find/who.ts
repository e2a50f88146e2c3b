/**
 * Identifies people: the one place that combines a name and a proven key, for messages, files in
 * the inbox, pictures, consent, connections and lists. An index that was restarted may have given a
 * name to another key, so what the index says is not enough to recognise a person.
 * @module
 */

import { settlesWithin } from "../../core/flow/clock.ts";
import { NO_ID } from "../../core/dialect.ts";
import { fingerprint } from "../../core/fingerprint.ts";
import { TELLER_NAME_WAIT_MS } from "../../core/limits.ts";
import { peerNameKey, UNKNOWN_NAME } from "../../core/peer_name.ts";
import type { State } from "../../store/state/state.ts";
import type { IndexQueries } from "./index_queries.ts";

/**
 * What a key is to this peer under its name: the one that it knows, one that it meets for the first
 * time, or another than the one that it knows.
 */
export type KeyStanding = "known" | "new" | "changed";

/** Another peer, as far as this one can identify it. */
export interface Who {
  /** Its id, which is proven. */
  readonly id: string;
  readonly name: string;
  /**
   * Whether the name certainly belongs to the key: the index confirms it now or has confirmed it
   * before.
   */
  readonly isSure: boolean;
  readonly key: KeyStanding;
}

/**
 * Decides what a key is under a name.
 *
 * @param first The key that is known under the name; undefined when the name is new.
 * @param earlier The name under which the key in question has sent a message before.
 */
export function judgeKey(
  { id, name, isSure }: { readonly id: string; readonly name: string; readonly isSure: boolean },
  first: string | undefined,
  earlier: string | undefined,
): KeyStanding {
  if (!isSure) return "new";
  if (first !== undefined) return first === id ? "known" : "changed";
  return earlier !== undefined && peerNameKey(earlier) === peerNameKey(name) ? "known" : "new";
}

/** A name for a person to read. The key follows where the name alone does not identify the peer. */
export function namedWithKey(name: string, { id, key }: Pick<Who, "id" | "key">): string {
  if (key === "known" || id === NO_ID) return name;
  return `${name} (${fingerprint(id)}${key === "changed" ? ", another key than before" : ""})`;
}

/** A peer that has connected to this one. */
export interface Caller {
  /** The id that it has proven. */
  readonly caller: string;
  /** The name that it claims. */
  readonly claimedName: string | undefined;
}

/** What identifying people needs. */
export interface AcquaintancesParts {
  readonly state: State;
  readonly queries: Pick<IndexQueries, "nameOf">;
}

/** The people that one peer knows. */
export class Acquaintances {
  readonly #parts: AcquaintancesParts;
  /** The names that the index has confirmed, by connection. */
  readonly #names = new WeakMap<Caller, string>();

  constructor(parts: AcquaintancesParts) {
    this.#parts = parts;
  }

  /**
   * Identifies a caller. While the index is unreachable, its name is the one under which it sent a
   * message before.
   */
  async who(visit: Caller): Promise<Who> {
    const { caller: id, claimedName } = visit;
    const earlier = this.#parts.state.talk.teller(id)?.name;
    const name = this.#names.get(visit) ?? await this.#confirmed(claimedName, id);
    if (name !== undefined) this.#names.set(visit, name);
    const shown = name ?? earlier ?? UNKNOWN_NAME;
    const isSure = (name ?? earlier) !== undefined;
    return { id, name: shown, isSure, key: standingIn(this.#parts.state, { id, name: shown, isSure }) };
  }

  /** Whether a key is blocked. */
  isBlocked(id: string): boolean {
    return this.#parts.state.people.isBlocked(id);
  }

  async #confirmed(claimed: string | undefined, id: string): Promise<string | undefined> {
    const asked = this.#parts.queries.nameOf(claimed, id);
    return await settlesWithin(TELLER_NAME_WAIT_MS, asked) ? await asked : undefined;
  }
}

/**
 * The key that a peer knows under a name: the one that it has connected to or trusted, the owner of
 * the folder in the inbox, or the first that sent a message.
 */
export function keyKnownFor(state: State, name: string): string | undefined {
  const key = peerNameKey(name);
  return state.people.knownPeer(key) ?? state.people.senderFolderOwner(key) ?? state.talk.firstTeller(name);
}

/** What a key is under a name, by what a peer remembers. */
export function standingIn(
  state: State,
  who: { readonly id: string; readonly name: string; readonly isSure: boolean },
): KeyStanding {
  return judgeKey(who, keyKnownFor(state, who.name), state.talk.teller(who.id)?.name);
}
