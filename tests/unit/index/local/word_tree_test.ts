import { assert, assertEquals, assertLess } from "@std/assert";
import { NAME_WORDS_MAX } from "../../../../lib/core/limits.ts";
import { type Random, randomBelow } from "../../../../lib/core/random.ts";
import { words } from "../../../../lib/core/words.ts";
import { NameList } from "../../../../lib/index/local/name_list.ts";
import { WordTree } from "../../../../lib/index/local/word_tree.ts";
import { externalBytes } from "../../../support/memory.ts";
import { seededRandom } from "../../../support/seeded_random.ts";

/** Names with words that often begin alike: of few letters, some of them long. */
function nameOf(random: Random): string {
  const word = (): string =>
    Array.from({ length: 1 + randomBelow(random, 6) }, () => "ab1"[randomBelow(random, 3)]).join("");
  return `${word()} ${word()}/${word()}${randomBelow(random, 20) === 0 ? "a".repeat(30) : ""} 学习`;
}

function matches(name: string, wanted: readonly string[], whole: boolean): boolean {
  const all = words(name);
  return wanted.every((word) => all.some((each) => whole ? each === word : each.startsWith(word)));
}

Deno.test("WordTree find() misses no name while names come and go, and returns few others", () => {
  const random = seededRandom(11);
  const names = new Map<number, string>();
  const list = new NameList();
  const tree = new WordTree(list);
  for (let step = 0; step < 6_000; step++) {
    if (names.size < 1_000 || random() < 0.5) {
      const name = `${nameOf(random)} ${step}`;
      const id = list.add(name);
      names.set(id, name);
      tree.add(id, name);
    } else {
      const [id, name] = [...names][randomBelow(random, names.size)] ?? [0, ""];
      tree.delete(id, name);
      list.delete(id);
      names.delete(id);
    }
    if (step % 20 > 0) continue;
    const wanted = words(nameOf(random)).slice(0, 1 + randomBelow(random, 3));
    for (const whole of [false, true]) {
      const found = tree.find(wanted, Infinity, { whole });
      const expected = [...names].filter(([, name]) => matches(name, wanted, whole)).map(([each]) => each);
      assertEquals(new Set(found).size, found.length);
      assertEquals(new Set(expected).difference(new Set(found)), new Set());
      assert(found.length <= expected.length + 20, `${found.length} for ${expected.length}`);
      assert(found.every((each) => names.has(each)));
    }
  }
  for (const [id, name] of names) tree.delete(id, name);
  assertEquals(tree.find(["a"], Infinity, { whole: false }), []);
});

Deno.test("WordTree frees the memory of removed names, even when one name with the same words is left", () => {
  const list = new NameList();
  const tree = new WordTree(list);
  const before = externalBytes();
  for (let batch = 0; batch < 20; batch++) {
    const said = Array.from({ length: 30 }, (_, number) => `w${batch}x${number}`).join(" ");
    const names = Array.from({ length: 250 }, (_, number) => `${said} ${number}`);
    const added = names.map((name) => ({ id: list.add(name), name }));
    for (const { id, name } of added) tree.add(id, name);
    for (const { id, name } of added.slice(1)) {
      tree.delete(id, name);
      list.delete(id);
    }
  }
  assertLess(externalBytes() - before, 100_000);
});

Deno.test("WordTree has no nodes left when all names are removed", () => {
  const list = new NameList();
  const tree = new WordTree(list);
  const random = seededRandom(5);
  const added = Array.from({ length: 3_000 }, (_, number) => {
    const name = `lecture ${number} of ${randomBelow(random, 40)} w${number.toString(36)} ${"ab".repeat(number % 9)}`;
    const id = list.add(name);
    tree.add(id, name);
    return { id, name };
  });
  assert(tree.nodes > 1_000 && tree.nodes < 20_000, String(tree.nodes));
  for (const { id, name } of added.toSorted(() => random() - 0.5)) {
    tree.delete(id, name);
    list.delete(id);
    assert(tree.nodes >= 0);
  }
  assertEquals(tree.nodes, 0);
});

Deno.test("WordTree finds a long name by the words of the file itself, however many its folders have", () => {
  const list = new NameList();
  const tree = new WordTree(list);
  const folders = Array.from({ length: NAME_WORDS_MAX }, (_, number) => `คณะ ${number}`).join("/");
  const name = `${folders}/รายงาน.pdf`;
  const id = list.add(name);
  tree.add(id, name);
  for (const word of words("รายงาน.pdf")) assertEquals(tree.find([word], 9, { whole: true }), [id]);
  tree.delete(id, name);
  assertEquals(tree.find(["pdf"], 9, { whole: true }), []);
});

/** Names that count how often one is read. */
class CountedNames extends NameList {
  reads = 0;

  override of(id: number): string {
    this.reads += 1;
    return super.of(id);
  }
}

Deno.test("WordTree reads a name once when it splits all leaves of that name", () => {
  const list = new CountedNames();
  const tree = new WordTree(list);
  const common = Array.from({ length: NAME_WORDS_MAX - 2 }, (_, number) => (number + 400).toString(36)).join(" ");
  for (let number = 0; number < 18; number++) {
    const name = `${common} ${number} ${"a".repeat(700)}`;
    const id = list.add(name);
    list.reads = 0;
    tree.add(id, name);
    assertLess(list.reads, 18);
  }
  assertEquals(tree.find(["b4", "b5"], 99, { whole: true }).length, 18);
});

Deno.test("WordTree counts a branch as several leaves, since it takes as much memory", () => {
  const nodesOf = (names: number): number => {
    const list = new NameList();
    const tree = new WordTree(list);
    for (let number = 0; number < names; number++) tree.add(list.add(`aa bb cc dd ${number}`), `aa bb cc dd ${number}`);
    return tree.nodes;
  };
  const [leaves, branches] = [nodesOf(16), nodesOf(17)];
  // The four common words become branches. The number 16 begins like others, so it adds no leaf.
  assert(branches - leaves >= 4 * 5, `${leaves}, ${branches}`);
});
