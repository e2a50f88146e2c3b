/**
 * Messages between peers in one process, over real sockets.
 * @module
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import { TELL_BYTES_MAX, TELLS_PER_SECOND_MAX } from "../../../../lib/core/limits.ts";
import { isPrintable, printable } from "../../../../lib/core/printable.ts";
import { ask, askAll, greet } from "../../../../lib/net/caller.ts";
import type { Connection } from "../../../../lib/net/connection.ts";
import { dial } from "../../../../lib/net/dial.ts";
import { Identity, identityOf } from "../../../../lib/net/identity.ts";
import type { PeerEvent } from "../../../../lib/peer/peer_event.ts";
import { Tell } from "../../../../lib/protocol/talk.ts";
import { describeEvent } from "../../../../lib/shell/screen/events.ts";
import { Room, type RoomPeer } from "../../../support/room.ts";
import { eventually } from "../../../support/wait.ts";

type Event<Kind> = Extract<PeerEvent, { event: Kind }>;

/** The messages that a peer has received. */
function told({ events }: RoomPeer): Event<"told">[] {
  return events.filter((event) => event.event === "told");
}

function texts(peer: RoomPeer): string[] {
  return told(peer).map(({ text }) => text);
}

async function stop({ peer }: RoomPeer): Promise<void> {
  await peer[Symbol.asyncDispose]();
}

/** Connects to a peer by hand, with a key that it does not know. */
async function stranger(room: Room, to: RoomPeer): Promise<Connection> {
  const row = await room.index.peer(to.peer.name);
  const identity = await identityOf(Uint8Array.fromHex(row?.certificate ?? ""));
  const connection = await dial({ host: "127.0.0.1", port: to.peer.address.port }, { identity });
  await greet(connection, { name: "rui", identity: await Identity.make() });
  return connection;
}

Deno.test("a message arrives at once, and its sender is shown with the key while the name is new", async () => {
  await using room = await Room.open();
  const [ana, rui] = [await room.peer("ana"), await room.peer("rui")];
  for (const text of ["Olá 🎓", "are you there?"]) {
    assertEquals(await ana.peer.outbox.tell("RUI", text), { peer: "rui", id: rui.peer.id });
  }
  await rui.peer.outbox.tell("ana", "yes");
  assertEquals(told(rui).map(({ peer, id, key, text }) => [peer, id, key, text]), [
    ["ana", ana.peer.id, "new", "Olá 🎓"],
    ["ana", ana.peer.id, "known", "are you there?"],
  ]);
  // Ana has used rui's name before, so its key is known.
  assertEquals(told(ana).map(({ key, text }) => [key, text]), [["known", "yes"]]);
  const seen = rui.peer.outbox.history({ peer: "Ana", limit: 9 });
  assertEquals(seen.map(({ text, state }) => [text, state]), [
    ["Olá 🎓", "received"],
    ["are you there?", "received"],
    ["yes", "delivered"],
  ]);
});

Deno.test("a peer that was away gets every message in order, also after the sender restarted", async () => {
  await using room = await Room.open();
  const [ana, rui] = [await room.peer("ana"), await room.peer("rui")];
  await ana.peer.outbox.tell("rui", "1");
  await stop(rui);
  for (const text of ["2", "3"]) {
    const { peer, waitsFor } = await ana.peer.outbox.tell("rui", text);
    assertEquals([peer, waitsFor?.code], ["rui", "unreachable"]);
  }
  await stop(ana);
  const later = await room.peer("ana", ana.folder);
  await later.peer.outbox.tell("rui", "4");
  const back = await room.peer("rui", rui.folder);
  await eventually("all has come", () => texts(back).length === 3);
  assertEquals(texts(back), ["2", "3", "4"]);
  await eventually("the sender knows", () => later.events.some((event) => event.event === "delivered"));
  const delivered = later.events.filter((event) => event.event === "delivered").map(({ count }) => count);
  assertEquals(delivered.reduce((sum, count) => sum + count, 0), 3);
  assertEquals(back.peer.outbox.history({ limit: 9 }).map(({ text }) => text), ["1", "2", "3", "4"]);
  assertEquals((await later.peer.outbox.tell("rui", "5")).waitsFor, undefined);
});

Deno.test("a new message to a peer that is back ends the wait for the next attempt", async () => {
  await using room = await Room.open();
  const ana = await room.peer("ana", undefined, { random: () => 1 });
  const rui = await room.peer("rui");
  await ana.peer.outbox.tell("rui", "1");
  await stop(rui);
  for (const text of ["2", "3"]) await ana.peer.outbox.tell("rui", text);
  const back = await room.peer("rui", rui.folder);
  assertEquals((await ana.peer.outbox.tell("rui", "4")).waitsFor, undefined);
  assertEquals(texts(back), ["2", "3", "4"]);
});

Deno.test("messages are kept while the index is unreachable, and are delivered over an open connection", async () => {
  await using room = await Room.open();
  const [ana, rui] = [await room.peer("ana"), await room.peer("rui")];
  const eva = await room.peer("eva");
  await ana.peer.outbox.tell("rui", "1");
  await ana.peer.outbox.tell("eva", "1");
  await stop(eva);
  await room.stopIndex();
  await eventually("it is noticed", () => ana.events.some((event) => event.event === "index-lost"));
  assertEquals((await ana.peer.outbox.tell("rui", "2")).waitsFor, undefined);
  assertEquals((await ana.peer.outbox.tell("eva", "2")).waitsFor?.code, "index-unreachable");
  await assertRejects(() => ana.peer.outbox.tell("leo", "x"), Failure, "no peer of that name is known");
  assertEquals(texts(rui), ["1", "2"]);
  await room.startIndex();
});

Deno.test("tell refuses unknown peers, this peer itself, bad names, and texts that are empty or too long", async () => {
  await using room = await Room.open();
  const [ana, rui] = [await room.peer("ana"), await room.peer("rui")];
  const cases: [peer: string, text: string, code: string][] = [
    ["eva", "hello", "not-found"],
    ["Ana", "hello", "usage"],
    ["\u001b[2J", "hello", "bad-name"],
    ["rui", "x".repeat(TELL_BYTES_MAX + 1), "too-large"],
    ["rui", "学".repeat(TELL_BYTES_MAX / 2), "too-large"],
    ["rui", "", "usage"],
    ["rui", "a\0b", "usage"],
  ];
  for (const [peer, text, code] of cases) {
    assertEquals((await assertRejects(() => ana.peer.outbox.tell(peer, text), Failure)).code, code, peer);
  }
  await ana.peer.outbox.tell("rui", "x".repeat(TELL_BYTES_MAX));
  assertEquals(texts(rui).map((text) => text.length), [TELL_BYTES_MAX]);
});

Deno.test("a known name with another key gets no message until it is trusted", async () => {
  await using first = await Room.open();
  await using second = await Room.open();
  const before = await first.peer("ana");
  const rui = await first.peer("rui");
  await before.peer.outbox.tell("rui", "to the first");
  await stop(rui);
  await before.peer.outbox.tell("rui", "1");
  await stop(before);

  const other = await second.peer("rui");
  const ana = await second.peer("ana", before.folder);
  const held = await eventually("it is told", () => ana.events.find((event) => event.event === "undelivered"));
  assertStringIncludes(describeEvent(held), 'trust "rui"');
  const failure = await assertRejects(() => ana.peer.outbox.tell("rui", "2"), Failure);
  assertEquals(failure.code, "key-changed");
  assertEquals(told(other), []);
  await ana.peer.contacts.trust("rui");
  await ana.peer.outbox.tell("rui", "3");
  assertEquals(texts(other), ["1", "2", "3"]);
  assertEquals(ana.events.filter((event) => event.event === "undelivered").length, 1);
});

Deno.test("a message from a known name with another key is shown with a warning", async () => {
  await using first = await Room.open();
  await using second = await Room.open();
  const before = await first.peer("ana");
  await first.peer("rui");
  await before.peer.outbox.tell("rui", "hello");
  await stop(before);
  const ana = await second.peer("ana", before.folder);
  const other = await second.peer("rui");
  await other.peer.outbox.tell("ana", "it is me");
  assertEquals(told(ana).map(({ key }) => key), ["changed"]);
});

Deno.test("an answer goes only to the key that wrote, not to another key with the same name", async () => {
  await using first = await Room.open();
  await using second = await Room.open();
  const before = await first.peer("ana");
  const rui = await first.peer("rui");
  await rui.peer.outbox.tell("ana", "hello");
  await stop(before);
  const ana = await second.peer("ana", before.folder);
  const other = await second.peer("rui");
  const failure = await assertRejects(() => ana.peer.outbox.tell("rui", "an answer"), Failure);
  assertEquals([failure.code, told(other).length], ["key-changed", 0]);
});

Deno.test("a message cannot control the terminal, and a name that is only claimed is not shown", async () => {
  await using room = await Room.open();
  const ana = await room.peer("ana");
  await room.peer("rui");
  using connection = await stranger(room, ana);
  const text = "\u001b[2J\u001b]0;owned\u0007line 1\nana: I resign\r\u202etxt.exe";
  await ask(connection, Tell, { number: 1, text });
  const [event] = told(ana);
  assert(event !== undefined);
  assertEquals([event.peer, event.key, event.text], ["somebody", "new", text]);
  const shown = printable(describeEvent(event));
  assert(isPrintable(shown) && !shown.includes("\n") && shown.includes("line 1\\nana: I resign"), shown);
});

Deno.test("a peer slows down a sender of many messages, and shows a repeated one once", async () => {
  await using room = await Room.open();
  const ana = await room.peer("ana");
  using connection = await stranger(room, ana);
  const numbers = Array.from({ length: TELLS_PER_SECOND_MAX }, (_, index) => 1 + Math.floor(index / 2));
  const start = performance.now();
  const all = numbers.map((number) => ({ number, text: `message ${number}` }));
  const acknowledged: number[] = [];
  for await (const reply of askAll(connection, Tell, all, { ahead: all.length })) {
    acknowledged.push(reply instanceof Failure ? NaN : reply.data.last);
  }
  assert(performance.now() - start > 500, "a second's worth takes most of a second");
  assertEquals(acknowledged, numbers);
  assertEquals(texts(ana), [...new Set(numbers)].map((number) => `message ${number}`));
  const { data } = await ask(connection, Tell, { number: 3, text: "late" });
  assertEquals(data.last, TELLS_PER_SECOND_MAX / 2);
});
