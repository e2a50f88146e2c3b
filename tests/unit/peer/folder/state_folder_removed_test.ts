import { assertEquals } from "@std/assert";
import { Room } from "../../../support/room.ts";
import { OPEN } from "../../../support/senders.ts";
import { eventually } from "../../../support/wait.ts";

Deno.test("a peer whose .recess is removed keeps its key, its blocked peers and its messages", async () => {
  await using room = await Room.open();
  let ana = await room.peer("ana", undefined, { inbox: OPEN });
  const eva = await room.peer("eva");
  const mia = await room.peer("mia");
  const { id } = ana.peer;
  await eva.peer.outbox.tell("ana", "before");
  await ana.peer.blocking.block("mia");
  await Deno.remove(ana.folder.at(".recess"), { recursive: true });
  await eva.peer.outbox.tell("ana", "after");
  await eva.folder.file("work.bin", 3_000_000);
  await eva.peer.puts.start(await eva.folder.at("work.bin"), "ana").result;
  await ana.peer[Symbol.asyncDispose]();
  ana = await room.peer("ana", ana.folder);
  assertEquals(ana.peer.id, id);
  assertEquals(ana.peer.blocking.list().map((blocked) => blocked.id), [mia.peer.id]);
  const texts = await eventually("both messages", () => {
    const found = ana.peer.outbox.history({ limit: 10 }).map(({ text }) => text);
    return found.length === 2 ? found : undefined;
  });
  assertEquals(texts, ["before", "after"]);
  assertEquals(await Array.fromAsync(Deno.readDir(ana.folder.at("inbox/eva")), ({ name }) => name), ["work.bin"]);
});
