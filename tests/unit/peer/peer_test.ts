import { assert, assertEquals, assertRejects } from "@std/assert";
import { TRANSFERS_RUNNING_MAX } from "../../../lib/core/limits.ts";
import type { Transfer } from "../../../lib/peer/get/transfer.ts";
import { PIECE_BYTES } from "../../../lib/core/content.ts";
import { Failure } from "../../../lib/core/failure.ts";
import type { WantedFile } from "../../../lib/peer/find/wanted.ts";
import type { TransferResult } from "../../../lib/peer/get/transfer.ts";
import { fastClock } from "../../support/fast_clock.ts";
import { Relay } from "../../support/relay.ts";
import { Room, type RoomPeer } from "../../support/room.ts";
import { sameFiles } from "../../support/temp.ts";
import { eventually } from "../../support/wait.ts";

const SIZE = 3 * PIECE_BYTES + 77;

async function get({ peer }: RoomPeer, what: string, from?: string): Promise<TransferResult> {
  const wanted = await peer.directory.resolve(what, { from });
  return await peer.transfers.start(wanted, { kind: "folder" }).result;
}

async function resolveFile({ peer }: RoomPeer, what: string): Promise<WantedFile> {
  const wanted = await peer.directory.resolve(what);
  assert(wanted.kind === "file");
  return wanted;
}

Deno.test("get accepts a number, a name, a content id and one peer's name", async () => {
  await using room = await Room.open();
  const shared = await room.folder();
  await shared.file("videos/Aula 1 ação.mp4", SIZE);
  await room.peer("ana", shared);
  const root = await room.hashed("ana", "videos/Aula 1 ação.mp4");
  const ways: [what: string, from?: string][] = [["1"], ["AULA 1 acao.mp4"], [root], ["videos/Aula 1 ação.mp4", "ANA"]];
  for (const [what, from] of ways) {
    const rui = await room.peer(undefined);
    const { rows } = await rui.peer.directory.search("aul 1", { exact: false, limit: 10, offset: 0 });
    assertEquals(rows.map((row) => [row.name, row.peers[0]?.name]), [["videos/Aula 1 ação.mp4", "ana"]]);
    const result = await get(rui, what, from);
    assertEquals(
      [result.path, result.root, result.alreadyHere],
      [rui.folder.at("videos/Aula 1 ação.mp4"), root, false],
      what,
    );
    assertEquals(result.sources.map(({ peer, bytes }) => [peer, bytes]), [["ana", SIZE]]);
    assert(await sameFiles(shared.at("videos", "Aula 1 ação.mp4"), rui.folder.at("videos", "Aula 1 ação.mp4")));
    await rui.peer[Symbol.asyncDispose]();
  }
});

Deno.test("a downloaded file is listed with its root and served to others", async () => {
  await using room = await Room.open();
  const shared = await room.folder();
  await shared.file("a.bin", SIZE);
  const ana = await room.peer("ana", shared);
  const root = await room.hashed("ana", "a.bin");
  const rui = await room.peer("rui");
  await get(rui, "a.bin");
  await rui.peer.listed();
  assertEquals((await room.index.copy("rui", "a.bin"))?.root, root);
  await ana.peer[Symbol.asyncDispose]();
  const eva = await room.peer("eva");
  assertEquals((await get(eva, "a.bin")).sources.map(({ peer }) => peer), ["rui"]);
});

Deno.test("a peer that others cannot reach stays joined, and downloads", async () => {
  await using room = await Room.open();
  const shared = await room.folder();
  await shared.file("a.bin", SIZE);
  await room.peer("ana", shared);
  await room.hashed("ana", "a.bin");
  const own = await room.folder();
  await own.file("mine.bin", SIZE);
  // The index dials back to the address that it observes, where nothing listens.
  const rui = await room.peer("rui", own, { listen: { host: "127.0.0.2", port: 0 } });
  await get(rui, "a.bin");
  await rui.peer.listed();
  const { rows } = await rui.peer.directory.search("a", { exact: false, limit: 10, offset: 0 });
  assertEquals(rows.map(({ name, peers }) => [name, peers.map((peer) => peer.name)]), [["a.bin", ["ana"]]]);
  assertEquals(rui.events.map(({ event }) => event).filter((event) => /index|unreachable/.test(event)), [
    "unreachable",
  ]);
  assertEquals((await room.index.peer("rui"))?.files, 0);
});

Deno.test("a peer that the index reaches at its second attempt lists its files, and reports that", async () => {
  await using room = await Room.open(undefined, { clock: fastClock(5) });
  const own = await room.folder();
  await own.file("mine.bin", SIZE);
  const rui = await room.peer("rui", own, { listen: { host: "127.0.0.2", port: 0 } });
  await eventually("it is unreachable", () => rui.events.some(({ event }) => event === "unreachable"));
  // The index dials back to the address that it observes. Now that leads to the peer.
  using _relay = new Relay(rui.peer.address.port, { from: rui.peer.address.port, to: "127.0.0.2" });
  await room.hashed("rui", "mine.bin");
  assertEquals(rui.events.map(({ event }) => event).filter((event) => /reachable/.test(event)), [
    "unreachable",
    "reachable",
  ]);
});

Deno.test("get copies a file that is shared here under another name instead of downloading it", async () => {
  await using room = await Room.open();
  const [one, other] = [await room.folder(), await room.folder()];
  await one.file("a.bin", SIZE);
  await other.file("mine.bin", SIZE);
  await room.peer("ana", one);
  const rui = await room.peer("rui", other);
  await room.hashed("ana", "a.bin");
  await room.hashed("rui", "mine.bin");
  const result = await get(rui, "a.bin");
  assertEquals([result.alreadyHere, result.path, result.sources.length], [false, other.at("a.bin"), 0]);
  assert(await sameFiles(one.at("a.bin"), other.at("a.bin")));
});

Deno.test("get keeps an existing file of the same name and numbers the new one", async () => {
  await using room = await Room.open();
  const [one, other] = [await room.folder(), await room.folder()];
  await one.file("a.bin", SIZE);
  await other.file("a.bin", 5);
  await room.peer("ana", one);
  const rui = await room.peer("rui", other);
  await room.hashed("ana", "a.bin");
  const { rows: [row] } = await rui.peer.directory.search("a.bin", { exact: true, limit: 9, offset: 0 });
  assert(row !== undefined);
  const result = await get(rui, row.root ?? "");
  assertEquals(result.path, other.at("(1) a.bin"));
  assertEquals((await Deno.stat(other.at("a.bin"))).size, 5);
  assert(await sameFiles(one.at("a.bin"), other.at("(1) a.bin")));
});

Deno.test("get chooses the content that most peers have among several of one name, and counts the others", async () => {
  await using room = await Room.open();
  for (const [name, seed] of [["ana", 1], ["rui", 2], ["eva", 2]] as const) {
    const folder = await room.folder();
    await folder.file("notes.txt", 100, seed);
    await room.peer(name, folder);
    await room.hashed(name, "notes.txt");
  }
  const joa = await room.peer("joa");
  const wanted = await resolveFile(joa, "notes.txt");
  assertEquals([wanted.others, wanted.root], [1, (await room.index.copy("eva", "notes.txt"))?.root]);
});

Deno.test("get fails with not-found for whatever no peer has", async () => {
  await using room = await Room.open();
  const rui = await room.peer("rui");
  await room.peer("ana");
  for (const [what, from] of [["absent.txt"], ["7"], ["ab".repeat(32)], ["x", "ana"], ["x", "nobody"]]) {
    const failure = await assertRejects(() => get(rui, what ?? "", from), Failure);
    assertEquals(failure.code, "not-found", `${what} ${from}`);
  }
  assertEquals((await assertRejects(() => rui.peer.directory.list("nobody"), Failure)).code, "not-found");
});

Deno.test("ls lists a long list in order, and get accepts its row numbers", async () => {
  await using room = await Room.open();
  const shared = await room.folder();
  const names = Array.from({ length: 1203 }, (_, number) => `${String(number).padStart(4, "0")}.txt`);
  for (const name of names) await Deno.writeTextFile(shared.at(name), name);
  await room.peer("ana", shared);
  const rui = await room.peer("rui");
  const { rows, more } = await rui.peer.directory.list("Ana");
  assertEquals([rows.map((row) => row.name), more], [names, false]);
  assertEquals((await get(rui, "500")).path, rui.folder.at("0499.txt"));
});

Deno.test("a peer lists added, changed and removed files at the index", async () => {
  await using room = await Room.open();
  const ana = await room.peer("ana");
  await ana.folder.file("new.txt", 10);
  const first = await room.hashed("ana", "new.txt");
  await ana.folder.file("new.txt", 20);
  await eventually("the change is known", async () => {
    const root = (await room.index.copy("ana", "new.txt"))?.root;
    return root !== undefined && root !== first;
  });
  await Deno.remove(ana.folder.at("new.txt"));
  await eventually("it is gone", async () => (await room.index.counts()).files === 0);
});

Deno.test("a peer that loses its index reports it once, reconnects and lists everything again", async () => {
  await using room = await Room.open();
  const shared = await room.folder();
  for (let number = 0; number < 2500; number++) {
    await Deno.writeTextFile(shared.at(`f${number}.txt`), "x".repeat(number));
  }
  const ana = await room.peer("ana", shared, { random: () => 0 });
  await ana.peer.listed();
  await room.stopIndex();
  await eventually("it is lost", () => ana.events.length > 0);
  assertEquals((await assertRejects(() => ana.peer.queries.peers(), Failure)).code, "index-unreachable");
  await room.startIndex();
  await eventually("all files are listed again", async () => (await room.index.counts()).files === 2500);
  assertEquals(ana.events.map((event) => event.event), ["index-lost", "index-back"]);
});

Deno.test("a download continues while the index is away", async () => {
  await using room = await Room.open();
  const shared = await room.folder();
  await shared.file("a.bin", 60 * PIECE_BYTES);
  await room.peer("ana", shared);
  await room.hashed("ana", "a.bin");
  const rui = await room.peer("rui");
  const wanted = await rui.peer.directory.resolve("a.bin");
  const { transfer, result } = rui.peer.transfers.start(wanted, { kind: "folder" });
  await eventually("it runs", () => transfer.view().done > 0);
  await room.stopIndex();
  assertEquals((await result).size, 60 * PIECE_BYTES);
  assert(await sameFiles(shared.at("a.bin"), rui.folder.at("a.bin")));
});

Deno.test("a made-up name is replaced when it is taken, and a chosen name is not", async () => {
  await using room = await Room.open();
  const folder = await room.folder();
  await using elsewhere = await Room.open();
  const first = await elsewhere.peer(undefined, folder);
  const { name } = first.peer;
  await first.peer[Symbol.asyncDispose]();
  await room.peer(name);
  const second = await room.peer(undefined, folder);
  assertEquals(second.peer.name, `${name}-2`);
  assertEquals(second.events, [{ event: "renamed", from: name, name: `${name}-2` }]);
  const taken = await assertRejects(() => room.peer(name.toUpperCase()), Failure);
  assertEquals([taken.code, taken.hint.includes("-3")], ["name-taken", true]);
});

Deno.test("a peer keeps the name that was made up for its folder", async () => {
  await using room = await Room.open();
  const folder = await room.folder();
  const names: string[] = [];
  for (let run = 0; run < 2; run++) {
    const { peer } = await room.peer(undefined, folder);
    names.push(peer.name);
    await peer[Symbol.asyncDispose]();
  }
  assertEquals(names[0], names[1]);
});

Deno.test("Peer.start() fails with a reason and leaves nothing open", async () => {
  await using room = await Room.open();
  const { folder } = await room.peer("ana");
  assertEquals((await assertRejects(() => room.peer("rui", folder), Failure)).code, "folder-in-use");
  const nobody = { indexes: [{ host: "127.0.0.1", port: 1 }] };
  const unreachable = await assertRejects(() => room.peer("rui", undefined, nobody), Failure);
  assertEquals([unreachable.code, unreachable.message], [
    "index-unreachable",
    "Cannot reach 127.0.0.1:1: connection refused",
  ]);
  assertEquals((await assertRejects(() => room.peer("\n"), Failure)).code, "bad-name");
  const free = await room.folder();
  assertEquals((await assertRejects(() => room.peer("Ana", free), Failure)).code, "name-taken");
  assertEquals((await room.peer("rui", free)).peer.name, "rui");
});

Deno.test("a peer joins the second of several indexes when the first does not answer", async () => {
  await using room = await Room.open();
  const { peer } = await room.peer("ana", undefined, { indexes: [{ host: "127.0.0.1", port: 1 }, room.address] });
  assertEquals(peer.index, room.address);
});

Deno.test("a peer joins, lists and downloads over IPv6", async () => {
  await using room = await Room.open({ host: "::1", port: 0 });
  const shared = await room.folder();
  await shared.file("a.bin", SIZE);
  await room.peer("ana", shared, { listen: { host: "0.0.0.0", port: 0 } });
  const rui = await room.peer("rui", undefined, { listen: { host: "::1", port: 0 } });
  const { peers } = await rui.peer.queries.peers();
  assertEquals(peers.map((peer) => [peer.name, peer.host, peer.port !== undefined]), [["ana", "::1", true], [
    "rui",
    "::1",
    true,
  ]]);
  assertEquals((await get(rui, "a.bin")).size, SIZE);
});

Deno.test("cancel removes the unfinished file, and closing the peer keeps it", async () => {
  await using room = await Room.open();
  const shared = await room.folder();
  await shared.file("a.bin", 400 * PIECE_BYTES);
  await room.peer("ana", shared);
  await room.hashed("ana", "a.bin");
  const rui = await room.peer("rui");
  const { peer, folder } = rui;
  const wanted = await resolveFile(rui, "a.bin");
  const incoming = () => Array.from(Deno.readDirSync(folder.at(".recess", "incoming")), (entry) => entry.name);

  const first = peer.transfers.start(wanted, { kind: "folder" });
  assertEquals(peer.transfers.start(wanted, { kind: "folder" }).transfer.id, first.transfer.id, "started twice");
  await eventually("it runs", () => first.transfer.view().done > PIECE_BYTES);
  const view = await peer.transfers.cancel(first.transfer.id);
  assertEquals([view.state, incoming()], ["cancelled", []]);
  const { code, message, hint } = await assertRejects(() => peer.transfers.cancel(first.transfer.id), Failure);
  assertEquals([code, hint], ["not-found", "get it again with: get a.bin"]);
  assertEquals(message, `Transfer ${first.transfer.id} has ended: cancelled`);

  const second = peer.transfers.start(wanted, { kind: "folder" });
  await eventually("it runs", () => second.transfer.view().done > PIECE_BYTES);
  await peer[Symbol.asyncDispose]();
  assertEquals(peer.transfers.views().map((each) => each.state), ["cancelled", "cancelled"]);
  assertEquals(incoming(), [wanted.root]);

  const again = await room.peer("rui", folder);
  const result = await get(again, "a.bin");
  const fetched = result.sources.reduce((sum, { bytes }) => sum + bytes, 0);
  assert(fetched < 400 * PIECE_BYTES, "nothing was kept");
  assert(await sameFiles(shared.at("a.bin"), folder.at("a.bin")));
});

Deno.test("get writes to a chosen path or folder, and fails when there is no such folder", async () => {
  await using room = await Room.open();
  const shared = await room.folder();
  await shared.file("sub/a.bin", SIZE);
  await room.peer("ana", shared);
  await room.hashed("ana", "sub/a.bin");
  const { peer } = await room.peer("rui");
  const elsewhere = await room.folder();
  const wanted = await peer.directory.resolve("a.bin");
  const to = (path: string) => peer.transfers.start(wanted, { kind: "path", path }).result;
  assertEquals((await to(elsewhere.at("b.bin"))).path, elsewhere.at("b.bin"));
  assertEquals([(await to(elsewhere.at("b.bin"))).alreadyHere, elsewhere.names()], [true, ["b.bin"]]);
  await Deno.writeTextFile(elsewhere.at("b.bin"), "mine");
  assertEquals((await to(elsewhere.at("b.bin"))).path, elsewhere.at("(1) b.bin"));
  assertEquals((await to(elsewhere.path)).path, elsewhere.at("a.bin"));
  assertEquals((await assertRejects(() => to(elsewhere.at("no", "b.bin")), Failure)).code, "usage");
  assertEquals((await to(`${elsewhere.at("new", "deep")}/`)).path, elsewhere.at("new", "deep", "a.bin"));
  assertEquals((await assertRejects(() => to(`${elsewhere.at("b.bin")}/`), Failure)).code, "usage");
  assert(await sameFiles(shared.at("sub", "a.bin"), elsewhere.at("a.bin")));
});

Deno.test("get starts at once with a file that its owner has not hashed yet", async () => {
  await using room = await Room.open();
  const shared = await room.folder();
  for (let number = 0; number < 4; number++) await shared.file(`before ${number}.bin`, 200 * PIECE_BYTES);
  await shared.file("wanted.bin", 150 * PIECE_BYTES);
  const rui = await room.peer("rui");
  await room.peer("ana", shared);
  await eventually("it is listed", async () => (await room.index.copy("ana", "wanted.bin")) !== undefined);
  const wanted = await rui.peer.directory.resolve("wanted.bin");
  const result = await rui.peer.transfers.start(wanted, { kind: "folder" }).result;
  assert(await sameFiles(shared.at("wanted.bin"), rui.folder.at("wanted.bin")));
  assertEquals(result.root, (await room.index.copy("ana", "wanted.bin"))?.root);
});

Deno.test("cancel ends a paused and a queued transfer at once and leaves no file behind", async () => {
  await using room = await Room.open();
  const shared = await room.folder();
  const count = TRANSFERS_RUNNING_MAX + 1;
  for (let number = 0; number < count; number++) await shared.file(`${number}.bin`, 20 * PIECE_BYTES, number + 1);
  await room.peer("ana", shared, { up: 2_000_000 });
  for (let number = 0; number < count; number++) await room.hashed("ana", `${number}.bin`);
  const { peer, folder } = await room.peer("rui");
  const started = [];
  for (let number = 0; number < count; number++) {
    started.push(peer.transfers.start(await peer.directory.resolve(`${number}.bin`), { kind: "folder" }).transfer);
  }
  const [first, last] = [started[0], started.at(-1)];
  assert(first !== undefined && last !== undefined);
  const incoming = () => Array.from(Deno.readDirSync(folder.at(".recess", "incoming")), ({ name }) => name);
  const rootOf = ({ wanted }: Transfer) => wanted.kind === "file" ? wanted.root ?? "" : "";
  await eventually("the first has begun", () => incoming().includes(rootOf(first)));
  assertEquals(last.view().state, "queued");
  assertEquals((await peer.transfers.cancel(last.id)).state, "cancelled");

  peer.transfers.pause(first.id);
  assertEquals(first.view().state, "paused");
  assert(incoming().includes(rootOf(first)));
  assertEquals((await peer.transfers.cancel(first.id)).state, "cancelled");
  assert(!incoming().includes(rootOf(first)));
});
