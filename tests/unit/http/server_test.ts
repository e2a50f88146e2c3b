import { assert, assertEquals, assertMatch } from "@std/assert";
import type { HttpRequest } from "../../../lib/http/exchange.ts";
import { HttpServer, type HttpServerOptions } from "../../../lib/http/server.ts";
import { connectFrom } from "../../support/connect_from.ts";
import { eventually } from "../../support/wait.ts";

const REQUEST = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
const CLOSING_REQUEST = REQUEST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
const POST = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n";
const OK = "HTTP/1.1 200 ";

/** A server that answers a GET, and accepts no other method. */
function answerGet({ method }: HttpRequest): Promise<Response> {
  return Promise.resolve(new Response("ok", { status: method === "GET" ? 200 : 405 }));
}

async function startHttp(options: Partial<HttpServerOptions> = {}) {
  const server = await HttpServer.listen({ host: "127.0.0.1", port: 0 }, { answer: answerGet, ...options });
  const { port } = server.address;
  return {
    port,
    connect: () => Deno.connect({ hostname: "127.0.0.1", port }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function send(conn: Deno.Conn, text: string): Promise<void> {
  await conn.write(new TextEncoder().encode(text));
}

/** The answer to a request, on a connection that ends with it. */
async function answered(conn: Deno.Conn): Promise<string> {
  await send(conn, CLOSING_REQUEST);
  return await rest(conn);
}

/** Everything until the other side closes. */
async function rest(conn: Deno.Conn): Promise<string> {
  return await new Response(conn.readable).text();
}

/** Sends a text again and again until the server has closed the connection. */
async function sendUntilClosed(conn: Deno.Conn, text: string): Promise<void> {
  const isClosed = rest(conn).then(() => true, () => true);
  await eventually("the server closes the connection", async () => {
    await send(conn, text).catch(() => {});
    return await Promise.race([isClosed, new Promise<false>((resolve) => setTimeout(resolve, 50, false))]);
  });
}

Deno.test("HttpServer refuses the connection that is one too many", async () => {
  await using http = await startHttp({ connectionsMax: 3 });
  const open = await Promise.all([http.connect(), http.connect(), http.connect()]);
  assertMatch(await rest(await http.connect()), /^HTTP\/1\.1 503 [^]*\r\n\r\n$/);
  for (const each of open) each.close();
  await eventually("there is room again", async () => (await answered(await http.connect())).startsWith(OK));
});

Deno.test("HttpServer closes connections that send nothing", async () => {
  await using http = await startHttp({ idleMs: 500 });
  const silent = await Promise.all([http.connect(), http.connect()]);
  for (const each of silent) assertEquals(await rest(each), "");
});

Deno.test("HttpServer closes a kept connection that sends no further request", async () => {
  await using http = await startHttp({ idleMs: 500 });
  const conn = await http.connect();
  await send(conn, REQUEST);
  assertMatch(await rest(conn), /^HTTP\/1\.1 200 [^]*ok$/);
});

Deno.test("HttpServer closes a connection that sends the head of its request too slowly", async () => {
  await using http = await startHttp({ headMs: 500 });
  const [stalled, slow] = [await http.connect(), await http.connect()];
  await send(stalled, "GET /healthz HTTP/1.1\r\nHo");
  await send(slow, "GET /healthz HTTP/1.1\r\n");
  await sendUntilClosed(slow, "X: y\r\n");
  assertEquals(await rest(stalled), "");
});

Deno.test("HttpServer closes a connection that sends a body without end after the answer", async () => {
  await using http = await startHttp({ restMs: 500 });
  const conn = await http.connect();
  await send(conn, `${POST}Transfer-Encoding: chunked\r\n\r\n`);
  await sendUntilClosed(conn, "1\r\nx\r\n");
});

Deno.test("HttpServer sends a long response for longer than a connection may be idle", async () => {
  const chunk = new TextEncoder().encode("x".repeat(100));
  async function* slowly(): AsyncGenerator<Uint8Array> {
    for (let sent = 0; sent < 5; sent++) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      yield chunk;
    }
  }
  const headers = { "content-length": "500" };
  const answer = () => Promise.resolve(new Response(ReadableStream.from(slowly()), { headers }));
  await using http = await startHttp({ answer, idleMs: 500, headMs: 500, restMs: 500 });
  const text = await answered(await http.connect());
  assertEquals(text.slice(text.indexOf("\r\n\r\n") + 4), "x".repeat(500));
});

Deno.test("HttpServer stops reading a body when its client disconnects", async () => {
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(256 * 1024)),
    cancel: () => cancelled.resolve(),
  });
  const headers = { "content-length": String(2 ** 40) };
  await using http = await startHttp({ answer: () => Promise.resolve(new Response(body, { headers })) });
  const conn = await http.connect();
  await send(conn, REQUEST);
  await conn.read(new Uint8Array(1024));
  conn.close();
  await cancelled.promise;
});

Deno.test("HttpServer cuts off a response when its body fails", async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode("begin");
    await Promise.reject(new Error("the disk is gone"));
  }
  const headers = { "content-length": "100" };
  const answer = () => Promise.resolve(new Response(ReadableStream.from(failing()), { headers }));
  await using http = await startHttp({ answer });
  const conn = await http.connect();
  await send(conn, REQUEST);
  assertMatch(await rest(conn).catch(() => "begin"), /begin$/);
});

Deno.test("HttpServer answers other addresses while slow connections of one address take all places", async () => {
  await using http = await startHttp({ connectionsMax: 8 });
  const slow = await Promise.all(Array.from({ length: 8 }, () => http.connect()));
  await Promise.all(slow.map((each) => send(each, "GET /healthz HTTP/1.1\r\nHo")));
  const stream = await connectFrom("127.0.0.9", http.port);
  await stream.send(new TextEncoder().encode(CLOSING_REQUEST));
  assertEquals(await stream.more({ waitMs: 10_000 }), "more");
  assert(new TextDecoder().decode(stream.arrived).startsWith(OK));
  stream.close();
  const [oldest, ...others] = slow;
  assert(oldest !== undefined);
  assertEquals(await rest(oldest), "");
  for (const each of others) each.close();
});

Deno.test("HttpServer refuses HTTP/2 in clear text, in one write or byte by byte", async () => {
  await using http = await startHttp();
  const settings = String.fromCharCode(0, 0, 0, 4, 0, 0, 0, 0, 0);
  const preface = `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${settings}`;
  for (const parts of [[preface], [...preface.slice(0, 5)], ["PRI ", preface.slice(4)]]) {
    const conn = await http.connect();
    for (const part of parts) await send(conn, part);
    assertMatch(await rest(conn), /^HTTP\/1\.1 505 [^]*\r\n\r\n$/);
  }
});

Deno.test("HttpServer answers a method that begins like HTTP/2", async () => {
  await using http = await startHttp();
  const conn = await http.connect();
  await send(conn, "PUT /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
  assert((await rest(conn)).startsWith("HTTP/1.1 405 "));
});

Deno.test("HttpServer answers all requests of a client that sends them at once and ends", async () => {
  await using http = await startHttp();
  const conn = await http.connect();
  await send(conn, REQUEST.repeat(3));
  await conn.closeWrite();
  assertEquals([...(await rest(conn)).matchAll(/HTTP\/1\.1 200 /g)].length, 3);
});

Deno.test("HttpServer answers HEAD with the headers of GET, whole or streamed", async () => {
  const text = "some text";
  const headers = { "content-length": String(text.length) };
  for (const init of [{}, { headers }]) {
    await using http = await startHttp({ answer: () => Promise.resolve(new Response(text, init)) });
    const conn = await http.connect();
    await send(conn, CLOSING_REQUEST.replace("GET", "HEAD"));
    assertMatch(await rest(conn), /^HTTP\/1\.1 200 [^]*content-length: 9\r\n[^]*\r\n\r\n$/i);
  }
});

Deno.test("HttpServer keeps a connection for the next request", async () => {
  await using http = await startHttp({ headMs: 100, restMs: 100 });
  const conn = await http.connect();
  for (let number = 0; number < 3; number++) {
    await new Promise((resolve) => setTimeout(resolve, number * 200));
    await send(conn, REQUEST);
    let text = "";
    while (!/\r\n\r\nok$/.test(text)) {
      const buffer = new Uint8Array(4_096);
      const read = await conn.read(buffer);
      assert(read !== null, `closed after ${number} answers: ${text}`);
      text += new TextDecoder().decode(buffer.subarray(0, read));
    }
    assert(text.startsWith(OK), text);
  }
  conn.close();
});

Deno.test("HttpServer opens one port and no other", async () => {
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
