/**
 * The bytes of every message, as they were when it was defined. A change here is a change of the
 * wire: peers in other rooms do not have it. `UPDATE_GOLDEN=1 deno task test tests/golden` writes
 * the file again.
 * @module
 */

import { assertEquals } from "@std/assert";
import { NO_CERTIFICATE, NO_ID } from "../../lib/core/dialect.ts";
import { Failure } from "../../lib/core/failure.ts";
import { type AnyRequest, INDEX_NEWS, INDEX_REQUESTS, PEER_NEWS, PEER_REQUESTS } from "../../lib/protocol/catalogue.ts";
import { decodeLine, encodeFailure, encodeNews, encodeReply, encodeRequest } from "../../lib/protocol/envelope.ts";

const FILE = new URL("./wire.txt", import.meta.url);
const ROOT = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
const ID = "3f9a11c28b0d77e1".repeat(4);
const NONCE = "5e".repeat(32);
const PEER = { name: "Ana", id: ID, host: "10.0.0.5", port: 40_123, plain: false };
const PAGE = { limit: 20, offset: 0 };

/** One example of each message: its data, and for requests the reply's. */
const EXAMPLES: Record<string, [data: unknown, reply?: unknown, body?: number]> = {
  HELLO: [
    { version: 1, software: "recess/0.1.0", name: "Rui", nonce: NONCE },
    { version: 1, software: "recess/0.1.0", name: "Ana", nonce: NONCE },
  ],
  PROVE: [{ certificate: "3082", signature: "ab".repeat(64), member: "cd".repeat(32) }, {}],
  JOIN: [{ name: "Ana", port: 40_123, files: 2, plain: false }, {
    name: "Ana",
    host: "10.0.0.5",
  }],
  UPDATE: [
    {
      add: [{ name: "vídeos/aula 1.mp4", size: 8_000_000_000, root: ROOT }, { name: "notas.txt", size: 0 }],
      remove: ["old"],
    },
    { files: 2 },
  ],
  SEARCH: [
    { query: "aula mp4", exact: false, ...PAGE },
    { hits: [{ name: "vídeos/aula 1.mp4", size: 8_000_000_000, root: ROOT, holders: 1, peers: [PEER] }], more: false },
  ],
  FIND: [{ root: ROOT, size: 8_000_000_000, ...PAGE }, {
    holders: [{ peer: PEER, name: "aula 1.mp4", size: 8_000_000_000, partial: false }],
    more: true,
  }],
  FOLDER: [{ prefix: "vídeos/", after: "vídeos/aula 0.mp4", limit: 100 }, {
    hits: [{ name: "vídeos/aula 1.mp4", size: 8, root: ROOT, holders: 1, peers: [PEER] }],
    more: true,
  }],
  PARTIAL: [{ root: ROOT, name: "aula 1.mp4", size: 8_000_000_000, here: true }, {}],
  PEERS: [{ name: "Ana", ...PAGE }, {
    peers: [{ ...PEER, certificate: "3082", files: 2, bytes: 8_000_000_000 }, {
      name: "Rui",
      id: ID,
      certificate: "3082",
      host: "::1",
      plain: true,
      files: 0,
      bytes: 0,
    }, {
      name: "10.0.0.6:8776",
      id: NO_ID,
      certificate: NO_CERTIFICATE,
      host: "10.0.0.6",
      port: 8776,
      plain: true,
      dialect: "json",
      files: 2,
      bytes: 0,
    }],
    more: false,
  }],
  DOWNLOAD_REQUEST: [{ peer: "Ana", name: "aula 1.mp4" }, { peer: PEER, size: 8, root: ROOT }],
  PING: [{}, {}],
  LEAVE: [{}, {}],
  LIST: [{ after: "a", limit: 500 }, {
    files: [{ name: "aula 1.mp4", size: 8, modified: 1_795_000_000_000, root: ROOT }],
    more: true,
  }],
  PIECES: [{ root: ROOT, from: 0, limit: 32_768, doubt: 7_629 }, {
    name: "aula 1.mp4",
    size: 8,
    modified: -310_157_632_110,
    executable: true,
    root: ROOT,
  }, 32],
  HOLDS: [{ root: ROOT }, { size: 8_000_000_000, complete: false, asking: 3, full: true }, 1908],
  DOWNLOAD: [
    { name: "aula 1.mp4", start: 0, end: 8, compression: "gzip", alone: true },
    { name: "aula 1.mp4", size: 8, modified: 1, compression: "gzip" },
    7,
  ],
  DOWNLOAD_MANY: [
    { files: [{ root: ROOT }, { name: "aula 1.mp4" }], compression: "gzip" },
    { files: [{ size: 8, modified: 1 }, { size: 40, modified: 1, executable: true, root: ROOT, packed: 7 }] },
    15,
  ],
  SHOW: [{ name: "sala.png", size: 8, type: "png", sha256: ROOT }, { port: 40_123, token: "7a".repeat(8), key: NONCE }],
  SHOWN: [{}, {}],
  TELL: [{ number: 1_795_000_000_000, text: "Olá, Ana 🎓" }, { last: 1_795_000_000_000 }],
  PUT: [{ name: "trabalho.pdf", size: 8, root: ROOT }, { name: "inbox/Rui/(1) trabalho.pdf", alreadyHere: false }],
  TAKEN: [{ done: 4, checking: false }],
  REMOVE: [{ name: "trabalho.pdf" }, { name: "inbox/Rui/trabalho.pdf" }],
  ASKING: [{}],
  QUEUED: [{ before: 4 }],
  REACHED: [{ reachable: true }],
  PROBE: [{}],
  CLOSING: [{ reason: "the index was stopped" }],
};

function linesOf(request: AnyRequest): Uint8Array[] {
  const [data, reply, body] = EXAMPLES[request.method] ?? [];
  return [encodeRequest(request, data, 7), encodeReply(request, reply, 7, body)];
}

Deno.test("the wire's bytes are what they were", async () => {
  const requests = [...new Set([...INDEX_REQUESTS, ...PEER_REQUESTS])];
  const failure = new Failure("name-taken", 'Cannot join as "Ana"', { hint: "choose another", suggestion: "Ana-2" });
  const lines = [
    ...requests.flatMap(linesOf),
    ...[...INDEX_NEWS, ...PEER_NEWS].map((news) => encodeNews(news, EXAMPLES[news.event]?.[0])),
    encodeFailure(failure, 7),
    encodeFailure(new Failure("busy", "Too many connections here"), 0),
  ];
  const text = lines.map((line) => new TextDecoder().decode(line)).join("");
  if (Deno.env.get("UPDATE_GOLDEN") === "1") await Deno.writeTextFile(FILE, text);
  assertEquals(text, await Deno.readTextFile(FILE));
});

Deno.test("every golden line is read back to what it was made from", async () => {
  const requests = [...INDEX_REQUESTS, ...PEER_REQUESTS];
  for (const line of (await Deno.readTextFile(FILE)).trimEnd().split("\n")) {
    const envelope = decodeLine(new TextEncoder().encode(line));
    if (envelope.kind === "failure") continue;
    const name = envelope.kind === "request"
      ? envelope.method
      : envelope.kind === "news"
      ? envelope.event
      : envelope.status;
    const definition = requests.find((each) => each.method === name.replace(/_OK$/, ""));
    const [data, reply, body] = EXAMPLES[name.replace(/_OK$/, "")] ?? [];
    if (envelope.kind === "request") assertEquals(definition?.data.check(envelope.data, name), data);
    else if (envelope.kind === "reply") {
      assertEquals([definition?.reply.check(envelope.data, name), envelope.body], [reply, body ?? 0]);
    } else {
      assertEquals(
        [...INDEX_NEWS, ...PEER_NEWS].find((each) => each.event === name)?.data.check(envelope.data, name),
        data,
      );
    }
  }
});
