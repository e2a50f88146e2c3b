/**
 * Somebody that sends without end. What it sends has arrived already, so that it can be read
 * without waiting.
 * @module
 */

import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { ask } from "../../../lib/net/caller.ts";
import { encodeNews, encodeReply, encodeRequest } from "../../../lib/protocol/envelope.ts";
import { Queued } from "../../../lib/protocol/files.ts";
import { Ping } from "../../../lib/protocol/presence.ts";
import { connectionReading } from "../../support/connections.ts";

const CHUNK_BYTES = 64 * 1024;

/** Counts turns of the event loop, and the most of something in one of them. */
class TurnCounter implements Disposable {
  turns = 0;
  most = 0;
  #inTurn = 0;
  readonly #timer = setInterval(() => {
    this.turns += 1;
    this.#inTurn = 0;
  }, 0);

  count(): void {
    this.most = Math.max(this.most, ++this.#inTurn);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function repeated(line: Uint8Array, times: number, last: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(line.length * times + last.length);
  for (let count = 0; count < times; count++) bytes.set(line, count * line.length);
  bytes.set(last, line.length * times);
  return bytes;
}

Deno.test("ask() takes few news in one turn of the event loop", async () => {
  const NEWS = 500;
  const bytes = repeated(encodeNews(Queued, { before: 1 }), NEWS, encodeReply(Ping, {}, 1));
  using connection = connectionReading(bytes, CHUNK_BYTES);
  using counter = new TurnCounter();
  await ask(connection, Ping, {}, { onNews: () => counter.count() });
  assertLess(counter.most, NEWS / 10);
});

Deno.test("Connection lets others have a turn while messages come without end", async () => {
  const MESSAGES = 150_000;
  using connection = connectionReading(repeated(encodeRequest(Ping, {}, 2), MESSAGES), CHUNK_BYTES);
  using counter = new TurnCounter();
  let received = 0;
  while (await connection.receive({ waitMs: 5_000 }) !== null) received += 1;
  assertEquals(received, MESSAGES);
  assertGreater(counter.turns, 2);
});
