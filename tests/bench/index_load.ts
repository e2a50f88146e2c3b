/**
 * Load on an index, from a process of its own. One JSON line of figures at the end. Arguments: port, what, and numbers:
 * `fill PEERS FILES` joins peers with files each and stays; `search SECONDS SESSIONS` searches two words, `ping` likewise only asks for an answer; `joins COUNT AT_ONCE` joins and leaves.
 * @module
 */

import { BATCH_FILES_MAX } from "../../lib/core/limits.ts";
import { type Random, randomBelow, randomOf, seededRandom } from "../../lib/core/random.ts";
import { batches } from "../../lib/protocol/batch.ts";
import { Leave, Ping, Update } from "../../lib/protocol/presence.ts";
import { Search } from "../../lib/protocol/search.ts";
import { IndexClient } from "../support/index_client.ts";
import { percentile } from "./measure.ts";

const WORDS_COUNT = 5_000;
/** Between two searches of one session. */
const PAUSE_MS = 10;

/** Words as names have them: some frequent, most rare. */
const VOCABULARY = (() => {
  const random = seededRandom(7);
  return Array.from({ length: WORDS_COUNT }, () => {
    return Array.from({ length: 3 + randomBelow(random, 8) }, () => String.fromCharCode(97 + randomBelow(random, 26)))
      .join("");
  });
})();

function word(random: Random): string {
  return VOCABULARY[Math.floor(random() ** 3 * WORDS_COUNT)] ?? "";
}

function nameOf(random: Random, number: number): string {
  return `${word(random)}/${word(random)} ${word(random)} ${word(random)} ${number}.${
    randomOf(random, ["mp4", "pdf", "txt", "zip"])
  }`;
}

const [port, what, ...numbers] = Deno.args;
const [first = 0, second = 0] = numbers.map(Number);
const index = { host: "127.0.0.1", port: Number(port) };
if (what === "fill") await fill(first, second);
else if (what === "search") await search(first, second);
else if (what === "ping") await search(first, second);
else if (what === "joins") await joins(first, second);
else throw new Error(`There is no ${what}`);

async function fill(peers: number, files: number): Promise<void> {
  const start = performance.now();
  for (let peer = 0; peer < peers; peer++) {
    const client = await IndexClient.connect(index);
    await client.join(`load ${Deno.pid} ${peer}`, { files });
    const random = seededRandom(Deno.pid * 1000 + peer);
    const all = Array.from({ length: files }, (_, number) => ({
      name: nameOf(random, peer * files + number),
      size: randomBelow(random, 1e9),
      root: `${peer}`.padStart(8, "0") + `${number}`.padStart(56, "0"),
    }));
    for (const batch of batches(all, BATCH_FILES_MAX)) await client.call(Update, { add: batch, remove: [] });
    setInterval(() => client.call(Ping, {}).catch(() => {}), 10_000);
  }
  console.log(JSON.stringify({ filesPerSecond: Math.round(peers * files / (performance.now() - start) * 1000) }));
  // Stays, since presence is the connection.
}

async function search(seconds: number, sessions: number): Promise<void> {
  const end = performance.now() + seconds * 1000;
  const times: number[] = [];
  let hits = 0;
  await Promise.all(Array.from({ length: sessions }, async (_, session) => {
    await using client = await IndexClient.connect(index);
    const random = seededRandom(session + 1);
    while (performance.now() < end) {
      const query = `${word(random)} ${word(random)}`;
      const start = performance.now();
      const found = what === "ping"
        ? await client.call(Ping, {}).then(() => 0)
        : (await client.call(Search, { query, exact: false, limit: 20, offset: 0 })).hits.length;
      times.push(performance.now() - start);
      hits += found;
      // As a person at most would; an index answers no connection more often than QUESTIONS_PER_SECOND_MAX.
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }));
  console.log(JSON.stringify({
    searchesPerSecond: Math.round(times.length / seconds),
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    p999: percentile(times, 0.999),
    max: Math.max(...times),
    hitsEach: hits / times.length,
  }));
  Deno.exit(0);
}

async function joins(count: number, atOnce: number): Promise<void> {
  let next = 0;
  const times: number[] = [];
  const start = performance.now();
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let number = next++; number < count; number = next++) {
      const begun = performance.now();
      await using client = await IndexClient.connect(index);
      await client.join(`joiner ${Deno.pid} ${number}`);
      times.push(performance.now() - begun);
      await client.call(Leave, {});
    }
  }));
  const perSecond = Math.round(count / (performance.now() - start) * 1000);
  console.log(JSON.stringify({ joinsPerSecond: perSecond, p50: percentile(times, 0.5), p99: percentile(times, 0.99) }));
  Deno.exit(0);
}
