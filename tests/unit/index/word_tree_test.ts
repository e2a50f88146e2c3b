import { assert, assertEquals } from "@std/assert";
import { type Random, randomBelow, seededRandom } from "../../../lib/core/random.ts";
import { words } from "../../../lib/core/words.ts";
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
  const tree = new WordTree((id) => names.get(id) ?? "");
  for (let step = 0; step < 6_000; step++) {
    const id = randomBelow(random, 2_000);
    const known = names.get(id);
    if (known === undefined) {
      names.set(id, nameOf(random));
      tree.add(id, names.get(id) ?? "");
    } else {
      tree.delete(id, known);
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
