/**
 * What peers may not put into an inbox, and may not remove from it. Real sockets, real TLS, real
 * folders, one process.
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { digestOf, PIECE_BYTES, rootOf } from "../../../../lib/core/content.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { fingerprint } from "../../../../lib/core/fingerprint.ts";
import { ask } from "../../../../lib/net/caller.ts";
import { Identity } from "../../../../lib/net/identity.ts";
import { type Offer, OFFER_ROUTES } from "../../../../lib/peer/inbox/offer.ts";
import { Remove } from "../../../../lib/protocol/inbox.ts";
import { List } from "../../../../lib/protocol/files.ts";
import { Room } from "../../../support/room.ts";
import { eventually } from "../../../support/wait.ts";

import { failing, offered, OPEN, put, roomWithInbox, stranger, tree } from "../../../support/senders.ts";

Deno.test("the inbox stores nothing outside the sender's own folder, whatever the name", async () => {
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
    "C:\\a.bin",
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
  for (
    const name of [
      "con.txt",
      "C:a.bin",
      "RECESS~1",
      "a\u0000.bin",
      "a\u001b[2J.bin",
      "a:b",
      "inbox",
      "..\\a.bin",
      "x ",
      "x.tmp",
    ]
  ) {
    using connection = await stranger(room);
    await offered(connection, path, { name }).catch((thrown) => {
      assert(thrown instanceof Failure && ["bad-name", "malformed"].includes(thrown.code), name);
    });
  }
  for (const name of await tree(ana.folder)) assertMatch(name, /^inbox\/somebody \([0-9a-f-]{19}\)\/[^/\\:\p{C}]+$/u);
  // A link in the place of a sender's folder.
  const outside = await room.folder();
  const identity = await Identity.make();
  await Deno.symlink(outside.path, ana.folder.at(`inbox/somebody (${fingerprint(identity.id)})`));
  using connection = await stranger(room, identity);
  assertEquals((await failing(() => offered(connection, path))).code, "bad-name");
  assertEquals(await tree(outside), []);
});

Deno.test("the inbox keeps nothing of a file with a false size, root or content", async () => {
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
  assertMatch((await tree(ana.folder)).join(" "), /^inbox\/somebody \(\S+\)\/a\.bin$/);
});

Deno.test("a peer accepts no file without an inbox or without consent", async () => {
  await using room = await Room.open();
  await room.peer("closed");
  const deaf = await room.peer("deaf", undefined, { inbox: OPEN, consent: "deny" });
  const asked = await room.peer("ana", undefined, { inbox: OPEN, consent: "ask" });
  const rui = await room.peer("rui");
  await rui.folder.file("a.bin", 100);
  const none = await failing(() => put(rui, rui.folder.at("a.bin"), "closed"));
  assertEquals([none.code, none.hint], ["refused", "ask its owner to start it with --inbox"]);
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

Deno.test("a full inbox refuses a file before its first byte until its owner moves files out", async () => {
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

Deno.test("rm FILE PEER deletes only unchanged files that the same peer has put there", async () => {
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
  // A peer that takes the name does not have the key.
  using thief = await stranger(room);
  assertEquals((await failing(() => ask(thief, Remove, { name: "a.bin" }))).code, "not-found");
  assertEquals(await rui.peer.puts.takeBack("a.bin", "ana"), { name: "inbox/rui/a.bin", peer: "ana" });
  await Deno.writeTextFile(ana.folder.at("inbox/rui/b.bin"), "marked: very good");
  assertEquals((await failing(() => rui.peer.puts.takeBack("b.bin", "ana"))).code, "file-changed");
  assertEquals((await failing(() => rui.peer.puts.takeBack("b.bin", "ana"))).code, "not-found");
  assertEquals(await tree(ana.folder), ["inbox/rui/b.bin", "inbox/rui/mine.txt", "mine.txt"]);
  assertEquals(ana.events.filter(({ event }) => event === "taken-back").length, 1);
});

Deno.test("the receiver of a put can request only the offered file", async () => {
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
    executable: false,
    digests,
    root: rootOf(100, digests),
    pace: undefined,
  };
  const questions: [method: string, data: object][] = [
    ["PIECES", { name: "secret.bin", from: 0, limit: 1 }],
    ["PIECES", { root: "ab".repeat(32), from: 0, limit: 1 }],
    ["DOWNLOAD", { name: "a.bin", start: 0, end: 1 }],
    ["DOWNLOAD", { root: rootOf(100, digestOf(await Deno.readFile(secret))), start: 0, end: 1 }],
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
