import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { settlesWithin } from "../../../lib/core/flow/clock.ts";
import { Failure } from "../../../lib/core/failure.ts";
import { answerRequests, routes } from "../../../lib/net/answerer.ts";
import { greet } from "../../../lib/net/caller.ts";
import type { Connection } from "../../../lib/net/connection.ts";
import { dial } from "../../../lib/net/dial.ts";
import { Identity } from "../../../lib/net/identity.ts";
import { Listener } from "../../../lib/net/listener.ts";
import { eventually } from "../../support/wait.ts";

function serveHello(connection: Connection): Promise<void> {
  const options = { name: () => connection.remote.host, idleMs: 2_000 };
  return answerRequests(connection, routes(), {}, options).then(() => {});
}

/** More than the system holds for one connection, on both sides together. */
const SYSTEM_BYTES_MAX = 64_000_000;

Deno.test("Listener on every interface takes both families, each under its own address", async () => {
  await using listener = await Listener.listen({ host: "0.0.0.0", port: 0 }, { connectionsMax: 9, serve: serveHello });
  const seen: (string | undefined)[] = [];
  for (const host of ["127.0.0.1", "::1", "localhost"]) {
    using connection = await dial({ host, port: listener.address.port });
    seen.push(await greet(connection));
  }
  assertEquals(seen.slice(0, 2), ["127.0.0.1", "::1"]);
  assertEquals(listener.address.host, "0.0.0.0");
});

Deno.test("Listener on IPv6 loopback works by itself", async () => {
  await using listener = await Listener.listen({ host: "::1", port: 0 }, { connectionsMax: 9, serve: serveHello });
  using connection = await dial(listener.address);
  assertEquals(await greet(connection), "::1");
});

Deno.test("Listener rejects a proven caller when all places are taken", async () => {
  await using listener = await Listener.listen({ host: "127.0.0.1", port: 0 }, {
    connectionsMax: 1,
    fullHint: "come later",
    serve: serveHello,
  });
  const greeting = async (connection: Connection) => await greet(connection, { identity: await Identity.make() });
  using first = await dial(listener.address);
  assertEquals(await greeting(first), "127.0.0.1");
  using second = await dial(listener.address);
  const failure = await assertRejects(() => greeting(second), Failure);
  assertEquals([failure.code, failure.hint], ["busy", "come later"]);
  first.close();
  await eventually("there is room", async () => {
    using third = await dial(listener.address);
    return await greeting(third).then(() => true, () => false);
  });
});

Deno.test("Listener fails with a sentence when its port is taken", async () => {
  await using listener = await Listener.listen({ host: "127.0.0.1", port: 0 }, {
    connectionsMax: 1,
    serve: serveHello,
  });
  const failure = await assertRejects(
    () => Listener.listen(listener.address, { connectionsMax: 1, serve: serveHello }),
    Failure,
  );
  assertEquals(failure.code, "unreachable");
  assertEquals(failure.hint.includes("--port"), true);
});

Deno.test("dial() fails on a closed port, after its wait on a silent host, and at once by its signal", async () => {
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr as Deno.NetAddr;
  closed.close();
  const refused = await assertRejects(() => dial({ host: "127.0.0.1", port }), Failure);
  assertEquals([refused.code, refused.message], ["unreachable", `Cannot reach 127.0.0.1:${port}: connection refused`]);
  const wanted = await assertRejects(
    () => dial({ host: "127.0.0.1", port }, { failure: "index-unreachable" }),
    Failure,
  );
  assertEquals(wanted.code, "index-unreachable");
  const signal = AbortSignal.abort(new Failure("cancelled", "no"));
  assertEquals((await assertRejects(() => dial({ host: "127.0.0.1", port }, { signal }), Failure)).code, "cancelled");
});

Deno.test("an encrypted connection receives only what its reader asks for", async () => {
  const identity = await Identity.make();
  const over = Promise.withResolvers<void>();
  await using listener = await Listener.listen({ host: "127.0.0.1", port: 0 }, {
    connectionsMax: 2,
    identity,
    serve: async (connection) => {
      await connection.readBody(new Uint8Array(10));
      await over.promise;
    },
  });
  using connection = await dial(listener.address, { identity });
  let sentBytes = 0;
  const part = new Uint8Array(64 * 1024);
  const sending = connection.sendWithBody(part, async (stream) => {
    while (sentBytes < 2 * SYSTEM_BYTES_MAX) sentBytes += await stream.write(part);
  });
  sending.catch(() => {});
  await settlesWithin(1_000, sending);
  over.resolve();
  assertLess(sentBytes, SYSTEM_BYTES_MAX);
});

Deno.test("Listener reports a bug in what serves a connection, and no failure of a connection", async () => {
  const bugs: unknown[] = [];
  const bug = new TypeError("a bug of this test");
  let thrown: Error = new Failure("closed", "The connection broke");
  await using listener = await Listener.listen({ host: "127.0.0.1", port: 0 }, {
    connectionsMax: 1,
    serve: () => Promise.reject(thrown),
    onBug: (reported) => bugs.push(reported),
  });
  for (const each of [thrown, bug]) {
    thrown = each;
    using connection = await dial(listener.address);
    // The listener closes it.
    await connection.receive({ waitMs: 2_000 }).catch(() => {});
  }
  assertEquals(bugs, [bug]);
});
