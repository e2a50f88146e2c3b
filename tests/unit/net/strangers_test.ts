import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Clock } from "../../../lib/core/flow/clock.ts";
import { Failure } from "../../../lib/core/failure.ts";
import { CallerPaces } from "../../../lib/net/caller_paces.ts";
import { answerRequests, routes } from "../../../lib/net/answerer.ts";
import { ask, greet, makeNonce } from "../../../lib/net/caller.ts";
import type { Connection } from "../../../lib/net/connection.ts";
import { dial } from "../../../lib/net/dial.ts";
import { Identity } from "../../../lib/net/identity.ts";
import { Listener } from "../../../lib/net/listener.ts";
import { Hello } from "../../../lib/protocol/hello.ts";
import { connectFrom } from "../../support/connect_from.ts";
import { eventually } from "../../support/wait.ts";

/** A listener with few places, which answers nothing but HELLO and PROVE. */
async function listen(options: { strangersMax?: number; connectionsMax?: number; identity?: Identity }) {
  return await Listener.listen({ host: "0.0.0.0", port: 0 }, {
    connectionsMax: 100,
    ...options,
    serve: (connection) =>
      answerRequests(connection, routes(), {}, { name: () => "ana", idleMs: 20_000 }).then(() => {}),
  });
}

/** Connects and says HELLO, and proves a key where there is one. Shape: the connection. */
async function greeted(port: number, from: string, identity?: Identity): Promise<Connection> {
  const connection = await connectFrom(from, port);
  await greet(connection, { identity });
  return connection;
}

Deno.test("a stranger of another address, and a proven caller, replace the oldest of many strangers", async () => {
  await using listener = await listen({ strangersMax: 8 });
  const { port } = listener.address;
  using stack = new DisposableStack();
  const strangers: Connection[] = [];
  for (let number = 0; number < 8; number++) strangers.push(stack.use(await greeted(port, "127.0.0.2")));
  const honest = stack.use(await greeted(port, "127.0.0.3", await Identity.make()));
  assertEquals(await strangers[0]?.receive({ waitMs: 5_000 }), null);
  // The proven one no longer holds a stranger's place: there is one for the next, and then again
  // the oldest goes.
  stack.use(await greeted(port, "127.0.0.3"));
  stack.use(await greeted(port, "127.0.0.4"));
  assertEquals(await strangers[1]?.receive({ waitMs: 5_000 }), null);
  for (let number = 0; number < 50; number++) await greeted(port, "127.0.0.2").then((each) => each.close(), () => {});
  assertEquals(honest.ended, undefined);
  assertEquals((await ask(honest, Hello, { version: 1, software: "x", nonce: makeNonce() })).data.name, "ana");
});

Deno.test("half-open connections of one address keep no other address out, and their own not for long", async () => {
  const identity = await Identity.make();
  await using listener = await listen({ strangersMax: 8, identity });
  const { port } = listener.address;
  using stack = new DisposableStack();
  for (let number = 0; number < 40; number++) stack.use(await connectFrom("127.0.0.1", port));
  await eventually("an honest caller of the same address is served", async () => {
    using connection = await dial({ host: "127.0.0.1", port }, { identity }).catch(() => undefined);
    if (connection === undefined) return false;
    return await greet(connection, { identity: await Identity.make() }).then(() => true, () => false);
  });
});

Deno.test("one key with all connections loses some to others, and made-up keys of one address do not", async () => {
  await using listener = await listen({ connectionsMax: 8 });
  const { port } = listener.address;
  using stack = new DisposableStack();
  const greedy = await Identity.make();
  const taken: Connection[] = [];
  for (let number = 0; number < 8; number++) taken.push(stack.use(await greeted(port, "127.0.0.2", greedy)));
  const refused = await assertRejects(() => greeted(port, "127.0.0.2", greedy), Failure);
  assertEquals(refused.code, "busy");
  const honest: Connection[] = [];
  for (const host of ["127.0.0.2", "127.0.0.3", "127.0.0.3"]) {
    honest.push(stack.use(await greeted(port, host, await Identity.make())));
  }
  await eventually("the newest of the greedy key are closed", async () => {
    return (await Promise.all(taken.slice(5).map((each) => each.receive({ waitMs: 5_000 })))).every((it) =>
      it === null
    );
  });
  for (let number = 0; number < 20; number++) {
    const made = await greeted(port, "127.0.0.2", await Identity.make()).catch(() => undefined);
    if (made !== undefined) stack.use(made);
  }
  for (const each of honest.slice(1)) {
    assertEquals((await ask(each, Hello, { version: 1, software: "x", nonce: makeNonce() })).data.name, "ana");
  }
});

Deno.test("CallerPaces slows down each caller by its own pace only", async () => {
  let waitedMs = 0;
  const clock: Clock = {
    now: () => 0,
    delay: (ms) => {
      waitedMs = Math.max(waitedMs, ms);
      return Promise.resolve();
    },
  };
  const paces = new CallerPaces(100, clock);
  for (let time = 0; time < 1_000; time++) await paces.wait("10.0.0.1");
  assert(waitedMs > 9_000 && waitedMs < 10_000, String(waitedMs));
  waitedMs = 0;
  await paces.wait("10.0.0.2");
  assertEquals(waitedMs, 0);
});
