import { assert, assertEquals } from "@std/assert";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import { proofOrder, trueSize } from "../../../../lib/peer/find/true_size.ts";
import { IndexClient } from "../../../support/index_client.ts";
import { Room } from "../../../support/room.ts";
import { seededRandom } from "../../../support/seeded_random.ts";
import { failing } from "../../../support/senders.ts";
import { connectPlain, ServedFile, TestSource } from "../../../support/sources.ts";
import { randomBytes, sameFiles } from "../../../support/temp.ts";

Deno.test("proofOrder() takes one claim of each size in turn, and each peer once", () => {
  const claims = [["a", 7], ["b", 7], ["c", 7], ["a", 8], ["d", 8], ["e", 9]] as const;
  const order = proofOrder(claims.map(([peer, size]) => {
    return { size, source: { peer, id: "", name: "", address: { host: "", port: 0 }, plain: true } };
  }));
  assertEquals(order.map(({ source, size }) => [source.peer, size]), [["a", 7], ["d", 8], ["e", 9], ["b", 7], [
    "c",
    7,
  ]]);
});

Deno.test("trueSize() accepts only digests that match the root, and does not wait for liars", async () => {
  const file = new ServedFile(randomBytes(2 * PIECE_BYTES + 1, seededRandom(1)));
  const { length: size } = file.bytes;
  await using saysLess = await TestSource.open(file, { size: 2 * PIECE_BYTES }, "says less");
  await using saysMore = await TestSource.open(file, { size: 2 * PIECE_BYTES + 2 }, "says more");
  await using lies = await TestSource.open(file, { liesAboutDigests: true }, "lies");
  await using isNobody = await TestSource.open(file, { name: "somebody else" }, "is nobody");
  const liars = [saysLess, saysMore, lies, isNobody].map(({ source }, at) => ({ size: at, source }));
  assertEquals(await trueSize(file.root, liars, connectPlain), undefined);
  await using honest = await TestSource.open(file, {}, "honest");
  assertEquals(await trueSize(file.root, [...liars, { size, source: honest.source }], connectPlain), size);
  assertEquals(await trueSize(new ServedFile(new Uint8Array(0)).root, liars, connectPlain), 0);
});

Deno.test("downloads succeed when liars list a root with false sizes before its owner joins", async () => {
  await using room = await Room.open();
  const folder = await room.folder();
  const names = ["lecture.mp4", "Album/a.txt", "Album/empty.txt"];
  for (const [index, size] of [3 * PIECE_BYTES + 5, 1000, 0].entries()) {
    await folder.file(names[index] ?? "", size, index);
  }
  const first = await room.peer("ana", folder, { plain: true });
  const roots = new Map<string, string>();
  for (const name of names) roots.set(name, await room.hashed("ana", name));
  await first.peer[Symbol.asyncDispose]();
  await using liars = new AsyncDisposableStack();
  for (const [at, size] of [7, 2 * PIECE_BYTES, 7].entries()) {
    const liar = liars.use(await IndexClient.connect(room.address));
    await liar.join(`liar ${at}`);
    await liar.list(...names.map((name) => ({ name, size: size + (at === 2 ? 1 : 0), root: roots.get(name) ?? "" })));
  }
  await room.peer("ana", folder, { plain: true });
  const root = await room.hashed("ana", "lecture.mp4");

  const { peer: searching } = await room.peer("sol", undefined, { plain: true });
  const { rows } = await searching.directory.search("lecture", { exact: false, limit: 20, offset: 0 });
  assertEquals(rows.map(({ size, holders }) => [size, holders]).sort(), [
    [2 * PIECE_BYTES, 1],
    [3 * PIECE_BYTES + 5, 1],
    [7, 1],
    [8, 1],
  ]);
  for (const what of ["lecture.mp4", root, ...rows.map((_, at) => String(at + 1))]) {
    const rui = await room.peer(undefined, undefined, { plain: true });
    await rui.peer.directory.search("lecture", { exact: false, limit: 20, offset: 0 });
    const wanted = await rui.peer.directory.resolve(what);
    assert(wanted.kind === "file");
    const { sources } = await rui.peer.finder.settled(wanted);
    assertEquals(sources?.map(({ peer }) => peer), ["ana"], what);
    const { path, size } = await rui.peer.transfers.start(wanted, { kind: "folder" }).result;
    assertEquals([path, size], [rui.folder.at("lecture.mp4"), 3 * PIECE_BYTES + 5], what);
    assert(await sameFiles(rui.folder.at("lecture.mp4"), folder.at("lecture.mp4")));
    assertEquals(rui.events.filter(({ event }) => event === "bad-source"), [], "nobody is blamed");
    await rui.peer[Symbol.asyncDispose]();
  }
  const rui = await room.peer(undefined, undefined, { plain: true });
  const wanted = await rui.peer.directory.resolve("Album/");
  const { failed, files } = await rui.peer.transfers.start(wanted, { kind: "folder" }).result;
  assertEquals([failed, files], [[], 2]);
  for (const name of names.slice(1)) assert(await sameFiles(rui.folder.at(name), folder.at(name)), name);

  const named = await searching.directory.resolve("lecture.mp4", { from: "liar 0" });
  const failure = await failing(() => searching.transfers.start(named, { kind: "folder" }).result);
  assert(!failure.message.includes("ana"), failure.message);
});
