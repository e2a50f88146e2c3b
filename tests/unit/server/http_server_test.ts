import { assert, assertEquals, assertMatch } from "@std/assert";
import { LocalIndex } from "../../../lib/index/local/local_index.ts";
import { HttpServer } from "../../../lib/server/http_server.ts";
import { IndexMetrics } from "../../../lib/server/index_metrics.ts";
import { connectFrom } from "../../support/connect_from.ts";
import { eventually } from "../../support/wait.ts";

const REQUEST = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
const CLOSING_REQUEST = REQUEST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
const OK = "HTTP/1.1 200 ";

async function startHttp(options: { connectionsMax?: number; idleMs?: number } = {}) {
  const index = new LocalIndex();
  const server = await HttpServer.listen({ host: "127.0.0.1", port: 0 }, {
    index,
    journal: () => {},
    metrics: new IndexMetrics({ methods: [], operations: [] }),
    state: () => ({ joined: 0, open: 0, accepted: 0, refused: 0, bytesRead: 0, bytesWritten: 0 }),
    ...options,
  });
  return {
    port: server.address.port,
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

/** What a connection is answered to a request. */
async function answered(conn: Deno.Conn): Promise<string> {
  await send(conn, CLOSING_REQUEST);
  return await rest(conn);
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
  await eventually("there is room again", async () => (await answered(await http.connect())).startsWith(OK));
});

Deno.test("HTTP connections of one address that are slow on purpose keep out no other address", async () => {
  await using http = await startHttp({ connectionsMax: 8 });
  const slow = await Promise.all(Array.from({ length: 8 }, () => http.connect()));
  await Promise.all(slow.map((each) => send(each, "GET /healthz HTTP/1.1\r\nHo")));
  const stream = await connectFrom("127.0.0.9", http.port);
  await stream.send(new TextEncoder().encode(CLOSING_REQUEST));
  assertEquals(await stream.more({ waitMs: 10_000 }), "more");
  assert(new TextDecoder().decode(stream.arrived).startsWith(OK));
  stream.close();
  assertEquals(await rest(slow[0] as Deno.Conn), "");
  for (const each of slow.slice(1)) each.close();
});

Deno.test("HTTP/2 in clear text is refused, in one write or byte by byte", async () => {
  await using http = await startHttp();
  const settings = String.fromCharCode(0, 0, 0, 4, 0, 0, 0, 0, 0);
  const preface = `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${settings}`;
  for (const parts of [[preface], [...preface.slice(0, 5)], ["PRI ", preface.slice(4)]]) {
    const conn = await http.connect();
    for (const part of parts) await send(conn, part);
    assertMatch(await rest(conn), /^HTTP\/1\.1 505 [^]*\r\n\r\n$/);
  }
  // Methods that begin with the same letters are methods.
  const conn = await http.connect();
  await send(conn, "PUT /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
  assert((await rest(conn)).startsWith("HTTP/1.1 405 "));
});

Deno.test("a client that sends all requests at once and ends is still answered, each request in its turn", async () => {
  await using http = await startHttp();
  const conn = await http.connect();
  await send(conn, REQUEST.repeat(3));
  await conn.closeWrite();
  assertEquals([...(await rest(conn)).matchAll(/HTTP\/1\.1 200 /g)].length, 3);
});

Deno.test("a connection is kept after an answer, for the next request", async () => {
  await using http = await startHttp();
  const conn = await http.connect();
  for (let number = 0; number < 3; number++) {
    await send(conn, REQUEST);
    let text = "";
    while (!/\r\n\r\n.*\}$/.test(text)) {
      const buffer = new Uint8Array(4_096);
      const read = await conn.read(buffer);
      assert(read !== null, `closed after ${number} answers: ${text}`);
      text += new TextDecoder().decode(buffer.subarray(0, read));
    }
    assert(text.startsWith(OK), text);
  }
  conn.close();
});

Deno.test("HTTP opens one port and no other", async () => {
  const listening = async (): Promise<number> => {
    const tables = await Promise.all(["tcp", "tcp6"].map((name) => Deno.readTextFile(`/proc/self/net/${name}`)));
    const own = new Set<string>();
    for await (const { name } of Deno.readDir("/proc/self/fd")) {
      const inode = /^socket:\[(\d+)\]$/.exec(await Deno.readLink(`/proc/self/fd/${name}`).catch(() => ""))?.[1];
      if (inode !== undefined) own.add(inode);
    }
    const rows = tables.flatMap((table) => table.trim().split("\n").slice(1)).map((row) => row.trim().split(/\s+/));
    return rows.filter((row) => row[3] === "0A" && own.has(row[9] ?? "")).length;
  };
  const before = await listening();
  await using http = await startHttp();
  assertEquals(await listening() - before, 1);
  assert((await answered(await http.connect())).startsWith(OK));
});
