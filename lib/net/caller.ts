/**
 * The asking side of a connection: sends requests, gives each its reply by id, and reports news.
 * lib/peer/session/index_session.ts asks and listens at the same time, lib/transfer reads bodies.
 * @module
 */

import { formatAddress } from "../core/address.ts";
import { nextTurn } from "../core/flow/clock.ts";
import { Failure } from "../core/failure.ts";
import { REPLY_WAIT_MS } from "../core/limits.ts";
import { PROTOCOL_VERSION, SOFTWARE } from "../core/version.ts";
import { encodeRequest, type Envelope } from "../protocol/envelope.ts";
import { Hello, NONCE_BYTES, Prove } from "../protocol/hello.ts";
import type { Request } from "../protocol/message.ts";
import type { Connection } from "./connection.ts";
import type { Identity } from "./identity.ts";
import { type Channel, prove } from "./proof.ts";
import { ReadingTurn, unread } from "./reading_turns.ts";
import type { RoomKey } from "./room_key.ts";

/** Which part of the requests that are sent ahead is left unanswered when further ones are sent. */
const ASK_AGAIN_PART = 3 / 4;

/**
 * News that is taken in one turn of the event loop. An honest peer sends one a second. Somebody
 * that sends them without end would keep the program busy.
 */
const NEWS_IN_TURN = 8;

/** A reply. Its body, of `bodyBytes` bytes, is next on the connection. */
export interface ReplyWithBody<R> {
  readonly data: R;
  readonly bodyBytes: number;
}

/** How to wait for an answer. */
export interface AskOptions {
  readonly waitMs?: number | undefined;
  /**
   * Called with news. Each news restarts the wait, so this is only for requests that may wait for a
   * person or a turn. Without it, news is ignored, and the answer has to arrive in time whatever
   * the other side sends meanwhile.
   */
  readonly onNews?: ((event: string, data: unknown) => void) | undefined;
  /**
   * Whether a failure of the other side is also that of everything that is asked after it.
   * Default: false.
   */
  readonly isVital?: boolean | undefined;
}

/**
 * Sends one request at once, and reads until its answer when everything asked before on the
 * connection has been answered and read. The body, if any, is next on the connection: nothing else
 * may have been asked by then. Otherwise, see {@linkcode askAndRead}.
 *
 * @throws {Failure} The other side's failure. "malformed" when it answers something else.
 */
export async function ask<D, R>(
  connection: Connection,
  message: Request<D, R>,
  data: D,
  options: AskOptions = {},
): Promise<ReplyWithBody<R>> {
  return await askAndRead(connection, message, data, (reply) => reply, options);
}

/**
 * Sends one request at once. When everything asked before has been answered and read, it reads
 * until the answer, and `read` reads the body. What is asked after it is read after that.
 *
 * @returns What `read` returns.
 * @throws {Failure} As {@linkcode ask}, and as `read` does.
 */
export async function askAndRead<D, R, T>(
  connection: Connection,
  message: Request<D, R>,
  data: D,
  read: (reply: ReplyWithBody<R>) => T | Promise<T>,
  options: AskOptions = {},
): Promise<T> {
  let answer: { readonly value: T } | Failure | undefined;
  for await (const reply of askAll(connection, message, [data], { ...options, ahead: 1 })) {
    answer = reply instanceof Failure ? reply : { value: await read(reply) };
  }
  answer ??= new Failure("closed", `No answer to ${message.method}`);
  if (answer instanceof Failure) throw answer;
  return answer.value;
}

/**
 * Sends many requests of the same kind. Up to `ahead` of them are sent before the first is
 * answered, so that none waits for the round trip of the one before. When a quarter of them is
 * answered, as many follow. `ahead` is looked at again after each answer. Yields the answers in
 * order, a failure of the other side as a value. The body of each answer has to be read before the
 * next one is taken.
 *
 * Others may ask on the connection meanwhile. Their answers are read after these, so the loop over
 * the answers has to go on to its end, or the connection is of no more use.
 *
 * @throws {Failure} Failures of the connection, and "malformed".
 */
export async function* askAll<D, R>(
  connection: Connection,
  message: Request<D, R>,
  all: Iterable<D>,
  options: AskOptions & { readonly ahead: number | (() => number) },
): AsyncGenerator<ReplyWithBody<R> | Failure> {
  const { ahead, waitMs = REPLY_WAIT_MS, onNews, isVital = false } = options;
  const aheadNow = typeof ahead === "number" ? () => ahead : ahead;
  const questions = all[Symbol.iterator]();
  const turn = new ReadingTurn(connection);
  let asked = 0;
  let answered = 0;
  let news = 0;
  let isRead = false;
  let failure: Failure | undefined;
  try {
    let next = questions.next();
    // Several at a time: they go in one write, and the other side reads and answers them so.
    const askMore = (): void => {
      const most = aheadNow();
      if (asked - answered > most * ASK_AGAIN_PART) return;
      for (; next.done !== true && asked - answered < most; next = questions.next()) {
        // Not awaited: a failed write closes the connection, and the read below then fails.
        connection.send(encodeRequest(message, next.value, ++asked)).catch(() => {});
      }
    };
    askMore();
    if (turn.hasToWait) await turn.come();
    for (let endMs = performance.now() + waitMs; answered < asked || next.done !== true;) {
      askMore();
      const envelope = await receiveBy(endMs, connection, { method: message.method, waitMs });
      if (envelope.kind === "news") {
        onNews?.(envelope.event, envelope.data);
        if (onNews !== undefined) endMs = performance.now() + waitMs;
        if (++news % NEWS_IN_TURN === 0) await nextTurn();
        continue;
      }
      answered += 1;
      const reply = envelope.kind === "failure" ? envelope.failure : readReply(message, envelope);
      if (isVital && reply instanceof Failure) failure = reply;
      yield reply;
      endMs = performance.now() + waitMs;
    }
    isRead = true;
  } catch (thrown) {
    failure = Failure.from(thrown, "closed", "Cannot read on");
    throw thrown;
  } finally {
    turn.end(isRead ? failure : failure ?? unread());
  }
}

/**
 * Receives the next message.
 *
 * @throws {Failure} "timeout" when the end of the wait has come; "closed"; and a failure that is
 * about the connection itself.
 */
async function receiveBy(
  endMs: number,
  connection: Connection,
  { method, waitMs }: { readonly method: string; readonly waitMs: number },
): Promise<Envelope> {
  const leftMs = Math.ceil(endMs - performance.now());
  if (leftMs <= 0) {
    connection.close();
    throw new Failure("timeout", `No answer to ${method} for ${Math.round(waitMs / 1000)} s`);
  }
  const envelope = await connection.receive({ waitMs: leftMs });
  if (envelope === null) throw new Failure("closed", `No answer to ${method}: the other side closed`);
  // A failure without an id is about the connection itself, such as that there are too many.
  if (envelope.kind === "failure" && envelope.id === 0) throw envelope.failure;
  return envelope;
}

/** The identity with which one calls. */
export interface CallingAs {
  /** The name of the peer that calls. */
  readonly name?: string | undefined;
  /** The key that is proven. A caller without one stays a stranger, with few rights. */
  readonly identity?: Identity | undefined;
  readonly roomKey?: RoomKey | undefined;
  /** What is called. The proof is valid only there. Default: a peer. */
  readonly called?: Channel["called"] | undefined;
  /**
   * Whether to go on before the other side has accepted the proof. When it does not, that is the
   * failure of what is asked next. Default: false.
   */
  readonly goesOn?: boolean | undefined;
}

/**
 * Says HELLO on a new connection, and proves the caller's identity.
 *
 * @returns The name of the peer at the other end. Undefined for an index.
 * @throws {Failure} The other side's failure, such as "no-member" and "wrong-key".
 * "index-unreachable" when an index is called and a peer answers.
 */
export async function greet(connection: Connection, options: AskOptions & CallingAs = {}): Promise<string | undefined> {
  const { name, identity, roomKey, called = "peer", goesOn = false, ...rest } = options;
  const asking = makeNonce();
  const ours = {
    version: PROTOCOL_VERSION,
    software: SOFTWARE,
    nonce: asking,
    name,
  };
  const startMs = performance.now();
  const { data } = await ask(connection, Hello, ours, rest);
  connection.roundTripMs = performance.now() - startMs;
  connection.trust();
  if (called === "index" && data.name !== undefined) {
    throw new Failure("index-unreachable", `${formatAddress(connection.remote)} is a peer, not an index`, {
      hint: "name the index that this peer has joined: --index HOST:PORT",
    });
  }
  if (identity !== undefined) {
    const channel = { asked: data.nonce, asking, called, calledId: connection.calledId };
    const accepted = ask(connection, Prove, await prove(channel, identity, roomKey), { ...rest, isVital: true });
    if (goesOn) accepted.catch(() => {});
    else await accepted;
  }
  return data.name;
}

/** A random nonce. */
export function makeNonce(): string {
  return crypto.getRandomValues(new Uint8Array(NONCE_BYTES)).toHex();
}

/**
 * Many requests at a time over one connection, answered in any order, with news in between. Not for
 * replies with a body.
 */
export class Caller {
  readonly connection: Connection;
  readonly #waiting = new Map<number, { resolve: (envelope: Envelope) => void; reject: (failure: Failure) => void }>();
  #lastId = 0;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /**
   * Sends one request.
   *
   * @throws {Failure} The other side's failure, "closed" when the connection ends before the
   * answer, or "timeout".
   */
  async call<D, R>(message: Request<D, R>, data: D): Promise<R> {
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Envelope>();
    if (this.connection.ended !== undefined) throw this.connection.ended;
    this.#waiting.set(id, { resolve, reject });
    const timer = setTimeout(
      () => reject(new Failure("timeout", `No answer to ${message.method} for ${REPLY_WAIT_MS / 1000} s`)),
      REPLY_WAIT_MS,
    );
    try {
      // Not awaited before the reply: both fail together when the connection ends, and only one of
      // them is handled.
      const [envelope] = await Promise.all([promise, this.connection.send(encodeRequest(message, data, id))]);
      return readReply(message, envelope).data;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /**
   * Reads the connection until it ends. Gives replies to their callers and news to `onNews`.
   * Requests that still wait then fail with the reason.
   *
   * @returns Why the connection ended.
   */
  async run(onNews: (event: string, data: unknown) => void, options: { waitMs: number }): Promise<Failure> {
    let why = new Failure("closed", "The other side closed the connection");
    try {
      for (let envelope; (envelope = await this.connection.receive(options)) !== null;) {
        // A failure that answers nothing is about the connection itself, such as that there are too
        // many.
        if (envelope.kind === "failure" && envelope.id === 0) throw envelope.failure;
        if (envelope.kind === "request") throw new Failure("malformed", "Got a request where replies were expected");
        if (envelope.kind === "news") onNews(envelope.event, envelope.data);
        else this.#waiting.get(envelope.id)?.resolve(envelope);
      }
    } catch (thrown) {
      why = Failure.from(thrown, "closed", "Cannot read on");
    }
    this.connection.close(why);
    for (const { reject } of this.#waiting.values()) reject(why);
    return why;
  }
}

/**
 * The data of a reply.
 *
 * @throws {Failure} The other side's failure. "malformed" when it answers something else.
 */
export function readReply<D, R>(message: Request<D, R>, envelope: Envelope): ReplyWithBody<R> {
  if (envelope.kind === "failure") throw envelope.failure;
  if (envelope.kind !== "reply" || envelope.status !== `${message.method}_OK`) {
    throw new Failure("malformed", `Got another answer than ${message.method}_OK`);
  }
  if (envelope.body > 0 && !message.body) throw new Failure("malformed", `Got a body after ${envelope.status}`);
  return { data: message.reply.check(envelope.data, envelope.status), bodyBytes: envelope.body };
}
