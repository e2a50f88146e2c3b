import { assert, assertEquals } from "@std/assert";
import { type Random, randomBelow, seededRandom } from "../../../lib/core/random.ts";
import { words } from "../../../lib/core/words.ts";
import { NameList } from "../../../lib/index/name_list.ts";
import { WordTree } from "../../../lib/index/word_tree.ts";

/** Names whose words begin alike often: of few letters, some long. */
function nameOf(random: Random): string {
  const word = (): string =>
    Array.from({ length: 1 + randomBelow(random, 6) }, () => "ab1"[randomBelow(random, 3)]).join("");
  return `${word()} ${word()}/${word()}${randomBelow(random, 20) === 0 ? "a".repeat(30) : ""} 学习`;
}

function matches(name: string, wanted: readonly string[], whole: boolean): boolean {
  const all = words(name);
  return wanted.every((word) => all.some((each) => whole ? each === word : each.startsWith(word)));
}

Deno.test("WordTree find() misses no name while names come and go, and gives few others", () => {
  const random = seededRandom(11);
  const names = new Map<number, string>();
  const list = new NameList();
  const tree = new WordTree(list);
  for (let step = 0; step < 6_000; step++) {
    if (names.size < 1_000 || random() < 0.5) {
      const name = nameOf(random);
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
