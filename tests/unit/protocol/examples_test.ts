import { assertEquals } from "@std/assert";
import { greet } from "../../../lib/net/caller.ts";
import { dial } from "../../../lib/net/dial.ts";
import { Identity } from "../../../lib/net/identity.ts";
import { decodeLine, encodeFailure, encodeRequest } from "../../../lib/protocol/envelope.ts";
import { Leave } from "../../../lib/protocol/presence.ts";
import { PROJECT } from "../../support/programs.ts";
import { Room } from "../../support/room.ts";

/** The example of each kind of message in the protocol page. */
async function examples(): Promise<Map<string, string>> {
  const page = await Deno.readTextFile(`${PROJECT}/lib/protocol/README.md`);
  return new Map(Array.from(page.matchAll(/^(request|reply|failure|news) +(\{.+\})$/gm), ([, kind = "", line = ""]) => {
    return [kind, line];
  }));
}

Deno.test("the examples of the protocol page are messages of their kinds", async () => {
  const found = await examples();
  for (const [kind, line] of found) assertEquals(decodeLine(new TextEncoder().encode(line)).kind, kind);
  assertEquals(found.size, 4);
});

Deno.test("the failure in the protocol page is what an index answers to a peer that has not joined", async () => {
  await using room = await Room.open();
  using connection = await dial(room.address);
  await greet(connection, { called: "index", identity: await Identity.make() });
  await connection.send(encodeRequest(Leave, {}, 7));
  const answer = await connection.receive({ waitMs: 5_000 });
  if (answer?.kind !== "failure") throw new TypeError("the answer is not a failure");
  const line = new TextDecoder().decode(encodeFailure(answer.failure, answer.id)).trim();
  assertEquals(line, (await examples()).get("failure"));
});
