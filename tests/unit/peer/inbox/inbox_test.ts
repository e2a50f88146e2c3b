/**
 * Files that are put into an inbox: how they arrive, how they continue after an interruption, and
 * whether they are shared. Real sockets, real TLS, real folders, one process.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { digestOf, PIECE_BYTES, rootOf } from "../../../../lib/core/content.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { type Dial, dial } from "../../../../lib/net/dial.ts";
import { Identity } from "../../../../lib/net/identity.ts";
import { fingerprint } from "../../../../lib/core/fingerprint.ts";
import { encodeRequest } from "../../../../lib/protocol/envelope.ts";
import { Put } from "../../../../lib/protocol/inbox.ts";
import { sameFiles } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

import { failing, offered, OPEN, put, roomWithInbox, stranger, tree } from "../../../support/senders.ts";

Deno.test("put sends a shared file by its number or name, or any file by its path", async () => {
  const { room, ana } = await roomWithInbox();
  await using _room = room;
  const rui = await room.peer(
    "rui",
    await (async () => {
      const folder = await room.folder();
      await folder.file("b/two.bin", 3 * PIECE_BYTES + 5);
      await folder.file("one.bin", 100);
      await folder.file(".hidden/three.bin", PIECE_BYTES);
      await folder.file(".hidden/empty.bin", 0);
      return folder;
    })(),
  );
  const ways: [what: string, name: string, from: string][] = [
    ["1", "two.bin", "b/two.bin"],
    ["one.bin", "one.bin", "one.bin"],
    [rui.folder.at(".hidden/three.bin"), "three.bin", ".hidden/three.bin"],
    [rui.folder.at(".hidden/empty.bin"), "empty.bin", ".hidden/empty.bin"],
  ];
  for (const [what, name, from] of ways) {
    const result = await put(rui, what);
    assertEquals([result.path, result.name, result.peer, result.alreadyHere], [
      `inbox/rui/${name}`,
      name,
      "ana",
      false,
    ]);
    assertEquals(result.sent, result.size);
    assert(await sameFiles(rui.folder.at(from), ana.folder.at("inbox/rui", name)));
    assertEquals((await put(rui, what)).alreadyHere, true);
  }
  assertEquals(ana.events.filter(({ event }) => event === "received").length, ways.length);
  assertEquals(ana.peer.files(), []);
  assertEquals((await rui.peer.directory.list("ana")).rows, []);
  const rest = await Array.fromAsync(Deno.readDir(ana.folder.at(".recess/incoming")));
  assertEquals(rest, []);
  for (const what of ["absent.bin", "99"]) {
    assertEquals((await failing(async () => await put(rui, what))).code, "not-found");
  }
  assertEquals((await failing(async () => await put(rui, rui.folder.path))).code, "usage");
  assertEquals((await failing(async () => await put(rui, "1", "leo"))).code, "not-found");
});

Deno.test("the inbox numbers files of equal names, and gives two senders of one name separate folders", async () => {
  const { room, ana } = await roomWithInbox();
  await using _room = room;
  for (const [name, sizes] of [["rui", [10, 20, 30]], ["eva", [40]]] as const) {
    const sender = await room.peer(name);
    for (const size of sizes) {
      await sender.folder.file(`.${size}/work.pdf`, size);
      await put(sender, sender.folder.at(`.${size}`, "work.pdf"));
    }
  }
  assertEquals(await tree(ana.folder), [
    "inbox/eva/work.pdf",
    "inbox/rui/(1) work.pdf",
    "inbox/rui/(2) work.pdf",
    "inbox/rui/work.pdf",
  ]);
});

Deno.test("a peer shares its inbox only with --inbox share, and then also the files that arrived before", async () => {
  const { room, ana } = await roomWithInbox();
  await using _room = room;
  const rui = await room.peer("rui");
  await rui.folder.file(".x/film.mp4", 2 * PIECE_BYTES);
  await put(rui, rui.folder.at(".x/film.mp4"));
  await ana.folder.file("INBOX.txt", 5);
  // Requests for its name or its content also fail.
  const refused = await failing(async () => {
    const wanted = { kind: "file" as const, name: "inbox/rui/film.mp4", size: 2 * PIECE_BYTES, peers: [], others: 0 };
    await rui.peer.transfers.start({ ...wanted, from: "ana" }, { kind: "folder" }).result;
  });
  assertEquals(refused.code, "not-found");
  await ana.peer[Symbol.asyncDispose]();
  await room.peer("ana", ana.folder, { inbox: { ...OPEN, share: true } });
  await rui.folder.file(".x/more.mp4", 10);
  await put(rui, rui.folder.at(".x/more.mp4"));
  const { rows } = await rui.peer.directory.list("ana");
  assertEquals(rows.map(({ name }) => name), ["INBOX.txt", "inbox/rui/film.mp4", "inbox/rui/more.mp4"]);
  // A file from the inbox of another peer is not stored in this peer's own inbox.
  const eva = await room.peer("eva", undefined, { inbox: OPEN });
  await eva.peer.directory.list("ana");
  const got = await eva.peer.transfers.start(await eva.peer.directory.resolve("2"), { kind: "folder" }).result;
  assertEquals(got.path, eva.folder.at("rui/film.mp4"));
  assertEquals(await tree(eva.folder), ["rui/film.mp4"]);
});

Deno.test("rm FILE deletes a file of this peer, which is then no longer shared", async () => {
  const { room, ana } = await roomWithInbox();
  await using _room = room;
  const rui = await room.peer("rui");
  await rui.folder.file(".x/a.bin", 100);
  await put(rui, rui.folder.at(".x/a.bin"));
  await ana.folder.file("b/own.bin", 5);
  const outside = await room.folder();
  await outside.file("c.bin", 5);
  await Deno.symlink(outside.at("c.bin"), ana.folder.at("link.bin"));
  await room.hashed("ana", "b/own.bin");
  for (const name of ["c.bin", "link.bin", "../c.bin", outside.at("c.bin"), ".recess/recess.db", "b"]) {
    assertEquals((await failing(() => ana.peer.inbox.deleteOwn(name))).code, "not-found", name);
  }
  await ana.peer.inbox.deleteOwn("b/own.bin");
  await ana.peer.inbox.deleteOwn("inbox/rui/a.bin");
  assertEquals(ana.peer.files(), []);
  await eventually("the index knows", async () => await room.index.copy("ana", "b/own.bin") === undefined);
  assertEquals([await tree(ana.folder), await tree(outside)], [["link.bin"], ["c.bin"]]);
});

/**
 * Cuts each connection to one port after some bytes were sent through it. `cut` counts the cuts.
 */
function cutting(port: number, bytes: number, cut: { times: number }): Dial {
  return async (address, options) => {
    const connection = await dial(address, options);
    if (address.port !== port || cut.times <= 0) return connection;
    cut.times -= 1;
    const send = connection.sendWithBody.bind(connection);
    connection.sendWithBody = (line, write) =>
      send(line, async (stream) => {
        let left = bytes;
        await write({
          read: (target) => stream.read(target),
          close: () => stream.close(),
          async write(part) {
            const written = await stream.write(part);
            left -= written;
            if (left < 0) throw new Failure("closed", "cut");
            return written;
          },
        });
      });
    return connection;
  };
}

Deno.test("a put continues after its connection breaks, and so does one that is started again", async () => {
  const { room, ana } = await roomWithInbox();
  await using _room = room;
  const cut = { times: 2 };
  const rui = await room.peer("rui", undefined, { dial: cutting(ana.peer.address.port, 6 * PIECE_BYTES, cut) });
  const source = await rui.folder.file(".x/film.bin", 20 * PIECE_BYTES + 9);
  const result = await put(rui, source);
  assertEquals([cut.times, result.path], [0, "inbox/rui/film.bin"]);
  assert(await sameFiles(source, ana.folder.at("inbox/rui/film.bin")));

  // The put ends in the middle, and the same key puts the file again in another run.
  const other = await rui.folder.file(".x/other.bin", 20 * PIECE_BYTES + 9, 5);
  await rui.peer[Symbol.asyncDispose]();
  const slow = await room.peer("rui", rui.folder, { up: 20 * PIECE_BYTES });
  const started = slow.peer.puts.start(other, "ana");
  await eventually(
    "some has arrived",
    () => started.put.view().done > 3 * PIECE_BYTES && started.put.view().state === "running",
  );
  await slow.peer[Symbol.asyncDispose]();
  assertEquals((await failing(() => started.result)).code, "cancelled");
  const again = await room.peer("rui", rui.folder);
  const rest = await put(again, other);
  assert(rest.sent < rest.size - 2 * PIECE_BYTES, `${rest.sent} of ${rest.size} sent`);
  assert(await sameFiles(other, ana.folder.at("inbox/rui/other.bin")));
});

Deno.test("the inbox accepts a file again before it has noticed that the first connection is dead", async () => {
  const { room, ana } = await roomWithInbox();
  await using _room = room;
  const path = await (await room.folder()).file("a.bin", 3 * PIECE_BYTES);
  const bytes = await Deno.readFile(path);
  const digests = [0, 1, 2].flatMap((
    index,
  ) => [...digestOf(bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES))]);
  const identity = await Identity.make();
  using silent = await stranger(room, identity);
  const data = { name: "a.bin", size: bytes.length, root: rootOf(bytes.length, new Uint8Array(digests)) };
  await silent.send(encodeRequest(Put, data, 1));
  assertEquals((await silent.receive({ waitMs: 5_000 }))?.kind, "news");
  using connection = await stranger(room, identity);
  await offered(connection, path);
  assertEquals(await tree(ana.folder), [`inbox/somebody (${fingerprint(identity.id)})/a.bin`]);
});

Deno.test("the inbox deletes an interrupted file when another sender needs the room", async () => {
  const { room, ana } = await roomWithInbox({ inbox: { share: false, quota: 8 * PIECE_BYTES } });
  await using _room = room;
  const rui = await room.peer("rui", undefined, { up: PIECE_BYTES });
  await rui.folder.file(".x/a.bin", 4 * PIECE_BYTES);
  const [eva, leo] = [await room.peer("eva"), await room.peer("leo")];
  for (const { folder } of [eva, leo]) await folder.file(".x/b.bin", 3 * PIECE_BYTES);
  const started = rui.peer.puts.start(rui.folder.at(".x/a.bin"), "ana");
  await eventually("a piece is there", () => started.put.view().state === "running" && started.put.view().done > 0);
  await put(eva, eva.folder.at(".x/b.bin"));
  assertEquals((await failing(() => put(leo, leo.folder.at(".x/b.bin")))).code, "refused", "it is on its way");
  await rui.peer[Symbol.asyncDispose]();
  const incoming = async (): Promise<number> =>
    (await Array.fromAsync(Deno.readDir(ana.folder.at(".recess/incoming")))).length;
  assertEquals(await incoming(), 1);
  await eventually("it has given way", async () => {
    return await put(leo, leo.folder.at(".x/b.bin")).then(() => true, () => false);
  });
  assertEquals(await incoming(), 0);
});
