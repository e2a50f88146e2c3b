/**
 * As many searches as an index answers: some hundred connections, and each asks again as soon
 * as it is answered. Takes as little from the machine as it can, since the index runs on the same:
 * of most answers only the end is looked for. Called by index_load.ts.
 * @module
 */

import { PROTOCOL_VERSION, SOFTWARE } from "../../lib/core/version.ts";
import { makeNonce, readReply } from "../../lib/net/caller.ts";
import { Identity } from "../../lib/net/identity.ts";
import { prove } from "../../lib/net/proof.ts";
import { decodeLine, encodeRequest } from "../../lib/protocol/envelope.ts";
import { Hello, Prove } from "../../lib/protocol/hello.ts";
import { Search } from "../../lib/protocol/search.ts";
import { Ping } from "../../lib/protocol/presence.ts";
import { loadQuery } from "./load_names.ts";
import { percentile } from "./measure.ts";
import { seededRandom } from "../support/seeded_random.ts";

const LINE_FEED = 0x0a;
const READ_BYTES = 64 * 1024;
/** One answer in so many is read and checked. */
const CHECKED_EVERY = 64;
/**
 * Searches made up before the clock runs; each connection goes through them from another place on.
 */
const QUESTIONS = 20_000;
const HITS = 20;
/** Not measured: the time in which the index warms up. */
const WARM_UP_MS = 1_000;

/** What the flood did. */
export interface Flood {
  readonly searchesPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** Hits of one search, and bytes of one answer, on average. */
  readonly hitsEach: number;
  readonly bytesEach: number;
}

/** Searches for two words, or with `ping` only asks whether the index is there. */
export async function flood(
  index: { host: string; port: number },
  options: { seconds: number; sessions: number; ping: boolean },
): Promise<Flood> {
  const random = seededRandom(1);
  const questions = Array.from({ length: options.ping ? 1 : QUESTIONS }, (_, id) => {
    return options.ping
      ? encodeRequest(Ping, {}, id)
      : encodeRequest(Search, { query: loadQuery(random), exact: false, limit: HITS, offset: 0 }, id);
  });
  const identity = await Identity.make();
  const connections = await Promise.all(Array.from({ length: options.sessions }, async () => {
    const conn = await Deno.connect({ hostname: index.host, port: index.port });
    conn.setNoDelay(true);
    const answers = new Answers(conn);
    await answers.begin(identity);
    return answers;
  }));
  // Every connection has proven its key by now: only questions and answers are measured.
  const begin = performance.now() + WARM_UP_MS;
  const end = begin + options.seconds * 1000;
  const times: number[] = [];
  const checked = { answers: 0, hits: 0, bytes: 0 };
  await Promise.all(connections.map(async (connection, session) => {
    using answers = connection;
    let next = Math.floor(session / options.sessions * questions.length);
    for (let count = 0; performance.now() < end; count++) {
      const start = performance.now();
      const answer = await answers.to(questions[next] ?? new Uint8Array(0));
      next = (next + 1) % questions.length;
      if (start < begin) continue;
      times.push(performance.now() - start);
      checked.bytes += answer.length;
      if (count % CHECKED_EVERY > 0 || options.ping) continue;
      checked.answers += 1;
      checked.hits += readReply(Search, decodeLine(answer)).data.hits.length;
    }
  }));
  return {
    searchesPerSecond: Math.round(times.length / options.seconds),
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    p999: percentile(times, 0.999),
    max: times.reduce((a, b) => Math.max(a, b), 0),
    hitsEach: checked.hits / Math.max(checked.answers, 1),
    bytesEach: Math.round(checked.bytes / Math.max(times.length, 1)),
  };
}

/** The answers on one connection, one after the other. */
class Answers implements Disposable {
  readonly #conn: Deno.TcpConn;
  #bytes = new Uint8Array(READ_BYTES);

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }

  /** Says HELLO, and proves a key: an index answers nothing else before. */
  async begin(identity: Identity): Promise<void> {
    const asking = makeNonce();
    const hello = encodeRequest(Hello, { version: PROTOCOL_VERSION, software: SOFTWARE, nonce: asking }, 1);
    const { nonce: asked } = readReply(Hello, decodeLine(await this.to(hello))).data;
    const proof = await prove({ asked, asking, called: "index", calledId: "" }, identity, undefined);
    readReply(Prove, decodeLine(await this.to(encodeRequest(Prove, proof, 2))));
  }

  /** The line that answers this one, without its end. Valid until the next is asked for. */
  async to(question: Uint8Array): Promise<Uint8Array> {
    // Some hundred bytes; the system takes them at once.
    await this.#conn.write(question);
    for (let filled = 0;;) {
      const read = await this.#conn.read(this.#bytes.subarray(filled));
      if (read === null) throw new Error("The index closed the connection");
      filled += read;
      if (this.#bytes[filled - 1] === LINE_FEED) return this.#bytes.subarray(0, filled - 1);
      if (filled < this.#bytes.length) continue;
      const roomy = new Uint8Array(2 * filled);
      roomy.set(this.#bytes);
      this.#bytes = roomy;
    }
  }
}
