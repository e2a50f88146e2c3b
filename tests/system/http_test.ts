/**
 * The index's HTTP side as a program: classroom E's address service, search, metrics, room keys,
 * and hostile clients.
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { RoomKey } from "../../lib/net/room_key.ts";
import { Documented } from "../support/documented.ts";
import { checkMonotonic, readExposition, type ReadFamily, valueOf } from "../support/exposition.ts";
import { IndexClient } from "../support/index_client.ts";
import { Program, runIndex, SERVER_FLAGS, startIndex } from "../support/programs.ts";
import { TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

/** What one asks an index over HTTP. */
class HttpClient {
  readonly #base: string;
  #documented: Documented | undefined;

  constructor(port: number) {
    this.#base = `http://127.0.0.1:${port}`;
  }

  /**
   * Asks, and compares the answer with the document that the index serves.
   *
   * @returns Status and what was read.
   */
  async ask(
    method: string,
    path: string,
    init: RequestInit = {},
  ): Promise<[status: number, body: ReturnType<typeof JSON.parse>]> {
    const response = await fetch(this.#base + path, { method, ...init });
    this.#documented ??= new Documented(await (await fetch(`${this.#base}/openapi.json`)).json());
    await this.#documented.check(method, path, response);
    const text = await response.text();
    return [
      response.status,
      response.headers.get("content-type") === "application/json" && text !== "" ? JSON.parse(text) : text,
    ];
  }

  register(body: unknown): ReturnType<HttpClient["ask"]> {
    return this.ask("POST", "/peers", { body: JSON.stringify(body), headers: { "content-type": "application/json" } });
  }

  async metrics(): Promise<Map<string, ReadFamily>> {
    const [status, text] = await this.ask("GET", "/metrics");
    assertEquals(status, 200);
    return readExposition(text);
  }
}

/** Sends bytes as they are, and reads until the other side closes or `until` has come. */
async function raw(port: number, sent: string, until = /\r\n\r\n/): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const timer = setTimeout(() => conn.close(), 20_000);
  let read = "";
  try {
    await conn.write(new TextEncoder().encode(sent));
    const buffer = new Uint8Array(64 * 1024);
    for (let bytes = await conn.read(buffer); bytes !== null; bytes = await conn.read(buffer)) {
      read += new TextDecoder().decode(buffer.subarray(0, bytes));
      if (until.test(read)) break;
    }
  } catch (thrown) {
    // A client that sends too much is disconnected.
    if (!(thrown instanceof Error)) throw thrown;
  } finally {
    clearTimeout(timer);
  }
  return read;
}

Deno.test("classroom E: a name is registered over HTTP, and renewed and removed with its token", async () => {
  await using index = await startIndex();
  const http = new HttpClient(index.httpPort);
  await using ana = await IndexClient.connect({ host: "127.0.0.1", port: index.port });
  await ana.join("ana");
  await ana.list("aula 1.mp4");
  const [status, registered] = await http.register({ name: "chat", port: 5000, ttl: 60 });
  assertEquals([status, registered.host, registered.port, registered.ttl], [201, "127.0.0.1", 5000, 60]);
  for (const name of ["CHAT", "Ána"]) {
    const [taken, { error }] = await http.register({ name, port: 6000 });
    assertEquals([taken, error.code], [409, "name-taken"]);
    assertEquals((await http.register({ name: error.suggestion, port: 6000, ttl: 1 }))[0], 201);
  }
  assertEquals(await http.register({ ...registered, port: 5001 }), [200, { ...registered, port: 5001 }]);
  assertEquals((await http.ask("GET", "/peers/chat"))[1].port, 5001);
  const [, { peers }] = await http.ask("GET", "/peers?limit=10");
  assertEquals(peers.map((each: { name: string }) => each.name).includes("ana"), true);
  // A peer that joins may not have the name either.
  await using chat = await IndexClient.connect({ host: "127.0.0.1", port: index.port });
  assertEquals(await chat.join("Chat").catch((thrown) => thrown.code), "name-taken");

  const [, found] = await http.ask("GET", "/search?q=AULA&limit=5");
  assertEquals([found.hits[0].name, found.hits[0].peers[0].port, found.more], ["aula 1.mp4", ana.port, false]);
  await eventually("what was registered for a second is gone", async () => {
    return (await http.ask("GET", "/peers"))[1].peers.length === 2;
  });
  assertEquals((await http.ask("GET", "/peers/chat"))[0], 200);
  const headers = { "x-recess-token": registered.token };
  assertEquals(await http.ask("DELETE", "/peers/chat", { headers }), [204, ""]);
  assertEquals((await http.ask("DELETE", "/peers/chat", { headers }))[0], 404);
  assertEquals((await chat.join("Chat")).name, "Chat");
  await eventually("the log", () => /chat registered 127\.0\.0\.1:5000 for 60 s/.test(index.program.stderr));
});

Deno.test("/metrics is well-formed, counts requests, and its counters never decrease", async () => {
  await using index = await startIndex();
  const http = new HttpClient(index.httpPort);
  const address = { host: "127.0.0.1", port: index.port };
  const before = await http.metrics();
  await using ana = await IndexClient.connect(address);
  await ana.join("ana");
  await ana.list("aula 1.mp4", "aula 2.mp4");
  for (let count = 0; count < 5; count++) assertEquals((await ana.search("aula")).length, 2);
  const during = await http.metrics();
  checkMonotonic(before, during);
  const rui = await IndexClient.connect(address);
  assertEquals(await rui.join("ANA").catch((thrown) => thrown.code), "name-taken");
  await rui[Symbol.asyncDispose]();
  await http.ask("GET", "/peers/nobody");
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: index.port });
  await conn.write(new TextEncoder().encode('{"method": "SEARCH", "data": {"query": "aula 1.mp4"}}\n'));
  await conn.read(new Uint8Array(1024));
  conn.close();
  const after = await eventually("both are gone", async () => {
    const metrics = await http.metrics();
    return valueOf(metrics, "recess_connections_open") === 1 ? metrics : undefined;
  });
  checkMonotonic(during, after);
  const expected: [sample: string, value: number][] = [
    ["recess_peers", 1],
    ["recess_files", 2],
    ["recess_listed_bytes", 2000],
    ["recess_sessions_joined", 1],
    ["recess_joins_total", 1],
    ["recess_connections_total", 3],
    ["recess_index_current", 1],
    ['recess_requests_total{method="SEARCH"}', 5],
    ['recess_request_seconds_count{method="SEARCH"}', 5],
    ['recess_requests_total{method="JOIN"}', 2],
    ['recess_requests_total{method="UPDATE"}', 1],
    ['recess_dialect_requests_total{dialect="json"}', 1],
    ['recess_refusals_total{code="name-taken"}', 1],
    ['recess_refusals_total{code="not-found"}', 1],
    ["recess_bugs_total", 0],
  ];
  for (const [sample, value] of expected) assertEquals(valueOf(after, sample), value, sample);
  assert(valueOf(after, "recess_received_bytes_total") > valueOf(during, "recess_received_bytes_total"));
  assert(valueOf(during, "recess_sent_bytes_total") > 1000);
  const searchSeconds = valueOf(after, 'recess_request_seconds_sum{method="SEARCH"}');
  assert(searchSeconds > 0 && searchSeconds < 5, String(searchSeconds));
  assert(valueOf(after, "process_resident_memory_bytes") > 20e6);
  assert(Math.abs(valueOf(after, "process_start_time_seconds") - Date.now() / 1000) < 600);
  await eventually("looks at the event loop", async () => {
    return valueOf(await http.metrics(), "recess_event_loop_delay_seconds_count") > 5;
  });
  const [, text] = await http.ask("GET", "/metrics");
  assertMatch(text, /^recess_build_info\{version="\d+\.\d+\.\d+",deno="[\d.]+"\} 1$/m);
  assert(!text.includes("aula") && !text.includes('ana"'));
});

Deno.test("in a room with a key HTTP listens on 127.0.0.1 by default, and answers only with the key", async () => {
  await using temp = await TempFolder.make();
  const key = RoomKey.makeText();
  await Deno.writeTextFile(temp.at("room.key"), key, { mode: 0o600 });
  const ports = ["--port", "0", "--http-port", "0", "--room-key-file", temp.at("room.key")];
  await using program = new Program([...SERVER_FLAGS, "server.ts", ...ports]);
  const [, port] = await program.line(/^index listening on 0\.0\.0\.0:\d+, http on 127\.0\.0\.1:(\d+)$/);
  const http = new HttpClient(Number(port));
  const headers = { authorization: `Bearer ${key}` };
  for (
    const [path, open] of [["/peers", 401], ["/search?q=a", 401], ["/metrics", 401], ["/healthz", 200], [
      "/readyz",
      200,
    ]] as const
  ) {
    assertEquals((await http.ask("GET", path))[0], open, path);
    assertEquals((await http.ask("GET", path, { headers }))[0], 200, path);
  }
  const wrong = { headers: { authorization: `Bearer ${RoomKey.makeText()}` } };
  const started = performance.now();
  for (let guess = 0; guess < 3; guess++) assertEquals((await http.ask("GET", "/peers", wrong))[0], 401);
  assert(performance.now() - started > 700, "guesses are slowed down");
  await eventually("the log", () => /refused \(no-member\)/.test(program.stderr));
  assert(!program.stderr.includes(key));
  await using wide = new Program([...SERVER_FLAGS, "server.ts", ...ports, "--http-host", "0.0.0.0", "--json"]);
  const [line] = await wide.line(/^\{.*\}$/);
  assertEquals(JSON.parse(line).httpHost, "0.0.0.0");
});

Deno.test("--no-http switches HTTP off, and the ready line says so", async () => {
  const flags = [...SERVER_FLAGS, "server.ts", "--host", "127.0.0.1", "--port", "0", "--no-http"];
  await using program = new Program(flags);
  const [, port] = await program.line(/^index listening on 127\.0\.0\.1:(\d+), http off$/);
  await using ana = await IndexClient.connect({ host: "127.0.0.1", port: Number(port) });
  await ana.join("ana");
  await using other = new Program([...flags, "--json"]);
  const ready = JSON.parse((await other.line(/^\{.*\}$/))[0]);
  assertEquals([ready.event, "httpPort" in ready], ["listening", false]);
  program.kill("SIGTERM");
  assertEquals(await program.exit(), 0);
  const wrong = await runIndex("--host", "127.0.0.1", "--port", "0", "--http-host", "256.1.1.1");
  assertEquals(wrong.code, 1);
  assertStringIncludes(wrong.stderr, "Cannot listen on 256.1.1.1:8031");
});

Deno.test("an index refuses or disconnects hostile HTTP clients, keeps running, and ends in time", async () => {
  await using index = await startIndex();
  const post = "POST /peers HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n";
  const chunk = `400\r\n${" ".repeat(0x400)}\r\n`;
  const slow = raw(index.httpPort, `${post}Content-Length: 100\r\n\r\n{`);
  const cases: [sent: string, status: RegExp][] = [
    [`${post}Content-Length: 1000000000\r\n\r\n{`, /^HTTP\/1\.1 413 /],
    [`${post}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(10)}`, /^HTTP\/1\.1 413 /],
    [`${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, /^HTTP\/1\.1 (400|503) |^$/],
    [`${post}Content-Length: 5\r\n\r\n{{{{{`, /^HTTP\/1\.1 400 /],
    ["GET /peers HTTP/1.1\r\nHost: evil.example\r\n\r\n", /^HTTP\/1\.1 403 /],
    ["GET /peers HTTP/1.1\r\nHost: [bad\r\n\r\n", /^HTTP\/1\.1 403 /],
    ["GET /peers HTTP/1.1\r\nHost: a b\r\n\r\n", /^HTTP\/1\.1 403 /],
    ["GET /peers HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["GET http://evil.example/peers HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", /^HTTP\/1\.1 200 /],
    ["OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", /^HTTP\/1\.1 404 /],
    ["CONNECT 10.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", /^HTTP\/1\.1 40[0-9] /],
    [`GET /${"a".repeat(5000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`, /^HTTP\/1\.1 414 /],
    [`GET /${"a".repeat(100_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`, /^HTTP\/1\.1 4\d\d |^$/],
    [`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${"a".repeat(1_000_000)}\r\n\r\n`, /^HTTP\/1\.1 4\d\d |^$/],
    ["GET /peers/\xff\xfe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", /^HTTP\/1\.1 40[04] /],
    ["\x16\x03\x01garbage\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["\0\0\0\0\r\n\r\n", /^HTTP\/1\.1 400 /],
  ];
  for (const [sent, status] of cases) {
    assertMatch(await raw(index.httpPort, sent), status, JSON.stringify(sent.slice(0, 90)));
  }
  const head = await raw(index.httpPort, "HEAD /peers HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", /^$/);
  assertMatch(head, /content-length: 25\r\n[^]*\r\n\r\n$/i);
  assertMatch(await slow, /^HTTP\/1\.1 408 [^]*connection: close/i);
  assertEquals((await fetch(`http://127.0.0.1:${index.httpPort}/healthz`).then((each) => each.json())).status, "ok");
  assert(!/bug| {4}at /.test(index.program.stderr), index.program.stderr);
  // A client in the middle of a request does not keep the index from ending.
  using stalled = await Deno.connect({ hostname: "127.0.0.1", port: index.httpPort });
  await stalled.write(new TextEncoder().encode(`${post}Content-Length: 100\r\n\r\n{`));
  index.program.kill("SIGTERM");
  assertEquals(await index.program.exit(), 0);
});
