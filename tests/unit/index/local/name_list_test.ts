import { assertEquals } from "@std/assert";
import { type Random, randomBelow, randomOf } from "../../../../lib/core/random.ts";
import { fold } from "../../../../lib/core/words.ts";
import { NameList } from "../../../../lib/index/local/name_list.ts";
import { baseName } from "../../../../lib/index/local/rank.ts";
import { seededRandom } from "../../../support/seeded_random.ts";

const PARTS = ["a", "b", "aula", "Aula", "Ação", "ação", "学习", "🎓", "\ud800", "~", "z.mp4"];

function nameOf(random: Random): string {
  const parts = Array.from({ length: 1 + randomBelow(random, 4) }, () => randomOf(random, PARTS));
  return parts.join(randomOf(random, ["/", " ", ""]));
}

Deno.test("NameList finds names by number, by text, in order and by last component while they come and go", () => {
  const random = seededRandom(3);
  const list = new NameList();
  const known = new Map<string, number>();
  for (let step = 0; step < 8_000; step++) {
    const name = nameOf(random);
    const id = known.get(name);
    assertEquals(list.idOf(name), id);
    if (id === undefined) known.set(name, list.add(name));
    else if (random() < 0.6) {
      list.delete(id);
      known.delete(name);
    }
    if (step % 100 > 0) continue;
    for (const [text, number] of known) assertEquals(list.of(number), text);
    const prefix = nameOf(random).slice(0, 3);
    const after = nameOf(random);
    const sorted = [...known.keys()].sort();
    const names = (ids: readonly number[]): string[] => ids.map((each) => list.of(each));
    assertEquals(names(list.below("", "", Infinity)), sorted);
    const below = sorted.filter((each) => each.startsWith(prefix) && each > after);
    assertEquals(names(list.below(prefix, after, 9)), below.slice(0, 9));
    const base = baseName(name);
    const same = sorted.filter((each) => fold(baseName(each)) === fold(base));
    const found = new Set(names(list.withBase(base, Infinity)));
    assertEquals(same.filter((each) => !found.has(each)), []);
  }
});

Deno.test("NameList gives the number of a removed name to a later one", () => {
  const list = new NameList();
  const [first, second] = [list.add("a"), list.add("b")];
  list.delete(first);
  assertEquals([list.add("c"), list.idOf("b"), list.idOf("a")], [first, second, undefined]);
});

Deno.test("NameList bounds how many names with one last component it returns", () => {
  const list = new NameList();
  for (let number = 0; number < 50; number++) list.add(`${number}/LICENSE`);
  assertEquals(list.withBase("license", 20), Array.from({ length: 20 }, (_, id) => id));
});
