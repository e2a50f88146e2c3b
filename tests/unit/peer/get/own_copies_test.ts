/**
 * What a peer knows about its own copies: changed ones with the same size and time, unreadable
 * ones, equal ones. Real sockets and folders, one process.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import { Room, type RoomPeer } from "../../../support/room.ts";
import { sameFiles, type TempFolder } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

async function get({ peer }: RoomPeer, what: string): Promise<boolean> {
  const { alreadyHere, failed } = await peer.transfers.start(await peer.directory.resolve(what), { kind: "folder" })
    .result;
  assertEquals(failed, []);
  return alreadyHere;
}

/**
 * Changes a byte of a file and sets its time back. The change of the file only shows in another
 * second.
 */
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

/**
 * Changes a file of the peer ana without a change of size and time, while she is away or here, and
 * fetches it.
 */
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

Deno.test("a change that keeps size and time is reported to the owner once, and can be fetched", async () => {
  await changedUnseen({ restarts: false });
});

Deno.test("a change that keeps size and time while the peer is off is noticed at its next start", async () => {
  await changedUnseen({ restarts: true });
});

Deno.test("a damaged copy does not count as here: the content is fetched beside it", async () => {
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

/**
 * Damages a file of a peer that is closed, as if the disk had changed it: the peer remembers what
 * the system now reports about the file.
 */
async function rot(folder: TempFolder, name: string): Promise<void> {
  await damage(folder.at(name), PIECE_BYTES);
  const { ctime } = await Deno.stat(folder.at(name));
  const state = new DatabaseSync(folder.at(".recess/recess.db"));
  state.prepare("UPDATE pieces SET changed = ? WHERE name = ?").run(ctime?.getTime() ?? 0, name);
  state.close();
}

Deno.test("a copy with changed bytes but the same size and times does not count as here", async () => {
  await using room = await Room.open();
  const folder = await room.folder();
  await folder.file("film.bin", 2 * PIECE_BYTES);
  await room.peer("ana", folder);
  await room.hashed("ana", "film.bin");
  const own = await room.folder();
  const first = await room.peer("rui", own);
  assertEquals(await get(first, "film.bin"), false);
  await first.peer[Symbol.asyncDispose]();
  await rot(own, "film.bin");
  const rui = await room.peer("rui", own);
  await room.hashed("rui", "film.bin");
  assertEquals(troubles(rui), []);
  assertEquals(await get(rui, "film.bin"), false);
  assert(await sameFiles(own.at("(1) film.bin"), folder.at("film.bin")));
  assertEquals(troubles(rui), ["other-bytes film.bin"]);
  assertEquals(await get(rui, "film.bin"), true);
});

Deno.test("a changed file with the same size and times is verified when fetched alone, not with a folder", async () => {
  await using room = await Room.open();
  const folder = await room.folder();
  for (const name of ["a.bin", "b.bin"]) await folder.file(`album/${name}`, 2 * PIECE_BYTES, name.charCodeAt(0));
  await room.peer("ana", folder);
  for (const name of ["a.bin", "b.bin"]) await room.hashed("ana", `album/${name}`);
  const own = await room.folder();
  const first = await room.peer("rui", own);
  assertEquals(await get(first, "album/"), false);
  await first.peer[Symbol.asyncDispose]();
  await rot(own, "album/a.bin");
  const rui = await room.peer("rui", own);
  await room.hashed("rui", "album/a.bin");
  assertEquals(await get(rui, "album/"), true);
  assertEquals(await get(rui, "album/a.bin"), false);
  assert(await sameFiles(own.at("album/(1) a.bin"), folder.at("album/a.bin")));
});

Deno.test("a peer with equal files sends any of them that it can open", async () => {
  await using room = await Room.open();
  const folder = await room.folder();
  const copies = ["a.bin", "b.bin", "c.bin"];
  for (const name of copies) await folder.file(name, 2 * PIECE_BYTES, 7);
  const ana = await room.peer("ana", folder);
  for (const name of copies) await room.hashed("ana", name);
  const rui = await room.peer("rui");
  const wanted = await rui.peer.directory.resolve("c.bin");
  // Two copies disappear, and are asked for before the system reports it.
  for (const name of copies.slice(0, 2)) await Deno.remove(folder.at(name));
  const { path } = await rui.peer.transfers.start(wanted, { kind: "folder" }).result;
  assertEquals(path, rui.folder.at("c.bin"));
  assertEquals(troubles(ana), []);
});

Deno.test("a file that cannot be read is reported to its owner once", async () => {
  await using room = await Room.open();
  // The memory of this process is a file without readable first bytes.
  const memory = await Deno.realPath("/proc/self/mem");
  const ana = await room.peer("ana", undefined, { elsewhere: new Map([["memory.bin", memory]]) });
  await eventually("its owner is warned", () => troubles(ana).length > 0);
  assertEquals(troubles(ana), ["unreadable memory.bin"]);
});

Deno.test("a file with a name that is not Unicode is reported once, and other files are shared", async () => {
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
