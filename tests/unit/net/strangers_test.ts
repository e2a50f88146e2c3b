import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Clock } from "../../../lib/core/clock.ts";
import { Failure } from "../../../lib/core/failure.ts";
import { STRANGERS_PER_ADDRESS_MAX } from "../../../lib/core/limits.ts";
import { AddressPaces } from "../../../lib/net/address_paces.ts";
import { answerRequests, routes } from "../../../lib/net/answerer.ts";
import { greet } from "../../../lib/net/caller.ts";
import type { Connection } from "../../../lib/net/connection.ts";
import { dial } from "../../../lib/net/dial.ts";
import { Identity } from "../../../lib/net/identity.ts";
import { Listener } from "../../../lib/net/listener.ts";
import { eventually } from "../../support/wait.ts";

Deno.test("an address may have so many connections that nobody has proven to be; who is known does not count", async () => {
  await using listener = await Listener.listen({ host: "127.0.0.1", port: 0 }, {
    connectionsMax: 10_000,
    serve: (connection) => answerRequests(connection, routes(), {}, { idleMs: 20_000 }).then(() => {}),
  });
  using stack = new DisposableStack();
  const identity = await Identity.make();
  const connect = async (): Promise<Connection> => stack.use(await dial(listener.address));
  for (let number = 0; number < 20; number++) await greet(await connect(), { called: "index", identity });
  const strangers: Connection[] = [];
  for (let number = 0; number < STRANGERS_PER_ADDRESS_MAX; number++) {
    const connection = await connect();
    strangers.push(connection);
    await greet(connection);
  }
  const failure = await assertRejects(async () => await greet(await connect(), { called: "index", identity }), Failure);
  assertEquals(failure.code, "busy");
  strangers[0]?.close();
  await eventually("there is room again", async () => {
    return await greet(await connect(), { called: "index", identity }).then(() => true, () => false);
  });
});

Deno.test("AddressPaces lets nobody go faster than his pace, and nobody wait for another", async () => {
  let waitedMs = 0;
  const clock: Clock = {
    now: () => 0,
    delay: (ms) => {
      waitedMs = Math.max(waitedMs, ms);
      return Promise.resolve();
    },
  };
  const paces = new AddressPaces(100, clock);
  for (let time = 0; time < 1_000; time++) await paces.wait("10.0.0.1");
  assert(waitedMs > 9_000 && waitedMs < 10_000, String(waitedMs));
  waitedMs = 0;
  await paces.wait("10.0.0.2");
  assertEquals(waitedMs, 0);
});
