/**
 * What a peer knows of its own copies: those that changed without changing size and time, those that cannot be read, those that are equal. Real
 * sockets and folders, one process.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import { Room, type RoomPeer } from "../../../support/room.ts";
import { sameFiles } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

async function get({ peer }: RoomPeer, what: string): Promise<boolean> {
  const { alreadyHere, failed } = await peer.transfers.start(await peer.directory.resolve(what), { kind: "folder" })
    .result;
  assertEquals(failed, []);
  return alreadyHere;
}

/** Changes a byte of a file, and sets its time back. That the file was touched shows in another second only. */
async function damage(path: string, at: number): Promise<void> {
  const { mtime, atime, ctime } = await Deno.stat(path);
  await eventually("the next second", () => Date.now() > (ctime?.getTime() ?? 0) + 1_100);
  using file = await Deno.open(path, { read: true, write: true });
  const byte = new Uint8Array(1);
  await file.seek(at, Deno.SeekMode.Start);
  await file.read(byte);
  await file.seek(at, Deno.SeekMode.Start);
  await file.write(byte.map((each) => each ^ 1));
  await file.utime(atime ?? 0, mtime ?? 0);
}

const troubles = ({ events }: RoomPeer): string[] =>
  events.flatMap((each) =>
    each.event === "other-bytes" || each.event === "unreadable" || each.event === "unnamable"
      ? `${each.event} ${each.file}`
      : []
  );

/** Changes a file of ana's without changing size and time, before or while she is here, and fetches it. */
async function changedUnseen({ restarts }: { restarts: boolean }): Promise<void> {
  await using room = await Room.open();
  const folder = await room.folder();
  await folder.file("film.bin", 3 * PIECE_BYTES + 1);
  let ana = await room.peer("ana", folder);
  const before = await room.hashed("ana", "film.bin");
  if (restarts) await ana.peer[Symbol.asyncDispose]();
  await damage(folder.at("film.bin"), 2 * PIECE_BYTES);
  if (restarts) ana = await room.peer("ana", folder);
  await eventually("its new root", async () => {
    const root = (await room.index.copy("ana", "film.bin"))?.root;
    return root !== undefined && root !== before;
  });
  assertEquals(troubles(ana), ["other-bytes film.bin"]);
  const rui = await room.peer("rui");
  assertEquals(await get(rui, "film.bin"), false);
  assert(await sameFiles(rui.folder.at("film.bin"), folder.at("film.bin")));
}

Deno.test("a change that keeps size and time is noticed, told to the owner once, and can be fetched", async () => {
  await changedUnseen({ restarts: false });
});

Deno.test("a change that keeps size and time while the peer is off is noticed at its next start", async () => {
  await changedUnseen({ restarts: true });
});

Deno.test("one's own copy that was damaged is not here already: the content is fetched beside it", async () => {
  await using room = await Room.open();
  const folder = await room.folder();
  await folder.file("film.bin", 2 * PIECE_BYTES);
  await room.peer("ana", folder);
  await room.hashed("ana", "film.bin");
  const rui = await room.peer("rui");
  assertEquals(await get(rui, "film.bin"), false);
  assertEquals(await get(rui, "film.bin"), true);
  await damage(rui.folder.at("film.bin"), PIECE_BYTES);
  assertEquals(await get(rui, "film.bin"), false);
  assert(await sameFiles(rui.folder.at("(1) film.bin"), folder.at("film.bin")));
});

Deno.test("one's own copy whose bytes changed, but not its size and times, is not here already", async () => {
  await using room = await Room.open();
  const folder = await room.folder();
  await folder.file("film.bin", 2 * PIECE_BYTES);
  await room.peer("ana", folder);
  await room.hashed("ana", "film.bin");
  const own = await room.folder();
  const first = await room.peer("rui", own);
  assertEquals(await get(first, "film.bin"), false);
  await first.peer[Symbol.asyncDispose]();
  // As if the disk had done it: what the peer remembers of the file is what the system says of it now.
  await damage(own.at("film.bin"), PIECE_BYTES);
  const { ctime } = await Deno.stat(own.at("film.bin"));
  const state = new DatabaseSync(own.at(".recess/recess.db"));
  state.prepare("UPDATE pieces SET changed = ?").run(ctime?.getTime() ?? 0);
  state.close();
  const rui = await room.peer("rui", own);
  await room.hashed("rui", "film.bin");
  assertEquals(troubles(rui), []);
  assertEquals(await get(rui, "film.bin"), false);
  assert(await sameFiles(own.at("(1) film.bin"), folder.at("film.bin")));
  assertEquals(troubles(rui), ["other-bytes film.bin"]);
  assertEquals(await get(rui, "film.bin"), true);
});

Deno.test("of equal files of one owner, any that can be opened is sent", async () => {
  await using room = await Room.open();
  const folder = await room.folder();
  const copies = ["a.bin", "b.bin", "c.bin"];
  for (const name of copies) await folder.file(name, 2 * PIECE_BYTES, 7);
  // A folder that is shared and then gone, before the system has told of it.
  const ana = await room.peer("ana", folder);
  for (const name of copies) await room.hashed("ana", name);
  const rui = await room.peer("rui");
  const wanted = await rui.peer.directory.resolve("c.bin");
  for (const name of copies.slice(0, 2)) await Deno.remove(folder.at(name));
  const { path } = await rui.peer.transfers.start(wanted, { kind: "folder" }).result;
  assertEquals(path, rui.folder.at("c.bin"));
  assertEquals(troubles(ana), []);
});

Deno.test("a file that cannot be read is told to its owner once", async () => {
  await using room = await Room.open();
  // The memory of this process is a file whose first bytes nobody can read.
  const memory = await Deno.realPath("/proc/self/mem");
  const ana = await room.peer("ana", undefined, { elsewhere: new Map([["memory.bin", memory]]) });
  await eventually("its owner is told", () => troubles(ana).length > 0);
  assertEquals(troubles(ana), ["unreadable memory.bin"]);
});

Deno.test("a file whose name is no Unicode text is told to its owner once, and the others are shared", async () => {
  await using room = await Room.open();
  const folder = await room.folder();
  await folder.file("good.txt", 10);
  // Such a name cannot be written in JavaScript.
  const script = 'import os, sys; open(os.path.join(os.fsencode(sys.argv[1]), b"caf\\xe9.txt"), "w").write("x")';
  await new Deno.Command("python3", { args: ["-c", script, folder.path] }).output();
  const ana = await room.peer("ana", folder);
  await room.hashed("ana", "good.txt");
  assertEquals(troubles(ana), ["unnamable caf\ufffd.txt"]);
  assertEquals((await room.index.peer("ana"))?.files, 1);
});
