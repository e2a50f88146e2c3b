import { assert, assertEquals, assertThrows } from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import { LINE_BYTES_MAX, MESSAGE_BYTES_MAX } from "../../../lib/core/limits.ts";
import { PEER_REQUESTS } from "../../../lib/protocol/catalogue.ts";
import {
  decodeLine,
  encodeFailure,
  encodeNews,
  encodeReply,
  encodeRequest,
  type Envelope,
} from "../../../lib/protocol/envelope.ts";
import { Download } from "../../../lib/protocol/files.ts";
import { Closing, Update } from "../../../lib/protocol/presence.ts";
import { Search } from "../../../lib/protocol/search.ts";

function decode(text: string): Envelope {
  return decodeLine(new TextEncoder().encode(text));
}

function textOf(line: Uint8Array): string {
  return new TextDecoder().decode(line);
}

const ROOT = "0f".repeat(32);

Deno.test("the four kinds of line look as the protocol says", () => {
  const data = { query: "aula ação", exact: false, limit: 20, offset: 0 };
  assertEquals(
    textOf(encodeRequest(Search, data, 7)),
    '{"method":"SEARCH","data":{"query":"aula ação","exact":false,"limit":20,"offset":0},"id":7}\n',
  );
  assertEquals(
    textOf(encodeReply(Download, { name: "a", size: 9, modified: 1, root: ROOT }, 7, 9)),
    `{"status":"DOWNLOAD_OK","data":{"name":"a","size":9,"modified":1,"root":"${ROOT}"},"id":7,"body":9}\n`,
  );
  assertEquals(
    textOf(encodeFailure(new Failure("not-shared", 'Cannot send "a": it is gone'), 7)),
    '{"status":"ERROR","data":{"code":"not-shared","message":"Cannot send \\"a\\": it is gone",' +
      '"retry":false},"id":7}\n',
  );
  assertEquals(textOf(encodeNews(Closing, { reason: "bye" })), '{"event":"CLOSING","data":{"reason":"bye"}}\n');
});

Deno.test("decodeLine() tells the four kinds apart", () => {
  assertEquals(decode('{"method":"PING"}'), { kind: "request", method: "PING", data: {}, id: 0 });
  assertEquals(decode('{"event":"PROBE","data":{}}'), { kind: "news", event: "PROBE", data: {} });
  assertEquals(decode('{"status":"X_OK","id":3,"body":5}'), {
    kind: "reply",
    status: "X_OK",
    data: {},
    id: 3,
    body: 5,
  });
  const failure = decode('{"status":"ERROR","data":{"code":"busy","message":"later","retry":true},"id":2}');
  assert(failure.kind === "failure");
  assertEquals([failure.failure.code, failure.failure.message, failure.id], ["busy", "later", 2]);
});

const HOSTILE: (string | Uint8Array)[] = [
  "",
  " ",
  "{",
  "null",
  "[]",
  "[".repeat(100_000),
  '{"a":'.repeat(50_000),
  '"text"',
  "12",
  "{}",
  '{"method":7}',
  '{"method":""}',
  `{"method":"${"A".repeat(33)}"}`,
  '{"method":"PING","id":-1}',
  '{"method":"PING","id":1e400}',
  '{"method":"PING","id":9007199254740993}',
  '{"method":"PING","id":"1"}',
  '{"method":"PING","id":null}',
  '{"status":"X_OK","body":-1}',
  '{"status":"X_OK","body":99999999999999999999}',
  '{"status":"ERROR"}',
  '{"status":"ERROR","data":{"code":"busy"}}',
  '{"__proto__":{"method":"PING"}}',
  '{"constructor":{"prototype":{"method":"PING"}}}',
  "GET / HTTP/1.1",
  new Uint8Array([0xff, 0xfe, 0x00]),
  new Uint8Array([0x22, 0xc3, 0x28, 0x22]),
  new Uint8Array([0xed, 0xa0, 0x80]),
  new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00]),
];

Deno.test("decodeLine() fails as malformed on anything else, and nothing leaks into prototypes", () => {
  for (const line of HOSTILE) {
    const bytes = typeof line === "string" ? new TextEncoder().encode(line) : line;
    assertEquals(assertThrows(() => decodeLine(bytes), Failure).code, "malformed", String(line).slice(0, 60));
  }
  assertEquals(Object.hasOwn(Object.prototype, "method"), false);
});

Deno.test("encodeFailure() cuts texts that are too long, between characters", () => {
  const line = encodeFailure(
    new Failure("internal", "学".repeat(MESSAGE_BYTES_MAX) + "\0", { hint: "🎓".repeat(2000) }),
    1,
  );
  const back = decodeLine(line.subarray(0, -1));
  assert(back.kind === "failure");
  assert(back.failure.message.endsWith("学…"));
  assert(back.failure.hint.endsWith("🎓…"));
});

Deno.test("encoding refuses what the other side would refuse", () => {
  assertThrows(() => encodeRequest(Search, { query: "a", exact: false, limit: 0, offset: 0 }, 1), Failure);
  const name = "\u001b".repeat(1000);
  const add = Array.from({ length: 100 }, () => ({ name, size: 1 }));
  assertThrows(() => encodeRequest(Update, { add, remove: [] }, 1), RangeError, "batches");
  assert(LINE_BYTES_MAX < 100 * 6 * 1000);
});

Deno.test("only messages that carry bytes announce a body", () => {
  assertEquals(PEER_REQUESTS.filter((message) => message.body).map((message) => message.method), [
    "PIECES",
    "HOLDS",
    "DOWNLOAD",
    "DOWNLOAD_MANY",
  ]);
});
