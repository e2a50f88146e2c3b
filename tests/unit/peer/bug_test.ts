import { assertEquals } from "@std/assert";
import { Room } from "../../support/room.ts";
import { failing } from "../../support/senders.ts";

Deno.test("a bug that keeps a peer from answering is reported to its owner, and as the owner's to the one that asked", async () => {
  await using room = await Room.open();
  const bugs: unknown[] = [];
  const bug = new TypeError("a bug of this test");
  await room.peer("ana", undefined, {
    onEvent(event) {
      if (event.event === "told") throw bug;
    },
    onBug: (thrown) => bugs.push(thrown),
  });
  const rui = await room.peer("rui");
  const told = await rui.peer.outbox.tell("ana", "hello").catch((thrown) => ({ waitsFor: thrown }));
  assertEquals(bugs[0], bug);
  assertEquals([told.waitsFor?.code, told.waitsFor?.hint], [
    "internal",
    "this is a bug at the other side: tell its owner",
  ]);
  assertEquals((await failing(() => rui.peer.directory.list("nobody"))).code, "not-found");
});
