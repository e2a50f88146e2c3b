/**
 * Whether others may have what they ask for: always, never, or when the person at the keyboard says so. Called by host.ts for downloads, and by
 * whatever else others may want of this peer; answered by the shell.
 * @module
 */

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

/** How one decides. */
export const CONSENT_MODES = ["open", "ask", "deny"] as const;
export type ConsentMode = typeof CONSENT_MODES[number];

/** What somebody wants. */
export interface Wish {
  readonly kind: "download" | "upload" | "picture";
  /** The id of who asks, which is proven; empty for a peer of a classroom dialect. */
  readonly id: string;
  /** The name of who asks, as far as that is known. */
  readonly peer: string;
  /** What the key is under that name. */
  readonly key: KeyStanding;
  /** The file it is about, and what tells it from others of that name: its root, if there is one. */
  readonly name: string;
  readonly root?: string;
  readonly size: number;
  /** Time of the last change of a file that has no root yet. */
  readonly modified?: number;
}

/** A wish that waits for an answer. */
export interface Question extends Wish {
  /** What it is answered by. */
  readonly number: number;
}

/** What consent tells. */
export type ConsentEvent =
  | ({ readonly event: "asked" } & Question)
  /** The answer came from the person, or nobody answered in time. */
  | { readonly event: "answered"; readonly number: number; readonly allowed: boolean; readonly inTime: boolean };

/** What consent needs. */
export interface ConsentOptions {
  readonly mode: ConsentMode;
  readonly clock: Clock;
  readonly onEvent: (event: ConsentEvent) => void;
  /** Peers, by id, that are always allowed wishes of a kind. */
  readonly always: { has(id: string, kind: Wish["kind"]): boolean; add(id: string, kind: Wish["kind"]): void };
}

interface OpenQuestion {
  readonly question: Question;
  readonly answer: (allowed: boolean) => void;
  /** Ends it without an answer. */
  readonly makeRoom: () => void;
  readonly allowed: Promise<boolean>;
}

/** The questions of one peer. */
export class Consent {
  readonly #options: ConsentOptions;
  readonly #open = new Map<string, OpenQuestion>();
  readonly #places = new Places<string>({ total: QUESTIONS_OPEN_MAX, first: "newest" });
  /** What was allowed in this run; the oldest first. */
  readonly #remembered = new Set<string>();
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
   * Resolves when the wish is allowed. While a person is asked, `tell` lets the one who waits know, again and again; it fails when he is gone.
   * Fails: "refused"; "busy" when too much is asked at once.
   */
  async allow(wish: Wish, tell: () => Promise<void>, { host = "" } = {}): Promise<void> {
    const { mode, always } = this.#options;
    // Several people may be at one host. A client without a key could be any of them, so each of its wishes is a question.
    const keys: readonly [string, ...string[]] = wish.id === ""
      ? [`without a key ${++this.#lastWithoutKey}`]
      : keysOf(wish);
    const isRemembered = keys.some((key) => this.#remembered.has(key));
    if (this.isOpen || isRemembered || (wish.id !== "" && always.has(wish.id, wish.kind))) return;
    if (mode === "deny") throw refused(wish);
    const known = keys.map((key) => this.#open.get(key)).find((open) => open !== undefined);
    const { allowed } = known ?? this.#ask(keys[0], wish, host);
    const gone = Promise.withResolvers<boolean>();
    const telling = (): void => void tell().catch((thrown) => gone.reject(thrown));
    telling();
    const timer = setInterval(telling, QUEUED_EVERY_MS);
    try {
      if (!await Promise.race([allowed, gone.promise])) throw refused(wish);
    } finally {
      clearInterval(timer);
    }
  }

  /**
   * Fails: "refused" where everybody is refused, and the peer is no exception. For what tells nothing of the bytes of a file: there the owner is
   * not asked.
   */
  demandNotDenied(wish: Pick<Wish, "id" | "kind" | "name" | "size">): void {
    const { mode, always } = this.#options;
    if (mode === "deny" && !(wish.id !== "" && always.has(wish.id, wish.kind))) throw refused(wish);
  }

  /** What waits for an answer, oldest first. */
  questions(): Question[] {
    return Array.from(this.#open.values(), ({ question }) => question);
  }

  /** Allows a wish; with `always`, all of the same kind that this peer will ever have. Fails: "not-found". */
  accept(number: number, options: { always?: boolean } = {}): Question {
    const { question, answer } = this.#questionOf(number);
    if (options.always === true && question.id !== "") this.#options.always.add(question.id, question.kind);
    answer(true);
    return question;
  }

  /** Refuses a wish. Fails: "not-found". */
  refuse(number: number): Question {
    const { question, answer } = this.#questionOf(number);
    answer(false);
    return question;
  }

  #questionOf(number: number): OpenQuestion {
    const open = this.#open.values().find(({ question }) => question.number === number);
    if (open !== undefined) return open;
    throw new Failure("not-found", `There is no question ${number}`, {
      hint: "it may have been answered, or too late",
    });
  }

  #ask(key: string, wish: Wish, host: string): OpenQuestion {
    const { clock, onEvent } = this.#options;
    const isSame = ({ id, peer }: Wish): boolean => id === wish.id && (id !== "" || peer === wish.peer);
    const ofPeer = this.#open.values().filter(({ question }) => isSame(question)).toArray().length;
    const holder = { host, key: wish.id };
    const entered = ofPeer < QUESTIONS_PER_PEER_MAX && this.#places.enter(key, holder, clock.now());
    if (entered === false || !entered.given) {
      throw new Failure("busy", "Cannot ask: too many questions wait for an answer here");
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
      if (isAllowed && wish.id !== "") this.#remember(key);
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

  #remember(key: string): void {
    this.#remembered.add(key);
    const [oldest] = this.#remembered;
    if (this.#remembered.size > CONSENT_REMEMBERED_MAX && oldest !== undefined) this.#remembered.delete(oldest);
  }
}

/**
 * What the answer to a wish is kept under, the best key first. A file that had no root when its owner was asked may have one by now: it is the same
 * file as long as its name, size and time are the same.
 */
function keysOf({ id, peer, kind, name, root, size, modified }: Wish): [string, ...string[]] {
  const version = JSON.stringify([id, peer, kind, name, size, modified]);
  return root === undefined ? [version] : [JSON.stringify([id, peer, kind, root]), version];
}

function refused({ kind, name }: Pick<Wish, "kind" | "name">): Failure {
  const what = kind === "download" ? `to send "${name}"` : kind === "upload" ? `to take "${name}"` : "the picture";
  return new Failure("refused", `The owner refused ${what}`, { hint: "ask them" });
}
