/**
 * The requests about an inbox that other peers may send. While a file is put, this peer asks the
 * sender for it over the same connection: see lib/protocol/inbox.ts. Called by peer.ts.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { CLOSE_WAIT_MS, QUEUED_EVERY_MS, TAKEN_EVERY_MS } from "../../core/limits.ts";
import { type Answer, type Route, route } from "../../net/answerer.ts";
import type { Connection } from "../../net/connection.ts";
import { encodeFailure, encodeNews } from "../../protocol/envelope.ts";
import { Put, Remove, Taken } from "../../protocol/inbox.ts";
import type { DataOf, ReplyOf } from "../../protocol/message.ts";
import type { Visit } from "../serve/visit.ts";
import type { Inbox } from "./inbox.ts";

/** The routes of an inbox. */
export function inboxRoutes(inbox: Inbox): readonly Route<Visit>[] {
  return [
    {
      method: Put.method,
      async answer(visit, data, id) {
        using progress = new Progress(visit.connection);
        try {
          return await route(Put, (_: Visit, offered) => put(inbox, visit, offered, progress)).answer(visit, data, id);
        } catch (thrown) {
          // Once this peer has asked for bytes, the sender may be in the middle of a body. So the
          // failure is sent to it, and what still arrives is ignored.
          if (progress.hasBegun) await giveUp(visit.connection, thrown, id);
          throw thrown;
        }
      },
    },
    route(Remove, (visit: Visit, data) => remove(inbox, visit, data)),
  ];
}

async function put(
  inbox: Inbox,
  visit: Visit,
  data: DataOf<typeof Put>,
  progress: Progress,
): Promise<Answer<ReplyOf<typeof Put>>> {
  inbox.checkOpen();
  const reply = await inbox.take({
    who: await visit.who(),
    connection: visit.connection,
    allow: () => visit.allow({ kind: "upload", ...data }),
    reportPlace: (before) => visit.reportPlace(before),
    reportProgress: (done, checking) => progress.note(done, checking),
  }, data);
  return { data: reply };
}

async function remove(
  inbox: Inbox,
  visit: Visit,
  { name }: DataOf<typeof Remove>,
): Promise<Answer<ReplyOf<typeof Remove>>> {
  inbox.checkOpen();
  return { data: { name: await inbox.takeBack(await visit.who(), name) } };
}

/**
 * Reports to the sender how much has arrived: soon after each change, and now and then when nothing
 * changes.
 */
class Progress implements Disposable {
  readonly #connection: Connection;
  #timer: ReturnType<typeof setInterval> | undefined;
  #now = { done: 0, checking: true };
  #reported: { done: number; checking: boolean } | undefined;
  #reportedMs = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Whether anything has been reported. */
  get hasBegun(): boolean {
    return this.#reported !== undefined;
  }

  note(done: number, checking: boolean): void {
    this.#now = { done, checking };
    if (this.#timer === undefined || this.#reported?.checking !== checking) this.#report();
    this.#timer ??= setInterval(() => this.#reportIfDue(), TAKEN_EVERY_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #reportIfDue(): void {
    if (this.#now !== this.#reported || performance.now() - this.#reportedMs > QUEUED_EVERY_MS) this.#report();
  }

  #report(): void {
    this.#reported = this.#now;
    this.#reportedMs = performance.now();
    // When the connection has ended, the next read from it fails.
    this.#connection.send(encodeNews(Taken, this.#now)).catch(() => {});
  }
}

/**
 * Sends a failure, and ignores what still arrives until the other side closes; but not for long.
 */
async function giveUp(connection: Connection, thrown: unknown, id: number): Promise<void> {
  const timer = setTimeout(() => connection.close(), CLOSE_WAIT_MS);
  const scratch = new Uint8Array(64 * 1024);
  try {
    await connection.send(encodeFailure(Failure.from(thrown, "internal", "Cannot accept the file"), id));
    while (true) await connection.readBody(scratch);
  } catch {
    // Closed, by the other side or by the timer.
  } finally {
    clearTimeout(timer);
    connection.close();
  }
}
