/**
 * How many questions a peer asks its index, by the counter that the index shows at `/metrics`.
 * @module
 */

import { assertEquals } from "@std/assert";
import { IndexMetrics } from "../../../../lib/server/index_metrics.ts";
import { IndexServer } from "../../../../lib/server/index_server.ts";
import { SESSION_ROUTES } from "../../../../lib/server/session_routes.ts";
import { readExposition, valueOf } from "../../../support/exposition.ts";
import { Room, type RoomPeer } from "../../../support/room.ts";
import { OPEN, put } from "../../../support/senders.ts";

/** Two peers, `ana` and `rui`, and an index that counts what they ask. */
class CountingRoom implements AsyncDisposable {
  readonly #room: Room;
  readonly #server: IndexServer;
  readonly #metrics: IndexMetrics;

  private constructor(room: Room, server: IndexServer, metrics: IndexMetrics) {
    this.#room = room;
    this.#server = server;
    this.#metrics = metrics;
  }

  static async open(): Promise<CountingRoom> {
    const room = await Room.open();
    const metrics = new IndexMetrics({ methods: SESSION_ROUTES.keys(), operations: [] });
    const address = { host: "127.0.0.1", port: 0 };
    const server = await IndexServer.listen(address, { index: room.index, journal: () => {}, metrics });
    return new CountingRoom(room, server, metrics);
  }

  async peer(name: string): Promise<RoomPeer> {
    return await this.#room.peer(name, undefined, { indexes: [this.#server.address], inbox: OPEN });
  }

  /** How many PEERS questions the index has answered while `work` ran. */
  async peersAskedBy(work: () => Promise<unknown>): Promise<number> {
    const before = await this.#peersAsked();
    await work();
    return await this.#peersAsked() - before;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await this.#room[Symbol.asyncDispose]();
  }

  async #peersAsked(): Promise<number> {
    const text = await this.#metrics.exposition(this.#room.index, this.#server.state);
    return valueOf(readExposition(text), 'recess_requests_total{method="PEERS"}');
  }
}

Deno.test("a first message costs the index one question of each side, the next message none", async () => {
  await using room = await CountingRoom.open();
  const [ana] = [await room.peer("ana"), await room.peer("rui")];
  assertEquals(await room.peersAskedBy(() => ana.peer.outbox.tell("rui", "hello")), 2);
  assertEquals(await room.peersAskedBy(() => ana.peer.outbox.tell("rui", "again")), 0);
});

Deno.test("listing a peer's files costs the index one question about the peer", async () => {
  await using room = await CountingRoom.open();
  const [ana] = [await room.peer("ana"), await room.peer("rui")];
  assertEquals(await room.peersAskedBy(() => ana.peer.directory.list("rui")), 1);
});

Deno.test("putting a file costs the index two questions of the sender and one of the receiver", async () => {
  await using room = await CountingRoom.open();
  const [ana] = [await room.peer("ana"), await room.peer("rui")];
  const file = await ana.folder.file("notes.txt", 100);
  assertEquals(await room.peersAskedBy(() => put(ana, file, "rui")), 3);
});
