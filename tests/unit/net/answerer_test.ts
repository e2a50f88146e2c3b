import { assertEquals, assertLess } from "@std/assert";
import { joinBytes } from "../../../lib/core/bytes.ts";
import { answerRequests, route, routes } from "../../../lib/net/answerer.ts";
import { greet } from "../../../lib/net/caller.ts";
import { dial } from "../../../lib/net/dial.ts";
import { Identity } from "../../../lib/net/identity.ts";
import { Listener } from "../../../lib/net/listener.ts";
import { encodeRequest } from "../../../lib/protocol/envelope.ts";
import { Ping } from "../../../lib/protocol/presence.ts";

const REQUESTS = 40;
const COST_MS = 4;
const IDENTITY = await Identity.make();

Deno.test("answerRequests() lets others have a turn between costly requests that came together", async () => {
  let inTurn = 0;
  let most = 0;
  const answers = routes(route(Ping, () => {
    most = Math.max(most, ++inTurn);
    for (const endMs = performance.now() + COST_MS; performance.now() < endMs;);
    return Promise.resolve({ data: {} });
  }));
  await using listener = await Listener.listen({ host: "127.0.0.1", port: 0 }, {
    connectionsMax: 1,
    identity: IDENTITY,
    serve: async (connection) => void await answerRequests(connection, answers, {}, { idleMs: 5_000 }),
  });
  using asking = await dial(listener.address, { identity: IDENTITY });
  await greet(asking, { identity: IDENTITY, called: "index" });
  const turns = setInterval(() => inTurn = 0, 0);
  await asking.send(joinBytes(Array.from({ length: REQUESTS }, (_, index) => encodeRequest(Ping, {}, index + 1))));
  for (let count = 0; count < REQUESTS; count++) {
    assertEquals((await asking.receive({ waitMs: 5_000 }))?.kind, "reply");
  }
  clearInterval(turns);
  assertLess(most, REQUESTS / 4);
});
