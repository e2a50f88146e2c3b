import { assert, assertEquals, assertLess } from "@std/assert";
import { nextTurn } from "../../../../lib/core/flow/clock.ts";
import type { IndexedPeer } from "../../../../lib/index/search_index.ts";
import { FileTable } from "../../../../lib/index/local/file_table.ts";
import { LocalSearch } from "../../../../lib/index/local/local_search.ts";
import { NameList } from "../../../../lib/index/local/name_list.ts";
import { Slices } from "../../../../lib/index/local/slices.ts";
import { WordTree } from "../../../../lib/index/local/word_tree.ts";

const ROOT = "ab".repeat(32);
const OTHER_ROOT = "cd".repeat(32);

/** Names that count how many of their characters are read. */
class CountedNames extends NameList {
  characters = 0;

  override of(id: number): string {
    const name = super.of(id);
    this.characters += name.length;
    return name;
  }
}

/** A search over names that peers list. Peers are numbers. */
class Listed {
  readonly names = new CountedNames();
  readonly #words = new WordTree(this.names);
  readonly #copies = new FileTable();
  readonly search: LocalSearch;

  constructor(sliceMs = 1_000) {
    const { names } = this;
    const slices = new Slices(sliceMs);
    this.search = new LocalSearch({ names, words: this.#words, copies: this.#copies, peerOf, slices });
  }

  list(peer: number, name: string, root: string): void {
    const id = this.names.idOf(name) ?? this.#add(name);
    this.#copies.add({ peer, name: id, size: 1, root });
  }

  /** The names on one page. */
  async page(query: string, limit: number, offset: number): Promise<{ names: string[]; more: boolean }> {
    const { hits, more } = await this.search.search({ query, exact: false, limit, offset });
    return { names: hits.map(({ name }) => name), more };
  }

  #add(name: string): number {
    const id = this.names.add(name);
    this.#words.add(id, name);
    return id;
  }
}

function peerOf(number: number): IndexedPeer {
  return { name: `${number}`, id: "1d".repeat(32), certificate: "ce", plain: false, host: "10.0.0.5", port: 4000 };
}

/** 1,500 of the longest names, all of one content. */
function listLongNames(listed: Listed): void {
  for (let number = 0; number < 1_500; number++) listed.list(1, `zzz ${"x".repeat(1_000)} ${number}/zzz`, ROOT);
  listed.names.characters = 0;
}

Deno.test("LocalSearch reads a bounded number of characters, however long the names are", async () => {
  const listed = new Listed();
  listLongNames(listed);
  for (const exact of [false, true]) {
    listed.names.characters = 0;
    const { hits } = await listed.search.search({ query: "zzz", exact, limit: 100, offset: 0 });
    assertEquals(hits.length, 1);
    assertLess(listed.names.characters, exact ? 1_200_000 : 600_000);
  }
});

Deno.test("LocalSearch lets others have their turn while it looks at very long or very many names", async () => {
  const [long, many] = [new Listed(0.2), new Listed(0.2)];
  listLongNames(long);
  // All together, these have as many characters as fifteen of the longest names.
  for (let number = 0; number < 1_500; number++) many.list(1, `zzz ${number}`, ROOT);
  for (const listed of [long, many]) {
    let turns = 0;
    let isOver = false;
    const found = listed.page("zzz", 100, 0).finally(() => isOver = true);
    while (!isOver) {
      await nextTurn();
      turns += 1;
    }
    assertEquals((await found).names.length, 1);
    assert(turns > 2, `${turns} turns`);
  }
});

for (
  const [what, rootOf] of [
    ["one content", () => ROOT],
    ["contents of their own", (number: number) => number.toString(16).padStart(64, "0")],
  ] as const
) {
  Deno.test(`LocalSearch shows a later file although one peer has thousands of names before it, ${what}`, async () => {
    const listed = new Listed();
    for (let number = 0; number < 4_400; number++) listed.list(1, `lecture ${number}`, rootOf(number));
    listed.list(2, "Lecture 1.mp4", OTHER_ROOT);
    for (const [query, limit] of [["lecture", 20], ["lecture", 100], ["lect", 20]] as const) {
      const { names } = await listed.page(query, limit, 0);
      assert(names.includes("Lecture 1.mp4"), `${query}, ${limit}`);
    }
  });
}

Deno.test("LocalSearch shows a later file although two peers list the same thousands of names before it", async () => {
  const listed = new Listed();
  for (let number = 0; number < 4_400; number++) {
    for (const peer of [1, 2]) listed.list(peer, `lecture ${number}`, number.toString(16).padStart(64, "0"));
  }
  listed.list(3, "Lecture 1.mp4", OTHER_ROOT);
  listed.list(1, "Lecture 1.mp4", ROOT);
  const { hits } = await listed.search.search({ query: "lecture", exact: false, limit: 50, offset: 0 });
  assertEquals(hits.filter(({ name }) => name === "Lecture 1.mp4").map(({ root }) => root).sort(), [ROOT, OTHER_ROOT]);
});

Deno.test("LocalSearch finds an exact name in a later folder although one peer has thousands before it", async () => {
  const listed = new Listed();
  for (let number = 0; number < 2_500; number++) {
    listed.list(1, `${number}/homework.pdf`, number.toString(16).padStart(64, "0"));
  }
  listed.list(2, "week 3/homework.pdf", OTHER_ROOT);
  const { hits } = await listed.search.search({ query: "homework.pdf", exact: true, limit: 20, offset: 0 });
  assert(hits.some(({ root }) => root === OTHER_ROOT));
});

Deno.test("LocalSearch reports more exactly when the next page has hits, and repeats none", async () => {
  for (const [first, second] of [[3_000, 300], [300, 10], [4_400, 1]] as const) {
    const listed = new Listed();
    for (let number = 0; number < first; number++) {
      // A third has whole words, and every other name is of one content.
      const name = `${number % 3 === 0 ? "lecture" : "lectures"} ${number}`;
      listed.list(1, name, number % 2 === 0 ? ROOT : number.toString(16).padStart(64, "0"));
    }
    for (let number = 0; number < second; number++) {
      listed.list(2, `lecture b${number}`, number.toString(16).padStart(64, "1"));
    }
    const sequences = await Promise.all([[100], [20], [64, 7, 90]].map(async (limits) => {
      const seen: string[] = [];
      for (let page = 0, isMore = true; isMore && seen.length <= 2_000; page++) {
        const { names, more } = await listed.page("lecture", limits[page % limits.length] ?? 1, seen.length);
        assert(names.length > 0);
        seen.push(...names);
        isMore = more;
      }
      return seen;
    }));
    const all = sequences[0] ?? [];
    assertEquals(new Set(all).size, all.length);
    for (const other of sequences) {
      const length = Math.min(other.length, all.length);
      assertEquals(other.slice(0, length), all.slice(0, length));
    }
  }
});
