/**
 * Every message, in random versions, there and back; then the same bytes damaged, which have to
 * fail in one typed way or not at all. `FUZZ_CASES` sets how many; the soak task sets many.
 * @module
 */

import { assertEquals } from "@std/assert";
import { DIALECTS } from "../../lib/core/dialect.ts";
import { Failure } from "../../lib/core/failure.ts";
import { LINE_BYTES_MAX } from "../../lib/core/limits.ts";
import { randomBelow, randomOf } from "../../lib/core/random.ts";
import { INDEX_NEWS, INDEX_REQUESTS, PEER_NEWS, PEER_REQUESTS } from "../../lib/protocol/catalogue.ts";
import { JsonEnd, tellApart } from "../../lib/protocol/dialect.ts";
import { decodeDialect, decodeDownload, decodeHeader } from "../../lib/protocol/dialect_requests.ts";
import { decodeLine, encodeNews, encodeReply, encodeRequest } from "../../lib/protocol/envelope.ts";
import { LineBuffer } from "../../lib/protocol/line_buffer.ts";
import { mutate } from "../support/mutate.ts";
import { sampleLine } from "../support/samples.ts";
import { seededRandom } from "../support/seeded_random.ts";

const CASES = Number(Deno.env.get("FUZZ_CASES") ?? 20_000);

/** Seeds that once failed, each with what it found. They run first, for ever. */
const PAST_SEEDS: readonly (readonly [seed: number, found: string])[] = [];

/** What classroom clients and their peers say. */
const CLASSROOM_REQUESTS = [
  '{"method": "JOIN", "data": {"files": ["a.mp4", "b \\"c\\".mp4"], "port": 8776}}',
  '{"method":"UPDATE","data":{"filename":"ção.mp4","__proto__":{"files":[]}}}',
  '{"method": "DOWNLOAD_REQUEST", "data": {"filename": "a.mp4", "port": "8776"}}',
  '{"status":"OK","file_size":1000,"data":"SIM"}',
  'JOIN 127.0.0.1:8776 aula1.mp4 "aula 2.mp4"\n',
  "SEARCH [::1]:8776 aula1.mp4",
  "JOIN 127.0.0.1:8776 ['a.mp4', \"l'aula 2.mp4\", 'v\\xeddeo.mp4']",
  "JOIN 127.0.0.1:8776 aula 1.mp4, aula 2.mp4",
  "UPDATE 127.0.0.1:8776 aula 1.mp4",
  '{"method":"UPDATE","data":{"files":["a.mp4"],"port":"8776"}}',
  "DOWNLOAD aula1.mp4",
];

const REQUESTS = [...INDEX_REQUESTS, ...PEER_REQUESTS];
const NEWS = [...INDEX_NEWS, ...PEER_NEWS];

Deno.test("every message survives the way there and back", () => {
  for (let seed = 0; seed < CASES / 20; seed++) {
    const random = seededRandom(seed);
    for (const request of REQUESTS) {
      const data = request.data.sample(random);
      const sent = decodeLine(encodeRequest(request, data, seed).subarray(0, -1));
      if (sent.kind !== "request") throw new Error(`seed ${seed}: ${request.method} became a ${sent.kind}`);
      assertEquals([request.data.check(sent.data, "data"), sent.id], [data, seed], `seed ${seed}`);
      const reply = request.reply.sample(random);
      const answered = decodeLine(encodeReply(request, reply, seed).subarray(0, -1));
      if (answered.kind !== "reply") throw new Error(`seed ${seed}: ${request.method}_OK became a ${answered.kind}`);
      assertEquals(request.reply.check(answered.data, "reply"), reply, `seed ${seed}`);
    }
    for (const news of NEWS) {
      const data = news.data.sample(random);
      const told = decodeLine(encodeNews(news, data).subarray(0, -1));
      assertEquals(told.kind === "news" ? news.data.check(told.data, "data") : told.kind, data, `seed ${seed}`);
    }
  }
});

Deno.test("damaged lines fail in one typed way, or mean something", () => {
  const seeds = [...PAST_SEEDS.map(([seed]) => seed), ...Array.from({ length: CASES }, (_, index) => index)];
  let refused = 0;
  for (const seed of seeds) {
    const random = seededRandom(seed);
    const bytes = mutate(sampleLine(random), sampleLine(random), random);
    const buffer = new LineBuffer(LINE_BYTES_MAX);
    try {
      for (let at = 0; at < bytes.length;) {
        const end = at + 1 + randomBelow(random, 200);
        buffer.push(bytes.subarray(at, end));
        at = end;
        for (let line; (line = buffer.line()) !== undefined;) readAsAnything(line);
      }
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw new Error(`seed ${seed}`, { cause: thrown });
      assertEquals(["malformed", "too-large"].includes(thrown.code), true, `seed ${seed}: ${thrown.code}`);
      refused += 1;
    }
  }
  assertEquals(refused > seeds.length / 4, true, `only ${refused} of ${seeds.length} were refused`);
  assertEquals(Object.hasOwn(Object.prototype, "x"), false);
});

Deno.test("damaged requests in a classroom dialect fail in one typed way, or mean something", () => {
  for (let seed = 0; seed < CASES; seed++) {
    const random = seededRandom(seed);
    const dialect = randomOf(random, DIALECTS);
    const request = new TextEncoder().encode(randomOf(random, CLASSROOM_REQUESTS));
    const bytes = mutate(request, random() < 0.5 ? request : sampleLine(random), random);
    try {
      tellApart(bytes);
      const end = new JsonEnd().push(bytes) ?? bytes.length;
      decodeDialect(dialect, bytes.subarray(0, end));
      decodeDownload(dialect, bytes.subarray(0, end));
      decodeHeader(bytes, "a");
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw new Error(`seed ${seed}`, { cause: thrown });
      const codes = ["malformed", "unsupported", "refused", "not-shared"];
      assertEquals(codes.includes(thrown.code), true, `seed ${seed}: ${thrown.code}`);
    }
  }
  assertEquals(Object.hasOwn(Object.prototype, "files"), false);
});

/** Reads a line and lets every definition have a look at its data, as a confused peer would. */
function readAsAnything(line: Uint8Array): void {
  const envelope = decodeLine(line);
  if (envelope.kind === "failure") return;
  const name = envelope.kind === "request"
    ? envelope.method
    : envelope.kind === "news"
    ? envelope.event
    : envelope.status;
  for (const request of REQUESTS) {
    if (request.method === name) request.data.check(envelope.data, name);
    if (`${request.method}_OK` === name) request.reply.check(envelope.data, name);
  }
  for (const news of NEWS) if (news.event === name) news.data.check(envelope.data, name);
}
