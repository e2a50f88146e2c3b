import { assert, assertEquals } from "@std/assert";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import type { Destination } from "../../../../lib/peer/get/fetching.ts";
import type { TransferResult } from "../../../../lib/peer/get/transfer.ts";
import { Room, type RoomPeer } from "../../../support/room.ts";
import { sameFiles, type TempFolder } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

const LARGE = 3 * PIECE_BYTES + 7;
const FOLDER: Destination = { kind: "folder" };

async function start({ peer }: RoomPeer, what: string, to = FOLDER): Promise<Promise<TransferResult>> {
  return peer.transfers.start(await peer.directory.resolve(what), to).result;
}

async function get(peer: RoomPeer, what: string, to = FOLDER): Promise<TransferResult> {
  return await await start(peer, what, to);
}

function fetchedBytes(results: readonly TransferResult[]): number {
  return results.flatMap(({ sources }) => sources).reduce((sum, { bytes }) => sum + bytes, 0);
}

async function share(
  room: Room,
  name: string,
  files: readonly (readonly [name: string, size: number, seed?: number])[],
  options: { up?: number; consent?: "ask" } = {},
): Promise<TempFolder> {
  const folder = await room.folder();
  for (const [file, size, seed] of files) await folder.file(file, size, seed);
  await room.peer(name, folder, options);
  for (const [file] of files) await room.hashed(name, file);
  return folder;
}

for (const [kind, size] of [["large", LARGE], ["small", 5_000]] as const) {
  Deno.test(`a ${kind} file that goes to three places at once is fetched once, and is whole at all three`, async () => {
    await using room = await Room.open();
    // So slow that all three transfers run at the same time.
    const shared = await share(room, "ana", [["a.bin", size]], { up: size });
    const [rui, elsewhere] = [await room.peer("rui"), await room.folder()];
    const places = [FOLDER, ...["b.bin", "c.bin"].map((name) => ({ kind: "path", path: elsewhere.at(name) }) as const)];
    const wanted = await rui.peer.directory.resolve("a.bin");
    const results = await Promise.all(places.map((to) => rui.peer.transfers.start(wanted, to).result));
    assertEquals(results.map(({ path }) => path), [
      rui.folder.at("a.bin"),
      elsewhere.at("b.bin"),
      elsewhere.at("c.bin"),
    ]);
    for (const { path = "" } of results) assert(await sameFiles(shared.at("a.bin"), path), path);
    assertEquals(fetchedBytes(results), size);
  });
}

Deno.test("two folders with the same files can be fetched at once, and each content is fetched once", async () => {
  await using room = await Room.open();
  const files = [["one/film.bin", LARGE], ["one/note.txt", 100], ["two/film.bin", LARGE], [
    "two/other.txt",
    100,
  ]] as const;
  const shared = await share(room, "ana", files, { up: LARGE });
  const rui = await room.peer("rui");
  const results = await Promise.all(["one/", "two/"].map((what) => get(rui, what)));
  for (const [name] of files) assert(await sameFiles(shared.at(name), rui.folder.at(name)), name);
  assertEquals(results.map(({ failed }) => failed), [[], []]);
  assertEquals(fetchedBytes(results), LARGE + 100);
});

Deno.test("equal files in one folder are fetched once", async () => {
  await using room = await Room.open();
  const files = [
    ["d/a.bin", LARGE, 1],
    ["d/b.bin", LARGE, 1],
    ["d/sub/c.bin", LARGE, 1],
    ["d/a.txt", 100, 2],
    ["d/b.txt", 100, 2],
    ["d/empty", 0, 3],
    ["d/empty too", 0, 3],
  ] as const;
  const shared = await share(room, "ana", files);
  const [rui, elsewhere] = [await room.peer("rui"), await room.folder()];
  const results = [await get(rui, "d/"), await get(rui, "d/", { kind: "path", path: elsewhere.path })];
  for (const [name] of files) {
    assert(await sameFiles(shared.at(name), rui.folder.at(name)), name);
    assert(await sameFiles(shared.at(name), elsewhere.at(name.slice(2))), name);
  }
  assertEquals(results.map((result) => fetchedBytes([result])), [LARGE + 100, 0]);
});

Deno.test("an equal file can be fetched under another name while the first is arriving", async () => {
  await using room = await Room.open();
  const shared = await share(room, "ana", [["a.bin", LARGE, 1], ["b.bin", LARGE, 1]], { up: LARGE });
  const rui = await room.peer("rui");
  const results = await Promise.all(["a.bin", "b.bin"].map((what) => get(rui, what)));
  for (const name of ["a.bin", "b.bin"]) assert(await sameFiles(shared.at(name), rui.folder.at(name)), name);
  assertEquals(fetchedBytes(results), LARGE);
});

Deno.test("a download is queued while another one of its content runs", async () => {
  await using room = await Room.open();
  await share(room, "ana", [["a.bin", LARGE]], { consent: "ask" });
  const [rui, elsewhere] = [await room.peer("rui"), await room.folder()];
  const wanted = await rui.peer.directory.resolve("a.bin");
  const first = rui.peer.transfers.start(wanted, FOLDER);
  await eventually("it runs", () => first.transfer.view().isAsking);
  const second = rui.peer.transfers.start(wanted, { kind: "path", path: elsewhere.at("b.bin") });
  // Time enough for the second to find its peers and to ask for its turn.
  for (let trips = 0; trips < 50; trips++) {
    await rui.peer.queries.peers();
    assertEquals(second.transfer.view().state, "queued");
  }
});

Deno.test("cancelling one of two downloads of a content keeps what has arrived for the other", async () => {
  await using room = await Room.open();
  const shared = await share(room, "ana", [["a.bin", LARGE]], { up: LARGE });
  const [rui, elsewhere] = [await room.peer("rui"), await room.folder()];
  const wanted = await rui.peer.directory.resolve("a.bin");
  const first = rui.peer.transfers.start(wanted, FOLDER);
  const second = rui.peer.transfers.start(wanted, { kind: "path", path: elsewhere.at("b.bin") });
  await rui.peer.transfers.cancel(second.transfer.id);
  assertEquals((await first.result).alreadyHere, false);
  assert(await sameFiles(shared.at("a.bin"), rui.folder.at("a.bin")));
  assertEquals(elsewhere.names(), []);
});

Deno.test("a file that was moved to another folder counts as here", async () => {
  await using room = await Room.open();
  await share(room, "ana", [["a.bin", LARGE]]);
  const own = await room.folder();
  await own.file("films/a.bin", LARGE);
  const rui = await room.peer("rui", own);
  await room.hashed("rui", "films/a.bin");
  const { alreadyHere, path } = await get(rui, "a.bin");
  assertEquals([alreadyHere, path, own.names()], [true, own.at("films", "a.bin"), ["films/a.bin"]]);
});

Deno.test("a copy that has changed since it was hashed is not copied, and the file is fetched", async () => {
  await using room = await Room.open();
  const shared = await share(room, "ana", [["a.bin", LARGE, 1], ["b.bin", LARGE, 1]]);
  const [rui, elsewhere] = [await room.peer("rui"), await room.folder()];
  const first = await get(rui, "a.bin", { kind: "path", path: elsewhere.at("a.bin") });
  const damaged = await Deno.open(first.path ?? "", { write: true });
  await damaged.seek(2 * PIECE_BYTES, Deno.SeekMode.Start);
  await damaged.write(new Uint8Array(9));
  damaged.close();
  assertEquals(fetchedBytes([await get(rui, "b.bin")]), LARGE);
  assert(await sameFiles(shared.at("b.bin"), rui.folder.at("b.bin")));
});

/**
 * A folder with names that cannot be stored as they are. Two of them are stored under the same
 * name.
 */
const ODD = [
  ["d/ab: c.txt", 100, 1],
  ["d/ab_ c.txt", 100, 2],
  ["d/xy: z/film.bin", LARGE, 3],
  ["d/note.txt", 50, 4],
  ["d/film.bin", LARGE, 5],
] as const;

for (const where of ["the shared folder", "a chosen folder"]) {
  Deno.test(`a folder fetched three times into ${where} leaves no new copies beside edited files`, async () => {
    await using room = await Room.open();
    const shared = await share(room, "ana", ODD);
    const [rui, elsewhere] = [await room.peer("rui"), await room.folder()];
    const isShared = where === "the shared folder";
    const to: Destination = isShared ? FOLDER : { kind: "path", path: elsewhere.at("d") };
    const own = isShared ? rui.folder : elsewhere;
    const total = ODD.reduce((sum, [, size]) => sum + size, 0);
    assertEquals(fetchedBytes([await get(rui, "d/", to)]), total);
    const names = ["d/(1) ab_ c.txt", "d/ab_ c.txt", "d/film.bin", "d/note.txt", "d/xy_ z/film.bin"];
    assertEquals(own.names(), names);

    await Deno.writeTextFile(own.at("d/note.txt"), "mine");
    await Deno.writeTextFile(own.at("d/film.bin"), "mine");
    const second = await get(rui, "d/", to);
    assert(await sameFiles(shared.at("d/note.txt"), own.at("d/(1) note.txt")));
    assert(await sameFiles(shared.at("d/film.bin"), own.at("d/(1) film.bin")));
    assertEquals([second.failed, fetchedBytes([second]) <= 50 + LARGE], [[], true]);
    for (let time = 0; time < 3; time++) assertEquals((await get(rui, "d/", to)).alreadyHere, true);
    assertEquals(own.names(), [...names, "d/(1) note.txt", "d/(1) film.bin"].sort());
    assertEquals(await Deno.readTextFile(own.at("d/film.bin")), "mine");
  });
}

Deno.test("a folder does not count the numbered copies that this peer shares", async () => {
  await using room = await Room.open();
  const names = ["d/a.txt", "d/b.txt", "d/sub/film.bin", "d/only.txt"];
  await share(room, "ana", names.map((name, at) => [name, name.endsWith(".bin") ? LARGE : 100 + at, at]));
  const rui = await room.peer("rui");
  const edited = names.slice(0, 3);
  for (const name of edited) await rui.folder.file(name, 7);
  assertEquals((await get(rui, "d/")).files, names.length);
  for (const name of edited) await room.hashed("rui", name.replace(/([^/]+)$/, "(1) $1"));
  const { files, alreadyHere, size } = await get(rui, "d/");
  assertEquals([files, alreadyHere, size], [names.length, true, 100 + 101 + 103 + LARGE]);
});
