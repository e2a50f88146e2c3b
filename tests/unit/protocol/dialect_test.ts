import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Dialect } from "../../../lib/core/dialect.ts";
import { Failure } from "../../../lib/core/failure.ts";
import {
  DIALECT_ANSWER_BYTES_MAX,
  DIALECT_FILES_MAX,
  DIALECT_REQUEST_BYTES_MAX,
  HELLO_LINE_BYTES_MAX,
  NAME_BYTES_MAX,
} from "../../../lib/core/limits.ts";
import { JsonEnd, tellApart } from "../../../lib/protocol/dialect.ts";
import {
  decodeDialect,
  decodeDownload,
  decodeHeader,
  type DialectRequest,
  encodeAbsent,
  encodeAddresses,
  encodeDownload,
  encodeHeader,
} from "../../../lib/protocol/dialect_requests.ts";
import { encodeRequest } from "../../../lib/protocol/envelope.ts";
import { Hello } from "../../../lib/protocol/hello.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const HELLO = encodeRequest(Hello, { version: 1, software: "x", nonce: "5e".repeat(32) }, 1);

/** How a connection begins, and what that is once all of it has arrived. */
const BEGINNINGS: readonly [text: string, what: "native" | Dialect | undefined][] = [
  [new TextDecoder().decode(HELLO), "native"],
  ['{ "method" : "HELLO", "data": {} }', "native"],
  ['{"data":{},"method":"HELLO"}', "native"],
  ['{"method":"PING","data":{},"id":7}\n', "native"],
  ['{"method":"JOIN","data":{"files":[]},"id":null}', "native"],
  ['{"status":"JOIN_OK"}', "native"],
  ['{"event":"PROBE"}\n', "native"],
  ["{}", "native"],
  ["{nonsense}", "native"],
  ["[1,2]", "native"],
  ["\n", "native"],
  ["\x16\x03\x01", "native"],
  ["", undefined],
  ["  ", undefined],
  ['{"method": "JOIN", "data": {"files": ["a.mp4", "b.mp4"]}}', "json"],
  ['{"method": "JOIN", "data": {"files": ["a.mp4", "b.mp4"]}}\n', "json"],
  ['{\n  "method": "JOIN",\n  "data": {', "json"],
  ['{"data": {"query": "}{"}, "method": "SEARCH"}', "json"],
  ['{"data": {"filename": "a.mp4"}}', "json"],
  ['{"method": "SEARCH", "data": {"query": "say \\"id\\": 5"}}', "json"],
  ['{"method": JOIN}', "json"],
  ['{"method": "JOIN", "data": {"files": ["a', undefined],
  ['{"method": "JOIN", "data": {"files": ["' + "a".repeat(HELLO_LINE_BYTES_MAX), "json"],
  ['{"other": "' + "a".repeat(HELLO_LINE_BYTES_MAX), "native"],
  ['{"__proto__": {"method": "JOIN"}}', "native"],
  ["JOIN 127.0.0.1:8776 aula1.mp4", "words"],
  ["help\r\n", "words"],
  ["  SEARCH aula", "words"],
];

Deno.test("tellApart() knows our own wire, JSON and words by what a connection begins with", () => {
  for (const [text, what] of BEGINNINGS) assertEquals(tellApart(bytes(text)), what, text.slice(0, 80));
});

Deno.test("tellApart() says the same of one byte at a time: what it once said never changes", () => {
  for (const [text, what] of BEGINNINGS) {
    const all = bytes(text);
    let told: ReturnType<typeof tellApart>;
    for (let length = 1; length <= Math.min(all.length, 300) && told === undefined; length++) {
      told = tellApart(all.subarray(0, length));
    }
    if (told !== undefined) assertEquals(told, what, text.slice(0, 80));
  }
});

Deno.test("JsonEnd finds the end of an object, whatever its strings hold and however it is cut", () => {
  const cases: readonly [text: string, end: number | undefined][] = [
    ["{}", 2],
    ["{}{}", 2],
    ['{"a":{"b":{}}} tail', 14],
    ['{"a":"}"}', 9],
    ['{"a":"\\"}"}x', 11],
    ['{"a":"\\\\"}}', 10],
    ['{"a":"ç}🎓"}', bytes('{"a":"ç}🎓"}').length],
    ['{"a":[', undefined],
    ['{"a":"}', undefined],
  ];
  for (const [text, end] of cases) {
    assertEquals(new JsonEnd().push(bytes(text)), end, text);
    const slowly = new JsonEnd();
    let found: number | undefined;
    for (const byte of bytes(text)) found ??= slowly.push(new Uint8Array([byte]));
    assertEquals(found, end, text);
  }
});

const REQUESTS: readonly [Dialect, string, DialectRequest][] = [
  ["json", '{"method":"JOIN","data":{"files":["a.mp4","b c.mp4"]}}', { kind: "join", files: ["a.mp4", "b c.mp4"] }],
  ["json", '{"method":"JOIN","data":{"port":8776}}', { kind: "join", port: 8776, files: [] }],
  ["json", '{"method":"JOIN","data":{"files":["a"],"port":"8776","ip":"8.8.8.8"}}', {
    kind: "join",
    port: 8776,
    files: ["a"],
  }],
  ["json", '{"method":"UPDATE","data":{"filename":"c.mp4"}}', { kind: "update", files: ["c.mp4"], isWhole: false }],
  ["json", '{"method":"UPDATE","data":{"files":["c.mp4"],"port":1}}', {
    kind: "update",
    port: 1,
    files: ["c.mp4"],
    isWhole: true,
  }],
  ["json", '{"method":"UPDATE","data":{"files":[]}}', { kind: "update", files: [], isWhole: true }],
  ["json", '{"method":"UPDATE","data":{"files":["a"],"filename":"b"}}', {
    kind: "update",
    files: ["a", "b"],
    isWhole: true,
  }],
  ["json", '{"method":"SEARCH","data":{"query":"a.mp4"}}', { kind: "search", name: "a.mp4" }],
  ["json", '{"method":"DOWNLOAD_REQUEST","data":{"filename":"a.mp4","port":8776}}', {
    kind: "confirm",
    port: 8776,
    name: "a.mp4",
  }],
  ["json", '{"method":"WHATEVER","data":{"filename":"a.mp4"}}', { kind: "download", name: "a.mp4" }],
  ["json", '{"data":{"filename":"a.mp4"}}', { kind: "download", name: "a.mp4" }],
  ["words", "JOIN 127.0.0.1:8776 aula1.mp4 aula2.mp4", { kind: "join", port: 8776, files: ["aula1.mp4", "aula2.mp4"] }],
  ["words", 'join [::1]:8776 "aula 1.mp4" b\r\n', { kind: "join", port: 8776, files: ["aula 1.mp4", "b"] }],
  ["words", "UPDATE 127.0.0.1:8776 aula3.mp4", {
    kind: "update",
    port: 8776,
    files: ["aula3.mp4"],
    isWhole: false,
  }],
  ["words", "SEARCH 127.0.0.1:8776 aula1.mp4", { kind: "search", port: 8776, name: "aula1.mp4" }],
  ["words", "SEARCH 127.0.0.1:8776 aula 1.mp4", { kind: "search", port: 8776, name: "aula 1.mp4" }],
  ["words", "SEARCH 127.0.0.1:8776 a,  b.mp4", { kind: "search", port: 8776, name: "a,  b.mp4" }],
  ["words", 'SEARCH 127.0.0.1:8776 "aula 1.mp4"', { kind: "search", port: 8776, name: "aula 1.mp4" }],
  ["words", 'DOWNLOAD say "hi" twice.mp4', { kind: "download", name: 'say "hi" twice.mp4' }],
  ["words", "DOWNLOAD aula  1.mp4\r\n", { kind: "download", name: "aula  1.mp4" }],
  ["words", "SEARCH aula 1", { kind: "find", query: "aula 1" }],
  ["words", "SEARCH", { kind: "find", query: "" }],
  ["words", 'DOWNLOAD "aula 1.mp4"', { kind: "download", name: "aula 1.mp4" }],
  ["words", "PEERS\n", { kind: "peers" }],
  ["words", "help", { kind: "help" }],
  ["words", "LEAVE 10.0.0.5:8776", { kind: "leave", port: 8776 }],
];

/** Names as programs write them after `JOIN ip:port`, and what is read as the files. */
const LISTS: readonly [text: string, files: readonly string[]][] = [
  ["", []],
  ["[]", []],
  ["[ ]", []],
  ["['a.mp4', 'b.mp4']", ["a.mp4", "b.mp4"]],
  ["['aula 1.mp4']", ["aula 1.mp4"]],
  ["['a.mp4','b, c.mp4',]", ["a.mp4", "b, c.mp4"]],
  [`["l'aula.mp4", 'say "hi".mp4']`, ["l'aula.mp4", 'say "hi".mp4']],
  ["['it\\'s \"x\".mp4', 'v\\xeddeo \\u00e9 \\U0001f393.mp4']", ['it\'s "x".mp4', "vídeo é 🎓.mp4"]],
  ['["a.mp4", "b.mp4"]', ["a.mp4", "b.mp4"]],
  ["a.mp4,b.mp4", ["a.mp4", "b.mp4"]],
  ["aula 1.mp4, aula 2.mp4,", ["aula 1.mp4", "aula 2.mp4"]],
  ["one,two.mp4", ["one,two.mp4"]],
  ["'a.mp4' b", ["'a.mp4'", "b"]],
  ["[a] [b].mp4", ["[a]", "[b].mp4"]],
  ["['a.mp4' 'b.mp4']", ["['a.mp4'", "'b.mp4']"]],
  ["['a.mp4', never closed]", ["['a.mp4',", "never", "closed]"]],
];

Deno.test("decodeDialect() reads lists with spaces, with commas, with quotes, and Python lists", () => {
  for (const [text, files] of LISTS) {
    assertEquals(
      decodeDialect("words", bytes(`JOIN 127.0.0.1:8776 ${text}`)),
      { kind: "join", port: 8776, files },
      text,
    );
  }
});

Deno.test("decodeDialect() takes the rest of UPDATE as one name, unless it is written as a list", () => {
  const cases: readonly [text: string, files: readonly string[]][] = [
    ["aula 1.mp4", ["aula 1.mp4"]],
    ["aula 1, parte 2.mp4", ["aula 1, parte 2.mp4"]],
    ['"aula 1.mp4" b.mp4', ["aula 1.mp4", "b.mp4"]],
    ["a.mp4, b.mp4", ["a.mp4", "b.mp4"]],
    ["['a.mp4', 'b.mp4']", ["a.mp4", "b.mp4"]],
    ["", []],
  ];
  for (const [text, files] of cases) {
    const request = { kind: "update", port: 8776, files, isWhole: false } as const;
    assertEquals(decodeDialect("words", bytes(`UPDATE 127.0.0.1:8776 ${text}`)), request, text);
  }
});

Deno.test("decodeDialect() refuses a hostile list of the largest size as malformed", () => {
  // Were a list read again from each of its quotes, one of these would take minutes.
  for (const piece of ["\\'", "' ", "', ", '" ', "[ ", "\\ ", "a.mp4, "]) {
    const text = `JOIN 127.0.0.1:80 [${piece.repeat(DIALECT_REQUEST_BYTES_MAX / piece.length)}]`;
    assertEquals(assertThrows(() => decodeDialect("words", bytes(text)), Failure).code, "malformed", piece);
  }
});

Deno.test("decodeDownload() takes any object with data.filename, and DOWNLOAD in words, and nothing else", () => {
  for (
    const method of ['"DOWNLOAD_REQUEST"', '"DOWNLOAD"', '"SEARCH"', '"JOIN"', '"WHATEVER"', '""']
  ) {
    const text = `{"method":${method},"data":{"filename":"a b.mp4","port":8776}}`;
    assertEquals(decodeDownload("json", bytes(text)), "a b.mp4", method);
  }
  assertEquals(decodeDownload("json", bytes('{"data":{"filename":"a"}}')), "a");
  assertEquals(decodeDownload("words", bytes("DOWNLOAD aula 1.mp4")), "aula 1.mp4");
  const bad: readonly [Dialect, string][] = [
    ["json", '{"method":"DOWNLOAD_REQUEST","data":{"query":"a"}}'],
    ["json", '{"method":"DOWNLOAD_REQUEST"}'],
    ["json", '{"__proto__":{"data":{"filename":"a"}},"method":"DOWNLOAD"}'],
    ["json", '{"data":{"filename":["a"]}}'],
    ["words", "SEARCH aula 1.mp4"],
    ["words", "HELP"],
    ["words", "DOWNLOAD"],
  ];
  for (const [dialect, text] of bad) {
    assertEquals(assertThrows(() => decodeDownload(dialect, bytes(text)), Failure).code, "malformed", text);
  }
});

Deno.test("decodeDialect() reads what classroom clients say", () => {
  for (const [dialect, text, request] of REQUESTS) {
    // JSON leaves out the fields that are undefined.
    assertEquals(JSON.parse(JSON.stringify(decodeDialect(dialect, bytes(text)))), request, text);
  }
});

Deno.test("decodeDialect() fails as malformed on anything else, and nothing leaks into prototypes", () => {
  const json = [
    "",
    "null",
    "{",
    '{"method":"JOIN","data":7}',
    '{"method":"JOIN","data":{"files":"a"}}',
    '{"method":"JOIN","data":{"files":[1]}}',
    '{"method":"JOIN","data":{"files":[""]}}',
    '{"method":"JOIN","data":{"port":0}}',
    '{"method":"JOIN","data":{"port":70000}}',
    '{"method":"JOIN","data":{"port":"80 "}}',
    `{"method":"JOIN","data":{"files":${JSON.stringify(Array(DIALECT_FILES_MAX + 1).fill("a"))}}}`,
    `{"method":"JOIN","data":{"files":["${"a".repeat(NAME_BYTES_MAX + 1)}"]}}`,
    '{"method":"JOIN","data":{"files":["a\\u0000"]}}',
    '{"method":"SEARCH","data":{}}',
    '{"method":["SEARCH"],"data":{"query":"a"}}',
    '{"method":"CONSTRUCTOR","data":{}}',
    '{"__proto__":{"method":"SEARCH"},"data":{"query":"a"}}',
    '{"method":"SEARCH","data":{"__proto__":{"query":"a"}}}',
  ];
  const words = [
    "JOIN",
    "JOIN aula1.mp4",
    "JOIN 127.0.0.1:99999 a",
    "JOIN 127.0.0.1:0 a",
    'JOIN 127.0.0.1:80 ""',
    "UPDATE a b",
    "SEARCH 127.0.0.1:80",
    "DOWNLOAD",
    "__proto__",
    "JOIN 127.0.0.1:80 " + "a ".repeat(DIALECT_FILES_MAX + 2),
    "JOIN 127.0.0.1:80 \0",
  ];
  for (const [dialect, texts] of [["json", json], ["words", words]] as const) {
    for (const text of texts) {
      const failure = assertThrows(() => decodeDialect(dialect, bytes(text)), Failure);
      assertEquals(failure.code, "malformed", text.slice(0, 80));
    }
  }
  assertThrows(() => decodeDialect("words", new Uint8Array([0x48, 0xff])), Failure);
});

Deno.test("encodeAddresses() writes like Python's json.dumps, or words, at most as much as one read", () => {
  const address = { host: "10.0.0.5", port: 8776 };
  const other = { host: "::1", port: 1 };
  assertEquals(encodeAddresses("json", [address, other]), '["10.0.0.5:8776", "[::1]:1"]');
  assertEquals(encodeAddresses("words", [address, other]), "10.0.0.5:8776 [::1]:1");
  assertEquals(encodeAddresses("json", []), "[]");
  assertEquals(encodeAddresses("words", []), "Arquivo não encontrado");
  for (const dialect of ["json", "words"] as const) {
    const many = encodeAddresses(dialect, Array(500).fill(address));
    assert(many.length <= DIALECT_ANSWER_BYTES_MAX && many.length > DIALECT_ANSWER_BYTES_MAX - 30);
    assert(dialect === "words" || JSON.parse(many).length > 40);
  }
});

Deno.test("a header is read back to what it was made from, and a foreign one only within its bounds", () => {
  assertEquals(encodeHeader("json", 5, true), '{"status":"OK","file_size":5,"data":"SIM"}');
  assertEquals(decodeHeader(bytes(encodeHeader("json", 5, true)), "a"), 5);
  assertEquals(decodeHeader(bytes('{"status": "OK", "file_size": 0}'), "a"), 0);
  assertEquals(encodeHeader("words", 5, true), "Arquivo Encontrado!");
  const bad: readonly [text: string, code: string][] = [
    [encodeHeader("json", 5, false), "refused"],
    [encodeAbsent("json"), "not-shared"],
    ['{"status":"OK","data":"SIM"}', "malformed"],
    ['{"status":"OK","file_size":"5"}', "malformed"],
    ['{"status":"OK","file_size":-1}', "malformed"],
    ['{"status":"OK","file_size":1e18}', "malformed"],
    ['{"file_size":5}', "malformed"],
    ["[]", "malformed"],
  ];
  for (const [text, code] of bad) {
    assertEquals(assertThrows(() => decodeHeader(bytes(text), "a"), Failure).code, code, text);
  }
});

Deno.test("encodeDownload() writes what the peers of both classrooms read, with the port of the peer", () => {
  assertEquals(
    new TextDecoder().decode(encodeDownload("json", "a.mp4", 8776)),
    '{"method":"DOWNLOAD_REQUEST","data":{"filename":"a.mp4","port":"8776"}}',
  );
  assertEquals(new TextDecoder().decode(encodeDownload("words", "a b.mp4", 8776)), "DOWNLOAD a b.mp4");
  for (const dialect of ["json", "words"] as const) {
    for (const name of ["a.mp4", "a  b.mp4", 'a "b".mp4', "l'aula [1], 2.mp4"]) {
      assertEquals(decodeDownload(dialect, encodeDownload(dialect, name, 1)), name);
    }
  }
});
