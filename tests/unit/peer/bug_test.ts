import { assertEquals } from "@std/assert";
import { encodeDownload } from "../../../lib/protocol/dialect_requests.ts";
import { Room } from "../../support/room.ts";
import { failing } from "../../support/senders.ts";

Deno.test("a bug in the serving side is reported to its owner, and to the caller as the owner's", async () => {
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

Deno.test("a bug in the answer to a classroom client is reported to the peer's owner", async () => {
  await using room = await Room.open();
  const bugs: unknown[] = [];
  const bug = new TypeError("a bug of this test");
  const { peer, folder } = await room.peer("ana", undefined, {
    plain: true,
    consent: "ask",
    onEvent(event) {
      if (event.event === "asked") throw bug;
    },
    onBug: (thrown) => bugs.push(thrown),
  });
  await folder.file("a.txt", 10);
  await room.hashed("ana", "a.txt");
  using client = await Deno.connect({ hostname: "127.0.0.1", port: peer.address.port });
  await client.write(encodeDownload("json", "a.txt", 1));
  await client.read(new Uint8Array(1_000));
  assertEquals(bugs, [bug]);
  for (const { number } of peer.consent.questions()) peer.consent.refuse(number);
});
