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

Deno.test("LocalSearch lets others have their turn while it looks at very long names", async () => {
  const listed = new Listed(0.2);
  listLongNames(listed);
  let turns = 0;
  let isOver = false;
  const found = listed.page("zzz", 100, 0).finally(() => isOver = true);
  while (!isOver) {
    await nextTurn();
    turns += 1;
  }
  assertEquals((await found).names.length, 1);
  assert(turns > 2, `${turns} turns`);
});
