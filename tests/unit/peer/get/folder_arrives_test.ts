import { assert, assertEquals, assertRejects } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import type { Destination } from "../../../../lib/peer/get/fetching.ts";
import type { TransferResult } from "../../../../lib/peer/get/transfer.ts";
import { askJson } from "../../../support/classmate.ts";
import { Room, type RoomPeer } from "../../../support/room.ts";
import { sameFiles, type TempFolder } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

const LARGE = 2 * PIECE_BYTES + 7;
/** A folder with small and large files, at the top and below. */
const ALBUM: readonly [name: string, size: number][] = [
  ["Album/film.bin", LARGE],
  ["Album/note.txt", 100],
  ["Album/sub/film.bin", LARGE + 1],
  ["Album/sub/note.txt", 101],
];

async function get({ peer }: RoomPeer, what: string, to: Destination = { kind: "folder" }): Promise<TransferResult> {
  return await peer.transfers.start(await peer.directory.resolve(what), to).result;
}

async function share(room: Room, name: string, files: readonly (readonly [string, number])[]): Promise<TempFolder> {
  const folder = await room.folder();
  for (const [file, size] of files) await folder.file(file, size);
  await room.peer(name, folder);
  for (const [file] of files) await room.hashed(name, file);
  return folder;
}

function failedNames({ failed }: TransferResult): string[] {
  return failed.map(({ name }) => name).sort();
}

/** What is in the way of a folder, and the files that cannot be placed because of it. */
const IN_THE_WAY: readonly [what: string, put: (folder: TempFolder) => Promise<unknown>, failed: RegExp][] = [
  ["a file in its place", (own) => own.file("Album", 5), /./],
  ["a link to another folder in its place", async (own) => {
    await own.folder(".elsewhere");
    await Deno.symlink(own.at(".elsewhere"), own.at("Album"));
  }, /./],
  ["a link that leads nowhere in its place", (own) => Deno.symlink(own.at("nowhere"), own.at("Album")), /./],
  ["a file in the place of a sub-folder", (own) => own.file("Album/sub", 5), /sub/],
  ["a link in the place of a sub-folder", async (own) => {
    await own.folder("Album");
    await Deno.symlink(own.path, own.at("Album", "sub"));
  }, /sub/],
];

for (const [what, putInTheWay, expected] of IN_THE_WAY) {
  Deno.test(`get of a folder with ${what} names each file that could not be placed`, async () => {
    await using room = await Room.open();
    const shared = await share(room, "ana", ALBUM);
    const rui = await room.peer("rui");
    await putInTheWay(rui.folder);
    const failing = ALBUM.map(([name]) => name).filter((name) => expected.test(name.slice("Album/".length)));
    const result = await get(rui, "Album/");
    assertEquals([failedNames(result), result.alreadyHere], [failing, false]);
    assertEquals(result.failed.map(({ failure }) => failure.code), failing.map(() => "bad-name"));
    assertEquals(rui.peer.transfers.views()[0]?.state, "failed");
    for (const [name] of ALBUM) {
      if (!failing.includes(name)) assert(await sameFiles(shared.at(name), rui.folder.at(name)), name);
    }
  });
}

Deno.test("get of a folder into a chosen folder names each file that could not be placed there", async () => {
  await using room = await Room.open();
  const shared = await share(room, "ana", ALBUM);
  const [rui, chosen] = [await room.peer("rui"), await room.folder()];
  await chosen.file("sub", 5);
  const result = await get(rui, "Album/", { kind: "path", path: chosen.path });
  assertEquals([result.path, failedNames(result)], [chosen.path, ["Album/sub/film.bin", "Album/sub/note.txt"]]);
  assert(await sameFiles(shared.at("Album/film.bin"), chosen.at("film.bin")));
  const refused = await assertRejects(() => get(rui, "Album/", { kind: "path", path: chosen.at("sub") }), Failure);
  assertEquals(refused.code, "usage");
});

Deno.test("get of a folder names a file that cannot be stored, and downloads the rest", async () => {
  await using room = await Room.open();
  await share(room, "eva", [["Album/ ", 5], ["Album/  /deep.txt", 6], ["Album/more.txt", 7]]);
  const shared = await share(room, "ana", ALBUM);
  const rui = await room.peer("rui");
  const result = await get(rui, "Album/");
  assertEquals([failedNames(result), result.files], [["Album/  /deep.txt", "Album/ "].sort(), ALBUM.length + 3]);
  for (const [name] of ALBUM) assert(await sameFiles(shared.at(name), rui.folder.at(name)), name);
  assertEquals((await Deno.stat(rui.folder.at("Album/more.txt"))).size, 7);
});

Deno.test("get of a folder begins its next large file while the last one is being synced", async () => {
  await using room = await Room.open();
  const large = ALBUM.filter(([, size]) => size >= LARGE);
  const shared = await share(room, "ana", large);
  const rui = await room.peer("rui");
  const { syncData } = Deno.FsFile.prototype;
  const { promise: allArrived, resolve } = Promise.withResolvers<void>();
  Deno.FsFile.prototype.syncData = async function (): Promise<void> {
    await allArrived;
    await syncData.call(this);
  };
  try {
    const { result } = rui.peer.transfers.start(await rui.peer.directory.resolve("Album/"), { kind: "folder" });
    const size = large.reduce((sum, [, each]) => sum + each, 0);
    await eventually("both files have arrived", () => rui.peer.transfers.views()[0]?.done === size);
    assertEquals(rui.folder.names(), [], "nothing is in its place before it is synced");
    resolve();
    assertEquals((await result).failed, []);
  } finally {
    Deno.FsFile.prototype.syncData = syncData;
  }
  for (const [name] of large) assert(await sameFiles(shared.at(name), rui.folder.at(name)), name);
});

Deno.test("get of a folder names the peers of its files, unless one peer has the whole folder", async () => {
  await using room = await Room.open();
  await share(room, "ana", [["src/main.c", 100], ["src/a.c", 10]]);
  await share(room, "rui", [["src/main.py", 200]]);
  await share(room, "eva", [...ALBUM]);
  await share(room, "joa", ALBUM.slice(0, 2));
  const leo = await room.peer("leo");
  assertEquals((await get(leo, "src/")).mixedFrom, ["ana", "rui"]);
  assertEquals((await get(leo, "Album/")).mixedFrom, []);
  const only = await leo.peer.directory.resolve("src/", { from: "rui" });
  const chosen = await room.folder();
  const result = await leo.peer.transfers.start(only, { kind: "path", path: chosen.path }).result;
  assertEquals([result.mixedFrom, chosen.names()], [[], ["main.py"]]);
});

Deno.test("get of a folder names a file that only a classroom client has", async () => {
  await using room = await Room.open();
  const shared = await share(room, "ana", ALBUM);
  const files = ["Album/theirs.mp4", "Album/note.txt"];
  assertEquals(await askJson(room.address.port, "JOIN", { files, port: 9 }), "JOIN_OK");
  const rui = await room.peer("rui");
  const result = await get(rui, "Album/");
  assertEquals(result.failed.map(({ name, failure }) => [name, failure.code]), [["Album/theirs.mp4", "refused"]]);
  for (const [name] of ALBUM) assert(await sameFiles(shared.at(name), rui.folder.at(name)), name);
});
