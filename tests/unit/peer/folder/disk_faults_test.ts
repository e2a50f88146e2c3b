import { assert, assertEquals, assertRejects } from "@std/assert";
import { resolve } from "node:path";
import { Failure } from "../../../../lib/core/failure.ts";
import { FAULTS, FaultyDatabases } from "../../../support/faulty_database.ts";
import { Room } from "../../../support/room.ts";
import { sameFiles } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

const INBOX = { share: false, quota: 1e9 };

for (const fault of Object.keys(FAULTS) as (keyof typeof FAULTS)[]) {
  Deno.test(`a peer keeps what it acknowledged when its database fails repeatedly (${fault})`, async () => {
    await using room = await Room.open();
    const faulty = new FaultyDatabases(fault);
    const ana = await room.peer("ana");
    const folder = await room.folder();
    const options = { inbox: INBOX, openDatabase: faulty.openDatabase };
    const rui = await room.peer("rui", folder, options);
    await ana.folder.file("film.bin", 2_500_000);
    await ana.folder.file("notes.txt", 1_000);
    await room.hashed("ana", "film.bin");
    // Every ninth call fails, and now and then all calls for a while.
    const first = faulty.calls;
    faulty.isFaulty = (call) => (call - first) % 9 === 0 || (call - first) % 300 > 260;
    const wanted = await rui.peer.directory.resolve("film.bin");
    const { path } = await rui.peer.transfers.start(wanted, { kind: "folder" }).result;
    assert(await sameFiles(ana.folder.at("film.bin"), resolve(folder.path, path ?? "")));
    const put = await ana.peer.puts.start("notes.txt", "rui").result;
    assert(await sameFiles(ana.folder.at("notes.txt"), folder.at(...put.path.split("/"))));
    await folder.file("own.bin", 3_000);
    const acknowledged: string[] = [];
    for (let number = 0; number < 20; number++) {
      const { waitsFor } = await ana.peer.outbox.tell("rui", `message ${number}`);
      if (waitsFor === undefined) acknowledged.push(`message ${number}`);
      await rui.peer.outbox.tell("ana", `answer ${number}`).catch((thrown) => assert(thrown instanceof Failure));
    }
    await eventually("own.bin is listed", async () => (await room.index.copy("rui", "own.bin")) !== undefined);
    faulty.isFaulty = () => false;
    await rui.peer[Symbol.asyncDispose]();
    assertEquals(faulty.open.size, 0);
    await ana.peer[Symbol.asyncDispose]();
    const again = await room.peer("rui", folder, { inbox: INBOX });
    const kept = again.peer.outbox.history({ limit: 100 }).filter(({ state }) => state === "received");
    const missing = acknowledged.filter((text) => !kept.some((message) => message.text === text));
    assertEquals(missing, []);
    assertEquals(new Set(kept.map(({ text }) => text)).size, kept.length);
    assertEquals(again.peer.isFirstStart, false);
  });
}

Deno.test("a peer whose database fails at any single call keeps sending messages", async () => {
  await using room = await Room.open();
  const faulty = new FaultyDatabases("I/O");
  const rui = await room.peer("rui", undefined, { openDatabase: faulty.openDatabase });
  const ana = await room.peer("ana");
  const told: string[] = [];
  // One message takes about twenty calls.
  for (let at = 1; at <= 40; at++) {
    const first = faulty.calls;
    faulty.isFaulty = (call) => call === first + at;
    await rui.peer.outbox.tell("ana", `message ${at}`).then(() => told.push(`message ${at}`), (thrown) => {
      assert(thrown instanceof Failure, String(thrown));
    });
    // The calls after the answer belong to the message as well.
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  faulty.isFaulty = () => false;
  await rui.peer.outbox.tell("ana", "the last one");
  const received = ana.peer.outbox.history({ limit: 100 }).map(({ text }) => text);
  assertEquals(told.filter((text) => !received.includes(text)), []);
  assert(received.includes("the last one") && told.length > 10, `${told.length}`);
});

Deno.test("a download removes the unfinished file when its source has changed the content", async () => {
  await using room = await Room.open();
  const ana = await room.peer("ana");
  const rui = await room.peer("rui", undefined, { down: 4_000_000 });
  await ana.folder.file("film.bin", 12_000_000, 1);
  await room.hashed("ana", "film.bin");
  const wanted = await rui.peer.directory.resolve("film.bin");
  const { transfer, result } = rui.peer.transfers.start(wanted, { kind: "folder" });
  await eventually("some of it is there", () => transfer.view().done > 2_000_000);
  await ana.folder.file("film.bin", 11_000_000, 2);
  await assertRejects(() => result, Failure);
  assertEquals(Array.from(Deno.readDirSync(rui.folder.at(".recess", "incoming"))), []);
});
