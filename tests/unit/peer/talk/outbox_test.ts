/**
 * The sending side of messages against receivers that behave badly, over connections in memory.
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../../../lib/core/flow/clock.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { OUTBOX_PER_PEER_MAX } from "../../../../lib/core/limits.ts";
import type { Connection } from "../../../../lib/net/connection.ts";
import type { ReachedPeer } from "../../../../lib/peer/find/contacts.ts";
import { Outbox, type OutboxEvent } from "../../../../lib/peer/talk/outbox.ts";
import { encodeFailure, encodeReply } from "../../../../lib/protocol/envelope.ts";
import type { DataOf } from "../../../../lib/protocol/message.ts";
import { Tell } from "../../../../lib/protocol/talk.ts";
import { State } from "../../../../lib/store/state/state.ts";
import { connectionPair } from "../../../support/connections.ts";
import { TempFolder } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

type Message = DataOf<typeof Tell>;

/** What a receiver does with one message. */
type Reaction = (message: Message, connection: Connection, id: number) => Promise<void> | void;

const acknowledge: Reaction = ({ number }, connection, id) => connection.send(encodeReply(Tell, { last: number }, id));
const refuse: Reaction = (_, connection, id) => connection.send(encodeFailure(new Failure("refused", "No"), id));
const hangUp: Reaction = (_, connection) => connection.close();
const ignore: Reaction = () => {};

/**
 * A sender, and a receiver with one reaction for each message; after the last reaction it
 * acknowledges all messages.
 */
class Pair implements AsyncDisposable {
  readonly outbox: Outbox;
  readonly received: Message[] = [];
  readonly events: OutboxEvent[] = [];
  readonly state: State;
  isHere = true;
  connections = 0;
  /** Ends the wait of a delivery without a new message, or the wait for the next attempt. */
  endWait: () => void = () => {};
  readonly #reactions: Reaction[];
  readonly #stack = new AsyncDisposableStack();

  constructor(folder: TempFolder, ...reactions: Reaction[]) {
    this.#reactions = reactions;
    this.state = this.#stack.use(State.open(folder.at("recess.db")));
    const row = { name: "rui", id: "ab".repeat(32), certificate: "", host: "h", port: 1, plain: false, files: 0 };
    this.outbox = this.#stack.use(
      new Outbox({
        state: this.state,
        clock: { now: systemClock.now, delay: (ms, signal) => this.#delay(ms, signal) },
        random: () => 0,
        self: () => "ana",
        queries: { lookUp: () => Promise.resolve(this.isHere ? { ...row, bytes: 0 } : undefined) },
        contacts: { reach: () => this.#reach(row), reachRow: () => this.#reach(row) },
        onEvent: (event) => this.events.push(event),
      }),
    );
  }

  texts(): string[] {
    return this.received.map(({ text }) => text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #delay(ms: number, signal?: AbortSignal): Promise<void> {
    const ended = Promise.withResolvers<void>();
    this.endWait = ended.resolve;
    await Promise.race([systemClock.delay(ms, signal), ended.promise]);
  }

  #reach(peer: ReachedPeer["peer"]): Promise<ReachedPeer> {
    if (!this.isHere) return Promise.reject(new Failure("not-found", "There is no such peer here"));
    this.connections += 1;
    const [connection, theirs] = connectionPair();
    void this.#serve(theirs);
    return Promise.resolve({ peer, connection, [Symbol.dispose]: () => connection.close() });
  }

  async #serve(connection: Connection): Promise<void> {
    while (true) {
      const envelope = await connection.receive({ waitMs: 60_000 }).catch(() => null);
      if (envelope?.kind !== "request") return connection.close();
      const message = Tell.data.check(envelope.data, Tell.method);
      this.received.push(message);
      await (this.#reactions.shift() ?? acknowledge)(message, connection, envelope.id);
    }
  }
}

Deno.test("Outbox sends a message that is not acknowledged again under its number", async () => {
  await using temp = await TempFolder.make();
  await using pair = new Pair(temp, ignore, hangUp);
  const start = performance.now();
  assertEquals((await pair.outbox.tell("rui", "a")).waitsFor, undefined);
  assertEquals(performance.now() - start > 1_900, true);
  assertEquals(pair.texts(), ["a", "a", "a"]);
  assertEquals(new Set(pair.received.map(({ number }) => number)).size, 1);
  await pair.outbox.tell("rui", "b");
  assertEquals([pair.texts().at(-1), pair.connections], ["b", 3]);
});

Deno.test("Outbox keeps a message after three resends, reports that, and delivers it at the next attempt", async () => {
  await using temp = await TempFolder.make();
  await using pair = new Pair(temp, hangUp, hangUp, hangUp, hangUp);
  assertEquals((await pair.outbox.tell("rui", "a")).waitsFor?.code, "closed");
  assertEquals(pair.texts(), ["a", "a", "a", "a"]);
  assertEquals((await pair.outbox.tell("rui", "b")).waitsFor, undefined);
  assertEquals(pair.texts().slice(4), ["a", "b"]);
  // The delivery of a message that was reported as waiting is also reported.
  const [event] = await eventually("it is told", () => pair.events.length > 0 && pair.events);
  assertEquals(event, { event: "delivered", peer: "rui", id: "ab".repeat(32), count: 1 });
});

Deno.test("Outbox gives up a message that its receiver refuses, and delivers the next one", async () => {
  await using temp = await TempFolder.make();
  await using pair = new Pair(temp, refuse);
  const [first, second] = [pair.outbox.tell("rui", "a"), pair.outbox.tell("rui", "b")];
  assertEquals((await assertRejects(() => first, Failure)).code, "refused");
  assertEquals((await second).waitsFor, undefined);
  assertEquals(pair.state.talk.history({ limit: 9 }).map(({ state }) => state), ["refused", "delivered"]);
});

Deno.test("Outbox continues above the receiver's numbers after it has lost count", async () => {
  await using temp = await TempFolder.make();
  const last = Date.now() + 1_000_000;
  await using pair = new Pair(temp, (_, connection, id) => connection.send(encodeReply(Tell, { last }, id)));
  await Promise.all(["a", "b", "c"].map((text) => pair.outbox.tell("rui", text)));
  assertEquals(pair.texts(), ["a", "a", "b", "c"]);
  assertEquals(pair.received.slice(1).map(({ number }) => number), [last + 1, last + 2, last + 3]);
});

Deno.test("Outbox keeps a bounded number of messages for a peer that is away", async () => {
  await using temp = await TempFolder.make();
  await using pair = new Pair(temp);
  pair.state.people.rememberPeer("rui", "ab".repeat(32));
  pair.isHere = false;
  for (let each = 0; each < OUTBOX_PER_PEER_MAX; each++) {
    assertEquals((await pair.outbox.tell("rui", String(each))).waitsFor?.code, "unreachable");
  }
  assertEquals((await assertRejects(() => pair.outbox.tell("rui", "x"), Failure)).code, "busy");
  assertEquals([pair.connections, pair.events], [0, []]);
});

Deno.test("Outbox delivers a message that is stored while a delivery ends", async () => {
  await using temp = await TempFolder.make();
  await using pair = new Pair(temp);
  for (let turns = 0; turns < 30; turns++) {
    await pair.outbox.tell("rui", `before ${turns}`);
    // Lets the delivery begin to wait for another message, which this test ends.
    await new Promise((resolve) => setTimeout(resolve, 0));
    pair.endWait();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    assertEquals((await pair.outbox.tell("rui", `after ${turns}`)).waitsFor, undefined, `after ${turns} turns`);
  }
  assertEquals(pair.received.length, 60);
});
