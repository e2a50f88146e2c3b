/**
 * Files that come and go at random in an index. Every answer is compared with a plain list of all
 * files.
 * @module
 */

import { assertEquals } from "@std/assert";
import { type Random, randomBelow, randomOf } from "../../lib/core/random.ts";
import { matchQuality } from "../../lib/index/local/rank.ts";
import type { IndexedPeer, ListedFile } from "../../lib/index/search_index.ts";
import { LocalIndex } from "../../lib/index/local/local_index.ts";
import { words } from "../../lib/core/words.ts";
import { seededRandom } from "../support/seeded_random.ts";

const STEPS = Number(Deno.env.get("INDEX_FUZZ_STEPS") ?? 1_500);
/** Fewer names than a search looks at, so that it finds all of them. */
const MATCHES_MAX = 60;
/** Words that begin alike, in scripts of all kinds. */
const WORDS = [
  ..."a aa aaa aaaa aaaaaaaaaaaaaaaaaaaaaaaab aaaaaaaaaaaaaaaaaaaaaaac b ba bab".split(" "),
  ..."redes rede red re Ção cao ação 1 10 100 1000 2 mp4".split(" "),
  "学习资料",
  "学习",
  "🎓",
  "straße",
];

function nameOf(random: Random): string {
  const word = (): string => randomOf(random, WORDS) + (random() < 0.2 ? String(randomBelow(random, 40)) : "");
  const parts = Array.from({ length: 1 + randomBelow(random, 4) }, word);
  return (random() < 0.3 ? `${word()}/` : "") + parts.join(randomOf(random, [" ", "-", "_ "])) +
    randomOf(random, ["", ".mp4"]);
}

function rootOf(number: number): string {
  return number.toString(16).padStart(2, "0").repeat(32);
}

function peer(name: string): IndexedPeer {
  return { name, id: "1d".repeat(32), certificate: "ce", plain: false, host: "10.0.0.5", port: 4000 };
}

Deno.test("LocalIndex finds exactly what is listed while files come and go at random", async () => {
  const seed = Number(Deno.env.get("FUZZ_SEED") ?? randomBelow(Math.random, 2 ** 31));
  const random = seededRandom(seed);
  await using index = new LocalIndex();
  const lists = new Map<string, Map<string, ListedFile>>();
  const peers = Array.from({ length: 6 }, (_, number) => `peer ${number}`);
  for (let step = 0; step < STEPS; step++) {
    const name = randomOf(random, peers);
    const list = lists.get(name);
    if (list === undefined) {
      await index.join(peer(name));
      lists.set(name, new Map());
    } else if (random() < 0.01) {
      await index.leave(name);
      lists.delete(name);
    } else {
      const add = Array.from({ length: randomBelow(random, 12) }, () => {
        const root = random() < 0.5 ? { root: rootOf(randomBelow(random, 40)) } : {};
        return { name: nameOf(random), size: randomBelow(random, 3), ...root };
      });
      const remove = [...list.keys()].filter(() => random() < 0.15);
      for (const each of remove) list.delete(each);
      for (const file of add) list.set(file.name, file);
      assertEquals(await index.update(name, { add, remove }), list.size, `seed ${seed}`);
    }
    if (step % 10 === 0) await compare(index, lists, random, `seed ${seed}, step ${step}`);
  }
  for (const name of peers) await index.leave(name);
  assertEquals(await index.counts(), { peers: 0, files: 0, bytes: 0 });
  assertEquals((await index.search({ query: "", exact: false, limit: 10, offset: 0 })).hits, []);
});

async function compare(
  index: LocalIndex,
  lists: ReadonlyMap<string, ReadonlyMap<string, ListedFile>>,
  random: Random,
  what: string,
): Promise<void> {
  const all = [...lists].flatMap(([owner, list]) => [...list.values()].map((file) => ({ owner, file })));
  for (let count = 0; count < 4; count++) {
    const query = Array.from({ length: 1 + randomBelow(random, 3) }, () => {
      const word = randomOf(random, WORDS);
      return [...word].slice(0, 1 + randomBelow(random, word.length)).join("");
    }).join(" ");
    const wanted = [...new Set(words(query))];
    const names = new Set(all.map(({ file }) => file.name).filter((name) => matchQuality(name, wanted) !== undefined));
    if (wanted.length === 0 || names.size > MATCHES_MAX) continue;
    const contents = new Set(all.filter(({ file }) => names.has(file.name)).map(({ file }) => contentOf(file)));
    const { hits } = await index.search({ query, exact: false, limit: 100, offset: 0 });
    assertEquals(hits.map(contentOf).sort(), [...contents].sort(), `${what}: ${query}`);
    for (const hit of hits) {
      const owners = all.filter(({ file }) => contentOf(file) === contentOf(hit)).map(({ owner }) => owner);
      assertEquals(hit.holders, new Set(owners).size, `${what}: ${query}, ${hit.name}`);
    }
  }
  const root = rootOf(randomBelow(random, 40));
  const { holders } = await index.find({ root }, { limit: 500, offset: 0 });
  const expected = all.filter(({ file }) => file.root === root).map(({ owner, file }) => `${owner}: ${file.name}`);
  assertEquals(holders.map((holder) => `${holder.peer.name}: ${holder.name}`).sort(), expected.sort(), what);
  const bytes = all.reduce((sum, { file }) => sum + file.size, 0);
  assertEquals(await index.counts(), { peers: lists.size, files: all.length, bytes }, what);
}

/** What identifies a hit: root and size, or name and size while the root is unknown. */
function contentOf({ name, size, root }: ListedFile): string {
  return `${root ?? name}/${size}`;
}
