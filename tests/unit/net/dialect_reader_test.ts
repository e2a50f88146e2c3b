import { assert, assertEquals, assertRejects } from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import { DIALECT_QUIET_MS, DIALECT_REQUEST_BYTES_MAX } from "../../../lib/core/limits.ts";
import { DialectReader } from "../../../lib/net/dialect_reader.ts";
import { encodeRequest } from "../../../lib/protocol/envelope.ts";
import { Ping } from "../../../lib/protocol/presence.ts";
import { connectionAndStream, connectionReading } from "../../support/connections.ts";

const WAIT_MS = 2_000;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function readAll(text: string, chunkBytes: number): Promise<string[]> {
  using connection = connectionReading(bytes(text), chunkBytes);
  const reader = await DialectReader.begin(connection);
  assert(reader !== undefined);
  const all: string[] = [];
  for (let raw = await reader.next(WAIT_MS); raw !== null; raw = await reader.next(WAIT_MS)) {
    all.push(new TextDecoder().decode(raw.bytes));
  }
  return all;
}

Deno.test("DialectReader gives the same requests, whatever the size of the chunks", async () => {
  const one = '{"method": "JOIN", "data": {"files": ["}", "a \\" b"]}}';
  const two = '{\n "method": "SEARCH",\n "data": {"query": "ç"}\n}';
  for (const chunkBytes of [1, 2, 7, 1024]) {
    assertEquals(await readAll(one + two, chunkBytes), [one, two]);
    assertEquals(await readAll(` ${one}\r\n\n${two}\n`, chunkBytes), [one, two]);
    assertEquals(await readAll("HELP\r\nSEARCH a\nPEERS", chunkBytes), ["HELP\r\n", "SEARCH a\n", "PEERS"]);
  }
});

Deno.test("DialectReader takes nothing from a connection that speaks our own protocol", async () => {
  for (const chunkBytes of [1, 100]) {
    using connection = connectionReading(encodeRequest(Ping, {}, 7), chunkBytes);
    assertEquals(await DialectReader.begin(connection), undefined);
    assertEquals((await connection.receive({ waitMs: WAIT_MS }))?.kind, "request");
  }
});

Deno.test("DialectReader answers an object as soon as it is balanced, and words after a short silence", async () => {
  for (const request of ['{"method": "HELP"}', "HELP"]) {
    const [connection, other] = connectionAndStream();
    using _connection = connection;
    const reading = DialectReader.begin(connection);
    await other.write(bytes(request));
    const raw = await (await reading)?.next(WAIT_MS);
    assertEquals([new TextDecoder().decode(raw?.bytes), raw?.isLine], [request, false]);
    other.close();
  }
});

Deno.test("DialectReader waits for the line feed of somebody who types", async () => {
  const [connection, other] = connectionAndStream();
  using _connection = connection;
  const reading = DialectReader.begin(connection).then((reader) => reader?.next(WAIT_MS));
  for (const key of "HELP\n") {
    await other.write(bytes(key));
    await new Promise((resolve) => setTimeout(resolve, key === "E" ? 2 * DIALECT_QUIET_MS : 1));
  }
  assertEquals(new TextDecoder().decode((await reading)?.bytes), "HELP\n");
  other.close();
});

Deno.test("DialectReader stops at its bound, at garbage, and in the middle", async () => {
  const long = "a".repeat(DIALECT_REQUEST_BYTES_MAX);
  const cases: readonly [text: string, code: string][] = [
    [`{"method": "JOIN", "data": {"files": ["${long}`, "too-large"],
    [`{"method": "JOIN", "data": {"files": ["${long}"]}}`, "too-large"],
    [`JOIN ${long}`, "too-large"],
    [`JOIN ${long}\n`, "too-large"],
    ['{"method": "JOIN", "data": {\n', "malformed"],
    ['{"method": "HELP"} nonsense', "malformed"],
  ];
  for (const [text, code] of cases) {
    for (const chunkBytes of [1000, 100_000]) {
      const failure = await assertRejects(() => readAll(text, chunkBytes), Failure);
      assertEquals(failure.code, code, text.slice(0, 60));
    }
  }
});
