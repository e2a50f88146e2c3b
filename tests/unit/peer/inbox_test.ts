/**
 * What others may put into an inbox, and what not. Real sockets, real TLS, real folders, one process.
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { digestOf, PIECE_BYTES, rootOf } from "../../../lib/core/content.ts";
import { Failure } from "../../../lib/core/failure.ts";
import { askBothWays } from "../../../lib/net/both_ways.ts";
import { ask, greet } from "../../../lib/net/caller.ts";
import type { Connection } from "../../../lib/net/connection.ts";
import { type Dial, dial } from "../../../lib/net/dial.ts";
import { Identity, identityOf } from "../../../lib/net/identity.ts";
import { type Offer, OFFER_ROUTES } from "../../../lib/peer/offer.ts";
import type { PeerOptions } from "../../../lib/peer/peer.ts";
import type { PutResult } from "../../../lib/peer/running_put.ts";
import { encodeRequest } from "../../../lib/protocol/envelope.ts";
import { Put, Remove } from "../../../lib/protocol/inbox.ts";
import { List } from "../../../lib/protocol/files.ts";
import type { ReplyOf } from "../../../lib/protocol/message.ts";
import { Room, type RoomPeer } from "../../support/room.ts";
import { sameFiles, type TempFolder } from "../../support/temp.ts";
import { eventually } from "../../support/wait.ts";

const OPEN = { share: false, quota: 100 * PIECE_BYTES };

/** A room in which ana takes files. */
async function roomWithInbox(options: Partial<PeerOptions> = {}): Promise<{ room: Room; ana: RoomPeer }> {
  const room = await Room.open();
  const ana = await room.peer("ana", undefined, { inbox: OPEN, ...options });
  return { room, ana };
}

async function put({ peer }: RoomPeer, what: string, to = "ana"): Promise<PutResult> {
  return await peer.puts.start(what, to).result;
}

async function failing(run: () => Promise<unknown>): Promise<Failure> {
  return await assertRejects(run, Failure);
}

/** Every file below a folder but the peer's own state, in order. */
async function tree(folder: TempFolder): Promise<string[]> {
  const names: string[] = [];
  const pending = [""];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for await (const { name, isDirectory } of Deno.readDir(folder.at(at))) {
      if (isDirectory && name !== ".recess") pending.push(at === "" ? name : `${at}/${name}`);
      else if (!isDirectory) names.push(at === "" ? name : `${at}/${name}`);
    }
  }
  return names.sort();
}

/** Somebody with a key who is no peer, connected to ana. */
async function stranger(room: Room, identity?: Identity): Promise<Connection> {
  const row = await room.index.peer("ana");
  assert(row?.port !== undefined);
  const called = await identityOf(Uint8Array.fromHex(row.certificate));
  const connection = await dial({ host: "127.0.0.1", port: row.port }, { identity: called });
  await greet(connection, { name: "nobody", identity: identity ?? await Identity.make() });
  return connection;
}

/** Offers a file in whatever words one likes. */
async function offered(
  connection: Connection,
  path: string,
  said: Partial<Offer> = {},
): Promise<ReplyOf<typeof Put>> {
  const bytes = await Deno.readFile(path);
  const { size, mtime } = await Deno.stat(path);
  const pieces = Array.from({ length: Math.ceil(size / PIECE_BYTES) }, (_, index) => {
    return digestOf(bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES));
  });
  const digests = new Uint8Array(pieces.flatMap((digest) => [...digest]));
  const version = { size, modified: mtime?.getTime() ?? 0 };
  const offer = { path, name: "a.bin", ...version, digests, root: rootOf(digests), pace: undefined, ...said };
  const { name, root } = offer;
  return await askBothWays(connection, Put, { name, size: offer.size, root }, {
    routes: OFFER_ROUTES,
    context: offer,
    onNews: () => {},
  });
}

Deno.test("put brings any file into the inbox: a shared one by number or name, another by its path; it stays unshared", async () => {
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

Deno.test("equal names in an inbox are numbered, and two senders of one name never meet", async () => {
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

Deno.test("what arrives is shared on only where the owner says so, also what arrived before", async () => {
  const { room, ana } = await roomWithInbox();
  await using _room = room;
  const rui = await room.peer("rui");
  await rui.folder.file(".x/film.mp4", 2 * PIECE_BYTES);
  await put(rui, rui.folder.at(".x/film.mp4"));
  await ana.folder.file("INBOX.txt", 5);
  // Nobody gets it by asking for its name or its content either.
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
  // What comes out of an inbox does not land in one's own.
  const eva = await room.peer("eva", undefined, { inbox: OPEN });
  await eva.peer.directory.list("ana");
  const got = await eva.peer.transfers.start(await eva.peer.directory.resolve("2"), { kind: "folder" }).result;
  assertEquals(got.path, "rui/film.mp4");
  assertEquals(await tree(eva.folder), ["rui/film.mp4"]);
});

Deno.test("hostile names put nothing outside the sender's own folder of the inbox", async () => {
  const { room, ana } = await roomWithInbox();
  await using _room = room;
  const source = await room.folder();
  const path = await source.file("a.bin", 100);
  const refused = [
    "../a.bin",
    "../../a.bin",
    "/etc/passwd",
    "x/../../a.bin",
    "..",
    ".",
    ".ssh",
    ".recess",
    "C:a.bin",
    "\\\\host\\a.bin",
    "\\a.bin",
    "eva/a.bin",
    "inbox/a.bin",
    "inbox/../a.bin",
    " .bashrc",
  ];
  for (const name of refused) {
    using connection = await stranger(room);
    assertEquals((await failing(() => offered(connection, path, { name }))).code, "bad-name", name);
  }
  for (const name of ["con.txt", "a\u0000.bin", "a\u001b[2J.bin", "a:b", "inbox", "..\\a.bin", "x ", "x.tmp"]) {
    using connection = await stranger(room);
    await offered(connection, path, { name }).catch((thrown) => {
      assert(thrown instanceof Failure && ["bad-name", "malformed"].includes(thrown.code), name);
    });
  }
  for (const name of await tree(ana.folder)) assertMatch(name, /^inbox\/somebody\/[^/\\:\p{C}]+$/u);
  // A link that lies where the folder of a sender is to be.
  const outside = await room.folder();
  await Deno.remove(ana.folder.at("inbox/somebody"), { recursive: true });
  await Deno.symlink(outside.path, ana.folder.at("inbox/somebody"));
  using connection = await stranger(room);
  assertEquals((await failing(() => offered(connection, path))).code, "bad-name");
  assertEquals(await tree(outside), []);
});

Deno.test("a size, a root or bytes that lie leave nothing in the inbox", async () => {
  const { room, ana } = await roomWithInbox();
  await using _room = room;
  const source = await room.folder();
  const path = await source.file("a.bin", PIECE_BYTES + 1000);
  const other = await source.file("b.bin", PIECE_BYTES + 1000, 7);
  const lies: [said: Partial<Offer>, codes: string[]][] = [
    [{ size: 10 }, ["malformed", "corrupt"]],
    [{ size: 0 }, ["corrupt"]],
    [{ size: PIECE_BYTES + 999 }, ["file-changed", "corrupt"]],
    [{ size: 3 * PIECE_BYTES }, ["timeout"]],
    [{ root: "ab".repeat(32) }, ["corrupt"]],
    [{ path: other, modified: (await Deno.stat(other)).mtime?.getTime() ?? 0 }, ["corrupt"]],
  ];
  for (const [said, codes] of lies) {
    using connection = await stranger(room);
    const { code } = await failing(() => offered(connection, path, said));
    assert(codes.includes(code), `${JSON.stringify(said)}: ${code}`);
  }
  assertEquals(await tree(ana.folder), []);
  using connection = await stranger(room);
  await offered(connection, path);
  assertEquals(await tree(ana.folder), ["inbox/somebody/a.bin"]);
});

Deno.test("without an inbox nothing is taken, and without consent neither", async () => {
  await using room = await Room.open();
  await room.peer("closed");
  const deaf = await room.peer("deaf", undefined, { inbox: OPEN, consent: "deny" });
  const asked = await room.peer("ana", undefined, { inbox: OPEN, consent: "ask" });
  const rui = await room.peer("rui");
  await rui.folder.file("a.bin", 100);
  const none = await failing(() => put(rui, rui.folder.at("a.bin"), "closed"));
  assertEquals([none.code, none.hint], ["refused", "ask them to start with --inbox"]);
  assertEquals((await failing(() => rui.peer.puts.takeBack("a.bin", "closed"))).code, "refused");
  assertEquals((await failing(() => put(rui, rui.folder.at("a.bin"), "deaf"))).code, "refused");
  for (const isAllowed of [false, true]) {
    const started = rui.peer.puts.start(rui.folder.at("a.bin"), "ana");
    const question = await eventually("the question", () => asked.peer.consent.questions()[0]);
    assertEquals([question.kind, question.name, question.size, question.peer], ["upload", "a.bin", 100, "rui"]);
    await eventually("rui knows", () => started.put.view().isAsking);
    if (isAllowed) asked.peer.consent.accept(question.number);
    else asked.peer.consent.refuse(question.number);
    if (isAllowed) await started.result;
    else assertEquals((await failing(() => started.result)).code, "refused");
  }
  assertEquals([await tree(deaf.folder), await tree(asked.folder)], [[], ["inbox/rui/a.bin"]]);
});

Deno.test("a full inbox takes nothing more, before the first byte; what its owner moves out makes room", async () => {
  const { room, ana } = await roomWithInbox({ inbox: { share: false, quota: 8 * PIECE_BYTES } });
  await using _room = room;
  const rui = await room.peer("rui");
  const eva = await room.peer("eva");
  for (const { folder } of [rui, eva]) {
    await folder.file(".x/large.bin", 4 * PIECE_BYTES + 1);
    await folder.file(".x/half.bin", 4 * PIECE_BYTES, folder === rui.folder ? 1 : 2);
    await folder.file(".x/small.bin", 10);
  }
  const own = await failing(() => put(rui, rui.folder.at(".x/large.bin")));
  assertEquals(own.code, "refused");
  assertStringIncludes(own.message, "one peer may have 4.19 MB there, and you have 0 B");
  await put(rui, rui.folder.at(".x/half.bin"));
  await put(eva, eva.folder.at(".x/half.bin"));
  assertStringIncludes((await failing(() => put(eva, eva.folder.at(".x/small.bin")))).message, "room for 0 B");
  assertEquals((await tree(ana.folder)).length, 2);
  await Deno.rename(ana.folder.at("inbox/eva/half.bin"), ana.folder.at("half.bin"));
  await put(eva, eva.folder.at(".x/small.bin"));
  assertEquals((await put(rui, rui.folder.at(".x/half.bin"))).alreadyHere, true);
});

Deno.test("rm takes back what one put there oneself, unchanged, and nothing of anybody else", async () => {
  const { room, ana } = await roomWithInbox();
  await using _room = room;
  const rui = await room.peer("rui");
  const eva = await room.peer("eva");
  for (const { folder } of [rui, eva]) await folder.file(".x/a.bin", 100);
  await rui.folder.file(".x/b.bin", 200);
  await put(rui, rui.folder.at(".x/a.bin"));
  await put(rui, rui.folder.at(".x/b.bin"));
  await ana.folder.file("inbox/rui/mine.txt", 5);
  await ana.folder.file("mine.txt", 5);
  const names = ["a.bin", "inbox/rui/a.bin", "../rui/a.bin", "mine.txt", "inbox/rui/mine.txt", "../mine.txt", "inbox"];
  for (const name of names) {
    assertEquals((await failing(() => eva.peer.puts.takeBack(name, "ana"))).code, "not-found", name);
  }
  const missing = await failing(() => rui.peer.puts.takeBack("mine.txt", "ana"));
  assertStringIncludes(missing.hint, '"a.bin", "b.bin"');
  // Whoever takes the name has not the key.
  using thief = await stranger(room);
  assertEquals((await failing(() => ask(thief, Remove, { name: "a.bin" }))).code, "not-found");
  assertEquals(await rui.peer.puts.takeBack("a.bin", "ana"), { name: "inbox/rui/a.bin", peer: "ana" });
  await Deno.writeTextFile(ana.folder.at("inbox/rui/b.bin"), "marked: very good");
  assertEquals((await failing(() => rui.peer.puts.takeBack("b.bin", "ana"))).code, "file-changed");
  assertEquals((await failing(() => rui.peer.puts.takeBack("b.bin", "ana"))).code, "not-found");
  assertEquals(await tree(ana.folder), ["inbox/rui/b.bin", "inbox/rui/mine.txt", "mine.txt"]);
  assertEquals(ana.events.filter(({ event }) => event === "taken-back").length, 1);
});

Deno.test("rm without a peer deletes one's own file and stops sharing it; nothing else", async () => {
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

/** Cuts a connection to one port after so many bytes were sent through it; `cut` says how often. */
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

Deno.test("a put whose connection breaks goes on by itself, and so does one that is put again", async () => {
  const { room, ana } = await roomWithInbox();
  await using _room = room;
  const cut = { times: 2 };
  const rui = await room.peer("rui", undefined, { dial: cutting(ana.peer.address.port, 6 * PIECE_BYTES, cut) });
  const source = await rui.folder.file(".x/film.bin", 20 * PIECE_BYTES + 9);
  const result = await put(rui, source);
  assertEquals([cut.times, result.path], [0, "inbox/rui/film.bin"]);
  assert(await sameFiles(source, ana.folder.at("inbox/rui/film.bin")));

  // Ended in the middle for good, then put again by the same key from another run.
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

Deno.test("who puts a file again need not wait until its dead connection is noticed", async () => {
  const { room, ana } = await roomWithInbox();
  await using _room = room;
  const path = await (await room.folder()).file("a.bin", 3 * PIECE_BYTES);
  const bytes = await Deno.readFile(path);
  const digests = [0, 1, 2].flatMap((
    index,
  ) => [...digestOf(bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES))]);
  const identity = await Identity.make();
  using silent = await stranger(room, identity);
  const data = { name: "a.bin", size: bytes.length, root: rootOf(new Uint8Array(digests)) };
  await silent.send(encodeRequest(Put, data, 1));
  assertEquals((await silent.receive({ waitMs: 5_000 }))?.kind, "news");
  using connection = await stranger(room, identity);
  await offered(connection, path);
  assertEquals(await tree(ana.folder), ["inbox/somebody/a.bin"]);
});

Deno.test("what somebody else has begun and left gives way to whoever needs the room", async () => {
  const { room, ana } = await roomWithInbox({ inbox: { share: false, quota: 8 * PIECE_BYTES } });
  await using _room = room;
  const rui = await room.peer("rui", undefined, { up: 2 * PIECE_BYTES });
  await rui.folder.file(".x/a.bin", 4 * PIECE_BYTES);
  const started = rui.peer.puts.start(rui.folder.at(".x/a.bin"), "ana");
  await eventually("a piece is there", () => started.put.view().state === "running" && started.put.view().done > 0);
  const [eva, leo] = [await room.peer("eva"), await room.peer("leo")];
  for (const { folder } of [eva, leo]) await folder.file(".x/b.bin", 3 * PIECE_BYTES);
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

Deno.test("who is put a file may ask for that file alone", async () => {
  const { room } = await roomWithInbox();
  await using _room = room;
  const folder = await room.folder();
  const path = await folder.file("a.bin", 100);
  const secret = await folder.file("secret.bin", 100, 3);
  const { mtime } = await Deno.stat(path);
  const digests = digestOf(await Deno.readFile(path));
  const offer = {
    path,
    name: "a.bin",
    size: 100,
    modified: mtime?.getTime() ?? 0,
    digests,
    root: rootOf(digests),
    pace: undefined,
  };
  const questions: [method: string, data: object][] = [
    ["PIECES", { name: "secret.bin", from: 0, limit: 1 }],
    ["PIECES", { root: "ab".repeat(32), from: 0, limit: 1 }],
    ["DOWNLOAD", { name: "a.bin", start: 0, end: 1 }],
    ["DOWNLOAD", { root: rootOf(digestOf(await Deno.readFile(secret))), start: 0, end: 1 }],
    ["DOWNLOAD", { root: offer.root, start: 0, end: 101 }],
  ];
  for (const [method, data] of questions) {
    const route = OFFER_ROUTES.get(method);
    assert(route !== undefined);
    const { code } = await failing(async () => await route.answer(offer, data, 1));
    assert(["not-shared", "malformed"].includes(code), `${method} ${JSON.stringify(data)}: ${code}`);
  }
  assertEquals(OFFER_ROUTES.get(List.method), undefined);
});
