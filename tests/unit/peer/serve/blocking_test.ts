/**
 * Blocked peers get nothing, whatever name they use. Real sockets, real TLS, real folders, one
 * process.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { fingerprint } from "../../../../lib/core/fingerprint.ts";
import { imageFile } from "../../../support/images.ts";
import { Room, type RoomPeer } from "../../../support/room.ts";
import { failing, OPEN, tree } from "../../../support/senders.ts";
import { eventually } from "../../../support/wait.ts";

/** Sends each kind of request to ana, and reports the failure of each. */
async function failures(room: Room, { peer, folder }: RoomPeer): Promise<Record<string, string>> {
  const root = await room.hashed("ana", "film.bin");
  const ways: Record<string, () => Promise<unknown>> = {
    list: () => peer.directory.list("ana"),
    download: async () => {
      const wanted = await peer.directory.resolve(root);
      return await peer.transfers.start(wanted, { kind: "folder" }).result;
    },
    put: async () => await peer.puts.start(await folder.file("work.bin", 1000), "ana").result,
    takeBack: () => peer.puts.takeBack("work.bin", "ana"),
    tell: () => peer.outbox.tell("ana", "let me in"),
    show: async () => await peer.pictures.show("ana", await imageFile(folder, "a.png", "png", 5000)),
  };
  const found: Record<string, string> = {};
  for (const [way, run] of Object.entries(ways)) found[way] = (await failing(run)).code;
  return found;
}

Deno.test("a blocked peer is refused everything, also under another name, until it is unblocked", async () => {
  await using room = await Room.open();
  let ana = await room.peer("ana", undefined, { inbox: OPEN });
  await ana.folder.file("film.bin", 3_000_000);
  await eventually("ana lists it", async () => await room.index.copy("ana", "film.bin"));
  let eva = await room.peer("eva");
  assertEquals(await ana.peer.blocking.block("Eva"), { id: eva.peer.id, name: "eva" });
  const ways = ["list", "download", "put", "takeBack", "tell", "show"];
  const all = Object.fromEntries(ways.map((way) => [way, "refused"]));
  assertEquals(await failures(room, eva), all);
  await eva.peer[Symbol.asyncDispose]();
  await ana.peer[Symbol.asyncDispose]();
  eva = await room.peer("mia", eva.folder);
  ana = await room.peer("ana", ana.folder, { inbox: OPEN });
  assertEquals(await failures(room, eva), all, "another name does not help");
  assertEquals(await tree(ana.folder), ["film.bin"]);
  assertEquals(ana.events, []);
  assertEquals(ana.peer.blocking.list(), [{ id: eva.peer.id, name: "eva" }]);
  assertEquals(ana.peer.contacts.remarks({ name: "mia", id: eva.peer.id }).blocked, true);
  const other = await room.peer("lia");
  await other.peer.directory.list("ana");
  assertEquals(ana.peer.blocking.unblock(fingerprint(eva.peer.id)).name, "eva");
  await eva.peer.directory.list("ana");
});

Deno.test("blocking a peer ends its running downloads at once", async () => {
  await using room = await Room.open();
  const ana = await room.peer("ana", undefined, { up: 1_000_000 });
  await ana.folder.file("film.bin", 60_000_000);
  await eventually("ana lists it", async () => await room.index.copy("ana", "film.bin"));
  const eva = await room.peer("eva");
  const wanted = await eva.peer.directory.resolve("film.bin");
  const { transfer, result } = eva.peer.transfers.start(wanted, { kind: "folder" });
  const ended = failing(() => result);
  await eventually("some of it is there", () => transfer.view().done > 0);
  await ana.peer.blocking.block("eva");
  assertEquals((await ended).code, "refused");
  assert(transfer.view().done < 30_000_000);
});

Deno.test("block accepts a name, an earlier name or a key, but not this peer's own", async () => {
  await using room = await Room.open();
  const ana = await room.peer("ana");
  const eva = await room.peer("eva");
  const { id } = eva.peer;
  assertEquals((await failing(() => ana.peer.blocking.block("nobody"))).code, "not-found");
  assertEquals((await failing(() => ana.peer.blocking.block("ana"))).code, "usage");
  assertEquals((await failing(() => Promise.resolve().then(() => ana.peer.blocking.unblock("eva")))).code, "not-found");
  assertEquals((await ana.peer.blocking.block(fingerprint(id))).id, id);
  ana.peer.blocking.unblock("EVA");
  await ana.peer.directory.list("eva");
  await eva.peer[Symbol.asyncDispose]();
  assertEquals((await ana.peer.blocking.block("eva")).id, id);
});
