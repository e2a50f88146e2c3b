import { assert, assertEquals, assertMatch } from "@std/assert";
import { SqliteIndex } from "../../../lib/index/sqlite_index.ts";
import { HttpGate } from "../../../lib/server/http_gate.ts";
import { HttpServer } from "../../../lib/server/http_server.ts";
import { IndexMetrics } from "../../../lib/server/index_metrics.ts";
import { eventually } from "../../support/wait.ts";

const REQUEST = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

async function startHttp(options: { connectionsMax?: number; idleMs?: number } = {}) {
  const index = new SqliteIndex();
  const server = await HttpServer.listen({ host: "127.0.0.1", port: 0 }, {
    index,
    journal: () => {},
    metrics: new IndexMetrics({ methods: [], operations: [] }),
    state: () => ({ joined: 0, open: 0, accepted: 0, refused: 0, bytesRead: 0, bytesWritten: 0 }),
    ...options,
  });
  return {
    connect: () => Deno.connect({ hostname: "127.0.0.1", port: server.address.port }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await index[Symbol.asyncDispose]();
    },
  };
}

async function send(conn: Deno.Conn, text: string): Promise<void> {
  await conn.write(new TextEncoder().encode(text));
}

/** Everything until the other side closes. */
async function rest(conn: Deno.Conn): Promise<string> {
  return await new Response(conn.readable).text();
}

Deno.test("HTTP connections that are too many are refused, and silent ones closed", async () => {
  await using http = await startHttp({ connectionsMax: 3, idleMs: 1_500 });
  const silent = await Promise.all([http.connect(), http.connect(), http.connect()]);
  assertMatch(await rest(await http.connect()), /^HTTP\/1\.1 503 [^]*\r\n\r\n$/);
  await send(silent[1], "GET /healthz HTTP/1.1\r\nHo");
  for (const each of silent) assertEquals(await rest(each), "");
  await eventually("there is room again", async () => {
    const conn = await http.connect();
    await send(conn, REQUEST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    return (await rest(conn)).startsWith("HTTP/1.1 200 ");
  });
});

Deno.test("who says all at once and no more is still answered, each request in its turn", async () => {
  await using http = await startHttp();
  const conn = await http.connect();
  await send(conn, REQUEST.repeat(3));
  await conn.closeWrite();
  assertEquals([...(await rest(conn)).matchAll(/HTTP\/1\.1 200 /g)].length, 3);
});

Deno.test("a gate knows who asks as long as the connection lasts", async () => {
  using inner = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using gate = await HttpGate.listen({ host: "127.0.0.1", port: 0 }, {
    inner: { host: "127.0.0.1", port: inner.addr.port },
  });
  const outer = await Deno.connect({ hostname: "127.0.0.1", port: gate.address.port });
  const accepted = await inner.accept();
  assert(accepted.remoteAddr.transport === "tcp");
  const { port } = accepted.remoteAddr;
  const remote = await eventually("it is known", () => gate.remoteOf(port));
  assertEquals(remote, { host: "127.0.0.1", port: outer.localAddr.port });
  assertEquals(gate.remoteOf(outer.localAddr.port), undefined);
  outer.close();
  accepted.close();
  await eventually("it is forgotten", () => gate.remoteOf(port) === undefined);
});
