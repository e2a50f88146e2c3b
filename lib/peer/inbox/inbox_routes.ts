/**
 * What peers may ask of an inbox. While a file is put, the connection is used the other way round: see lib/protocol/inbox.ts.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { CLOSE_WAIT_MS, QUEUED_EVERY_MS, TAKEN_EVERY_MS } from "../../core/limits.ts";
import { type Answer, type Route, route } from "../../net/answerer.ts";
import type { Connection } from "../../net/connection.ts";
import { encodeFailure, encodeNews } from "../../protocol/envelope.ts";
import { Put, Remove, Taken } from "../../protocol/inbox.ts";
import type { DataOf, ReplyOf } from "../../protocol/message.ts";
import type { Visit } from "../serve/host.ts";

/** The routes of an inbox. */
export const INBOX_ROUTES: readonly Route<Visit>[] = [
  {
    method: Put.method,
    async answer(visit, data, id) {
      using progress = new Progress(visit.connection);
      try {
        return await route(Put, (_: Visit, offered) => put(visit, offered, progress)).answer(visit, data, id);
      } catch (thrown) {
        // Once it was asked for, the sender may be in the middle of a body: it is told, and what still comes means nothing.
        if (progress.hasBegun) await giveUp(visit.connection, thrown, id);
        throw thrown;
      }
    },
  },
  route(Remove, remove),
];

async function put(
  visit: Visit,
  data: DataOf<typeof Put>,
  progress: Progress,
): Promise<Answer<ReplyOf<typeof Put>>> {
  const { inbox } = visit.host.parts;
  inbox.demandOpen();
  const reply = await inbox.take({
    who: await visit.who(),
    connection: visit.connection,
    allow: () => visit.allow({ kind: "upload", ...data }),
    tellPlace: (before) => visit.tellPlace(before),
    tellProgress: (done, checking) => progress.note(done, checking),
  }, data);
  return { data: reply };
}

async function remove(visit: Visit, { name }: DataOf<typeof Remove>): Promise<Answer<ReplyOf<typeof Remove>>> {
  const { inbox } = visit.host.parts;
  inbox.demandOpen();
  return { data: { name: await inbox.takeBack(await visit.who(), name) } };
}

/** Tells how much is here: soon when there is more, and now and then in any case. */
class Progress implements Disposable {
  readonly #connection: Connection;
  #timer: ReturnType<typeof setInterval> | undefined;
  #now = { done: 0, checking: true };
  #told: { done: number; checking: boolean } | undefined;
  #toldMs = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Whether anything was told. */
  get hasBegun(): boolean {
    return this.#told !== undefined;
  }

  note(done: number, checking: boolean): void {
    this.#now = { done, checking };
    if (this.#timer === undefined || this.#told?.checking !== checking) this.#tell();
    this.#timer ??= setInterval(() => this.#tellIfDue(), TAKEN_EVERY_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #tellIfDue(): void {
    if (this.#now !== this.#told || performance.now() - this.#toldMs > QUEUED_EVERY_MS) this.#tell();
  }

  #tell(): void {
    this.#told = this.#now;
    this.#toldMs = performance.now();
    // Whoever reads the connection hears that it is over.
    this.#connection.send(encodeNews(Taken, this.#now)).catch(() => {});
  }
}

/** Tells a failure and passes over what still arrives, until the other side has heard and closes; not for long. */
async function giveUp(connection: Connection, thrown: unknown, id: number): Promise<void> {
  const timer = setTimeout(() => connection.close(), CLOSE_WAIT_MS);
  const scratch = new Uint8Array(64 * 1024);
  try {
    await connection.send(encodeFailure(Failure.from(thrown, "internal", "Cannot take the file"), id));
    while (true) await connection.readBody(scratch);
  } catch {
    // Closed, by the other side or the timer.
  } finally {
    clearTimeout(timer);
    connection.close();
  }
}
