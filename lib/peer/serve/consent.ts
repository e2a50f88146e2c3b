/**
 * Decides whether other peers may have what they want: always, never, or when the person at the
 * keyboard allows it. Called by visit.ts and dialect_host.ts; the shell answers the questions.
 * @module
 */

import { BoundedMap } from "../../core/bounded_map.ts";
import { NO_ID } from "../../core/dialect.ts";
import type { Clock } from "../../core/flow/clock.ts";
import { Failure } from "../../core/failure.ts";
import {
  CONSENT_REMEMBERED_MAX,
  CONSENT_WAIT_MS,
  QUESTIONS_OPEN_MAX,
  QUESTIONS_PER_PEER_MAX,
  QUEUED_EVERY_MS,
} from "../../core/limits.ts";
import { Places } from "../../core/flow/places.ts";
import type { KeyStanding } from "../find/who.ts";

/** How a peer decides: it allows everything, asks its owner, or refuses everything. */
export const CONSENT_MODES = ["open", "ask", "deny"] as const;
export type ConsentMode = typeof CONSENT_MODES[number];

/** What a peer wants. */
export interface Wish {
  readonly kind: "download" | "upload" | "picture";
  /** The id that the peer has proven; {@linkcode NO_ID} for a client of a classroom dialect. */
  readonly id: string;
  /** The peer's name, as far as that is known. */
  readonly peer: string;
  /** What is known of the key under that name. */
  readonly key: KeyStanding;
  /** The name of the file. */
  readonly name: string;
  /** The file's root, if it has one yet. */
  readonly root?: string | undefined;
  readonly size: number;
  /** When a file without a root was changed last. */
  readonly modified?: number | undefined;
}

/** A wish that waits for an answer. */
export interface Question extends Wish {
  /** The number by which the owner answers it. */
  readonly number: number;
}

/** What consent reports. */
export type ConsentEvent =
  | ({ readonly event: "asked" } & Question)
  /** The owner has answered, or (not `inTime`) nobody did. */
  | { readonly event: "answered"; readonly number: number; readonly allowed: boolean; readonly inTime: boolean };

/** What consent needs. */
export interface ConsentOptions {
  readonly mode: ConsentMode;
  readonly clock: Clock;
  readonly onEvent: (event: ConsentEvent) => void;
  /** Keys that are always allowed wishes of a kind. */
  readonly always: { has(id: string, kind: Wish["kind"]): boolean; add(id: string, kind: Wish["kind"]): void };
}

interface OpenQuestion {
  readonly question: Question;
  readonly answer: (allowed: boolean) => void;
  /** Ends the question without an answer. */
  readonly makeRoom: () => void;
  readonly allowed: Promise<boolean>;
}

/** The questions of one peer. */
export class Consent {
  readonly #options: ConsentOptions;
  readonly #open = new Map<string, OpenQuestion>();
  readonly #places = new Places<string>({ total: QUESTIONS_OPEN_MAX, first: "newest" });
  /** Keys of the wishes that were allowed in this run, the oldest first. */
  readonly #remembered = new BoundedMap<string, true>(CONSENT_REMEMBERED_MAX);
  #lastNumber = 0;
  #lastWithoutKey = 0;

  constructor(options: ConsentOptions) {
    this.#options = options;
  }

  /** Whether everything is allowed. */
  get isOpen(): boolean {
    return this.#options.mode === "open";
  }

  /**
   * Resolves when a wish is allowed.
   *
   * @param inform Informs the caller that the owner is asked. It is called again and again, and
   * fails when the caller has disconnected.
   * @throws {Failure} "refused"; "busy" when too many questions are open; and the failure of
   * `inform`.
   */
  async allow(wish: Wish, inform: () => Promise<void>, { host = "" } = {}): Promise<void> {
    if (this.isOpen || this.#isAlways(wish)) return;
    // Several people may be at one host. A client without a key could be any of them, so each of
    // its wishes is a question.
    const keys: readonly [string, ...string[]] = wish.id === NO_ID
      ? [`without a key ${++this.#lastWithoutKey}`]
      : keysOf(wish);
    if (keys.some((key) => this.#remembered.has(key))) return;
    if (this.#options.mode === "deny") throw refused(wish);
    const known = keys.map((key) => this.#open.get(key)).find((open) => open !== undefined);
    const { allowed } = known ?? this.#ask(keys[0], wish, host);
    const gone = Promise.withResolvers<boolean>();
    const informOrEnd = (): void => void inform().catch((thrown) => gone.reject(thrown));
    informOrEnd();
    const timer = setInterval(informOrEnd, QUEUED_EVERY_MS);
    try {
      if (!await Promise.race([allowed, gone.promise])) throw refused(wish);
    } finally {
      clearInterval(timer);
    }
  }

  /**
   * Lets a wish pass that reveals nothing of a file's bytes, so that the owner is not asked.
   *
   * @throws {Failure} "refused" when everything is refused, except for keys that are always
   * allowed.
   */
  checkNotDenied(wish: Pick<Wish, "id" | "kind" | "name" | "size">): void {
    if (this.#options.mode === "deny" && !this.#isAlways(wish)) throw refused(wish);
  }

  /** The questions that wait for an answer, oldest first. */
  questions(): Question[] {
    return Array.from(this.#open.values(), ({ question }) => question);
  }

  /**
   * Allows a wish.
   *
   * @param options.always Whether this key is allowed everything of the same kind from now on.
   * @throws {Failure} "not-found".
   */
  accept(number: number, options: { always?: boolean } = {}): Question {
    const { question, answer } = this.#questionOf(number);
    if (options.always === true && question.id !== NO_ID) this.#options.always.add(question.id, question.kind);
    answer(true);
    return question;
  }

  /**
   * Refuses a wish.
   *
   * @throws {Failure} "not-found".
   */
  refuse(number: number): Question {
    const { question, answer } = this.#questionOf(number);
    answer(false);
    return question;
  }

  #questionOf(number: number): OpenQuestion {
    const open = this.#open.values().find(({ question }) => question.number === number);
    if (open !== undefined) return open;
    throw new Failure("not-found", `There is no request ${number}`, {
      hint: "it may have been answered, or have expired",
    });
  }

  #ask(key: string, wish: Wish, host: string): OpenQuestion {
    const { clock, onEvent } = this.#options;
    const isSame = ({ id, peer }: Wish): boolean => id === wish.id && (id !== NO_ID || peer === wish.peer);
    const ofPeer = this.#open.values().filter(({ question }) => isSame(question)).toArray().length;
    const holder = { host, key: wish.id };
    const entered = ofPeer < QUESTIONS_PER_PEER_MAX && this.#places.enter(key, holder, clock.now());
    if (entered === false || !entered.given) {
      throw new Failure("busy", "Cannot ask the owner: too many questions wait for an answer");
    }
    if (entered.displaced !== undefined) this.#open.get(entered.displaced)?.makeRoom();
    const { promise: allowed, resolve, reject } = Promise.withResolvers<boolean>();
    const number = ++this.#lastNumber;
    const over = new AbortController();
    const end = (isAllowed: boolean, inTime: boolean): void => {
      if (this.#open.get(key) !== open) return;
      this.#open.delete(key);
      this.#places.leave(key);
      over.abort();
      if (isAllowed && wish.id !== NO_ID) this.#remembered.set(key, true);
      onEvent({ event: "answered", number, allowed: isAllowed, inTime });
      resolve(isAllowed);
    };
    const question = { ...wish, number };
    const makeRoom = (): void => {
      reject(new Failure("busy", "The question had to make room for one of another peer"));
      end(false, false);
    };
    const open: OpenQuestion = { question, answer: (isAllowed) => end(isAllowed, true), makeRoom, allowed };
    this.#open.set(key, open);
    clock.delay(CONSENT_WAIT_MS, over.signal).then(() => end(false, false), () => {});
    onEvent({ event: "asked", ...question });
    return open;
  }

  #isAlways({ id, kind }: Pick<Wish, "id" | "kind">): boolean {
    return id !== NO_ID && this.#options.always.has(id, kind);
  }
}

/**
 * The keys under which the answer to a wish is remembered, the best first. A file that had no root
 * when its owner was asked may have one by now. It is still the same file if its name, size and
 * time are the same.
 */
function keysOf({ id, peer, kind, name, root, size, modified }: Wish): [string, ...string[]] {
  const version = JSON.stringify([id, peer, kind, name, size, modified]);
  return root === undefined ? [version] : [JSON.stringify([id, peer, kind, root]), version];
}

function refused({ kind, name }: Pick<Wish, "kind" | "name">): Failure {
  const what = kind === "download" ? `to send "${name}"` : kind === "upload" ? `to accept "${name}"` : "the picture";
  return new Failure("refused", `The owner refused ${what}`, { hint: "ask them" });
}
