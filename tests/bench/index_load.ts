/**
 * Load on an index, from a process of its own. Prints JSON lines of figures. Arguments: port, what,
 * and numbers:
 *
 * - `crowd FIRST COUNT FILES SPREAD_MS` joins that many peers with files each, in a time spread out
 *   like that, and stays; when the index ends, all of them come back, spread out alike. One line
 *   whenever all are there.
 * - `search SECONDS SESSIONS` searches two words ten milliseconds after the last answer, as a
 *   person at most would; `ping` likewise only asks.
 * - `flood SECONDS SESSIONS` searches two words as soon as the last answer is there; `ping-flood`
 *   likewise only asks.
 * - `joins COUNT AT_ONCE` joins and leaves.
 * @module
 */

import { Leave, Ping } from "../../lib/protocol/presence.ts";
import { Search } from "../../lib/protocol/search.ts";
import { IndexClient } from "../support/index_client.ts";
import { crowd } from "./crowd_load.ts";
import { DialBacks, LightPeer } from "./light_peer.ts";
import { loadQuery } from "./load_names.ts";
import { percentile } from "./measure.ts";
import { flood } from "./search_flood.ts";
import { seededRandom } from "../support/seeded_random.ts";

/** Between two searches of one session. */
const PAUSE_MS = 10;

const [port, what, ...numbers] = Deno.args;
const [first = 0, second = 0, third = 0, fourth = 0] = numbers.map(Number);
const index = { host: "127.0.0.1", port: Number(port) };
switch (what) {
  case "crowd":
    await crowd(index.port, { first, count: second, filesEach: third, spreadMs: fourth }, print);
    break;
  case "search":
  case "ping":
    print(await search(first, second));
    break;
  case "flood":
  case "ping-flood":
    print(await flood(index, { seconds: first, sessions: second, ping: what === "ping-flood" }));
    break;
  case "joins":
    print(await joins(first, second));
    break;
  default:
    throw new Error(`There is no ${what}`);
}
Deno.exit(0);

function print(found: object): void {
  console.log(JSON.stringify(found));
}

async function search(seconds: number, sessions: number): Promise<object> {
  const end = performance.now() + seconds * 1000;
  const times: number[] = [];
  let hits = 0;
  await Promise.all(Array.from({ length: sessions }, async (_, session) => {
    await using client = await IndexClient.connect(index);
    const random = seededRandom(session + 1);
    while (performance.now() < end) {
      const query = loadQuery(random);
      const start = performance.now();
      const found = what === "ping"
        ? await client.call(Ping, {}).then(() => 0)
        : (await client.call(Search, { query, exact: false, limit: 20, offset: 0 })).hits.length;
      times.push(performance.now() - start);
      hits += found;
      // As a person at most would; an index answers no connection more often than
      // QUESTIONS_PER_SECOND_MAX.
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }));
  return {
    searchesPerSecond: Math.round(times.length / seconds),
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    p999: percentile(times, 0.999),
    max: Math.max(...times),
    hitsEach: hits / times.length,
  };
}

async function joins(count: number, atOnce: number): Promise<object> {
  const peers = Array.from({ length: count }, (_, number) => new LightPeer(number));
  const dialBacks = new DialBacks();
  for (const peer of peers) await peer.prepare();
  const times: number[] = [];
  const start = performance.now();
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let peer = peers.pop(); peer !== undefined; peer = peers.pop()) {
      const begun = performance.now();
      const { caller } = await peer.join(index.port, dialBacks, 0);
      times.push(performance.now() - begun);
      await caller.call(Leave, {});
      caller.connection.close();
    }
  }));
  const joinsPerSecond = Math.round(count / (performance.now() - start) * 1000);
  return { joinsPerSecond, p50: percentile(times, 0.5), p99: percentile(times, 0.99), p999: percentile(times, 0.999) };
}
