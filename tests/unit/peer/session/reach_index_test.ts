import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { formatAddress } from "../../../../lib/core/address.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { Room } from "../../../support/room.ts";

Deno.test("a peer in the place of the index is named as the cause", async () => {
  await using room = await Room.open();
  const cases = [
    { plain: true, code: "index-unreachable", says: " is a peer, not an index" },
    { plain: false, code: "no-member", says: " uses encryption: it is an index that needs a room key, or a peer" },
  ];
  for (const { plain, code, says } of cases) {
    const { peer } = await room.peer(plain ? "ana" : "eva", undefined, { plain });
    const joining = () => room.peer("rui", undefined, { indexes: [peer.address] });
    const failure = await assertRejects(joining, Failure);
    assertEquals([failure.code, failure.message], [code, formatAddress(peer.address) + says]);
    assertMatch(failure.hint, /--index HOST:PORT/);
  }
});
