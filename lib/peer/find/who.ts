/**
 * Identifies people: the one place that puts a name and a proven key together, for messages, files that are put, pictures, questions of consent, calls and
 * lists. An index may have been started again and have given a name to another key, so its word alone does not make two visitors the same person.
 * @module
 */

import { settlesWithin } from "../../core/flow/clock.ts";
import { NO_ID } from "../../core/dialect.ts";
import { fingerprint } from "../../core/fingerprint.ts";
import { TELLER_NAME_WAIT_MS } from "../../core/limits.ts";
import { peerNameKey, UNKNOWN_NAME } from "../../core/peer_name.ts";
import type { State } from "../../store/state/state.ts";

/** What a key is under its name: the one that this peer knows by it, one that is met for the first time, or another than before. */
export type KeyStanding = "known" | "new" | "changed";

/** Somebody, as far as that is known. */
export interface Who {
  /** The id, which is proven. */
  readonly id: string;
  readonly name: string;
  /** Whether the name is the key's for sure: the index says so now, or said so before. */
  readonly isSure: boolean;
  readonly key: KeyStanding;
}

/**
 * Decides what a key is under a name.
 *
 * @param first The key that the name is known by; undefined where it never came up.
 * @param told The name under which the key in question has told something before.
 */
export function judgeKey(
  { id, name, isSure }: { readonly id: string; readonly name: string; readonly isSure: boolean },
  first: string | undefined,
  told: string | undefined,
): KeyStanding {
  if (!isSure) return "new";
  if (first !== undefined) return first === id ? "known" : "changed";
  return told !== undefined && peerNameKey(told) === peerNameKey(name) ? "known" : "new";
}

/** A name as a person reads it: with the key, where the name alone does not say who it is. */
export function namedWithKey(name: string, { id, key }: Pick<Who, "id" | "key">): string {
  if (key === "known" || id === NO_ID) return name;
  return `${name} (${fingerprint(id)}${key === "changed" ? ", another key than before" : ""})`;
}

/** A caller. */
export interface Caller {
  /** The id that was proven. */
  readonly caller: string;
  /** The name it gives itself. */
  readonly claimedName: string | undefined;
}

/** What it takes to know people. */
export interface AcquaintancesParts {
  readonly state: State;
  /** The name that a key has at the index, if it is the one that is claimed. */
  readonly nameOf: (claimed: string | undefined, id: string) => Promise<string | undefined>;
}

/** The people that one peer knows. */
export class Acquaintances {
  readonly #parts: AcquaintancesParts;
  /** The names that the index has confirmed, by connection. */
  readonly #names = new WeakMap<Caller, string>();

  constructor(parts: AcquaintancesParts) {
    this.#parts = parts;
  }

  /** Identifies the caller. While the index is unreachable, its name is the one under which it sent a message before. */
  async who(visit: Caller): Promise<Who> {
    const { caller: id, claimedName } = visit;
    const told = this.#parts.state.talk.teller(id)?.name;
    const name = this.#names.get(visit) ?? await this.#confirmed(claimedName, id);
    if (name !== undefined) this.#names.set(visit, name);
    const shown = name ?? told ?? UNKNOWN_NAME;
    const isSure = (name ?? told) !== undefined;
    return { id, name: shown, isSure, key: standingIn(this.#parts.state, { id, name: shown, isSure }) };
  }

  /** Whether a key is blocked. */
  isBlocked(id: string): boolean {
    return this.#parts.state.people.isBlocked(id);
  }

  async #confirmed(claimed: string | undefined, id: string): Promise<string | undefined> {
    const asked = this.#parts.nameOf(claimed, id);
    return await settlesWithin(TELLER_NAME_WAIT_MS, asked) ? await asked : undefined;
  }
}

/** The key that a peer knows a name by: the one that it has called or trusted, or whose folder is in the inbox, or that told something first. */
export function keyKnownFor(state: State, name: string): string | undefined {
  const key = peerNameKey(name);
  return state.people.knownPeer(key) ?? state.people.drawerOwner(key) ?? state.talk.firstTeller(name);
}

/** What a key is under a name, by what a peer remembers. */
export function standingIn(
  state: State,
  who: { readonly id: string; readonly name: string; readonly isSure: boolean },
): KeyStanding {
  return judgeKey(who, keyKnownFor(state, who.name), state.talk.teller(who.id)?.name);
}
