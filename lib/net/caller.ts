/**
 * The asking side of a connection: sends requests, gives each its reply by id, and hands news to whoever listens. Called by
 * lib/peer/index_session.ts, which asks and listens at the same time, and by lib/transfer, which reads bodies.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { REPLY_WAIT_MS } from "../core/limits.ts";
import { PROTOCOL_VERSION, SOFTWARE } from "../core/version.ts";
import { encodeRequest, type Envelope } from "../protocol/envelope.ts";
import { Hello } from "../protocol/hello.ts";
import type { Request } from "../protocol/message.ts";
import type { Connection } from "./connection.ts";

/** A reply whose body, `bodyBytes` of it, is next on the connection. */
export interface ReplyWithBody<R> {
  readonly data: R;
  readonly bodyBytes: number;
}

/**
 * Asks one thing and reads until its answer, for connections on which nothing else is under way. The body, if any, is next on the
 * connection. Fails: as the other side says; "malformed" when it answers something else.
 */
export async function ask<D, R>(
  connection: Connection,
  message: Request<D, R>,
  data: D,
  options: { waitMs?: number } = {},
): Promise<ReplyWithBody<R>> {
  const id = 1;
  await connection.send(encodeRequest(message, data, id));
  while (true) {
    const envelope = await connection.receive({ waitMs: options.waitMs ?? REPLY_WAIT_MS });
    if (envelope === null) throw new Failure("closed", `No answer to ${message.method}: the other side closed`);
    if (envelope.kind === "news") continue;
    return readReply(message, envelope);
  }
}

/** Says HELLO on a new connection. Shape: the name of the peer at the other end; undefined for an index. */
export async function greet(connection: Connection, options: { waitMs?: number } = {}): Promise<string | undefined> {
  const { data } = await ask(connection, Hello, { version: PROTOCOL_VERSION, software: SOFTWARE }, options);
  connection.trust();
  return data.name;
}

/** Many requests at a time over one connection, answered in any order, with news in between. Replies with a body are not for this class. */
export class Caller {
  readonly connection: Connection;
  readonly #waiting = new Map<number, { resolve: (envelope: Envelope) => void; reject: (failure: Failure) => void }>();
  #lastId = 0;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** Asks one thing. Fails: as the other side says; "closed" when the connection ends before the answer; "timeout". */
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
      // Not awaited before the reply: both fail together when the connection ends, and only one of them is to be handled.
      const [envelope] = await Promise.all([promise, this.connection.send(encodeRequest(message, data, id))]);
      return readReply(message, envelope).data;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /**
   * Reads the connection until it ends, giving replies to their callers and news to `onNews`. Whatever still waits then fails with why.
   * Shape: why the connection ended.
   */
  async run(onNews: (event: string, data: unknown) => void, options: { waitMs: number }): Promise<Failure> {
    let why = new Failure("closed", "The other side closed the connection");
    try {
      for (let envelope; (envelope = await this.connection.receive(options)) !== null;) {
        // A failure that answers nothing is about the connection itself: too many here, say.
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

function readReply<D, R>(message: Request<D, R>, envelope: Envelope): ReplyWithBody<R> {
  if (envelope.kind === "failure") throw envelope.failure;
  if (envelope.kind !== "reply" || envelope.status !== `${message.method}_OK`) {
    throw new Failure("malformed", `Got another answer than ${message.method}_OK`);
  }
  if (envelope.body > 0 && !message.body) throw new Failure("malformed", `Got a body after ${envelope.status}`);
  return { data: message.reply.check(envelope.data, envelope.status), bodyBytes: envelope.body };
}
