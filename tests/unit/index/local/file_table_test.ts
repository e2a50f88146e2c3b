import { assertEquals } from "@std/assert";
import { randomBelow } from "../../../../lib/core/random.ts";
import { type FileRow, FileTable } from "../../../../lib/index/local/file_table.ts";
import { seededRandom } from "../../../support/seeded_random.ts";

function byPeer(a: FileRow, b: FileRow): number {
  return a.peer - b.peer || a.name - b.name;
}

Deno.test("FileTable finds copies by name, by root and by peer while they come, change and go", () => {
  const random = seededRandom(3);
  const table = new FileTable();
  const all = new Map<string, FileRow>();
  const roots = Array.from({ length: 600 }, (_, number) => number.toString(16).padStart(64, "ab"));
  const same = (found: readonly FileRow[], where: (row: FileRow) => boolean): void => {
    assertEquals(found.toSorted(byPeer), [...all.values()].filter(where).sort(byPeer));
  };
  for (let step = 0; step < 20_000; step++) {
    const [peer, name] = [randomBelow(random, 40), randomBelow(random, 400)];
    const key = `${peer}/${name}`;
    const row = table.find(peer, name);
    assertEquals(row !== 0, all.has(key));
    // Grows to some thousand copies, then shrinks again.
    if (row !== 0 && random() < (step < 12_000 ? 0.3 : 0.9)) {
      table.delete(row);
      all.delete(key);
    } else if (row !== 0 || step < 12_000) {
      const root = random() < 0.2 ? undefined : roots[randomBelow(random, roots.length)];
      const changed = { peer, name, size: randomBelow(random, 2 ** 40), root };
      if (row === 0) table.add(changed);
      else table.change(row, changed.size, root);
      all.set(key, changed);
    }
    if (step % 200 > 0) continue;
    const wanted = roots[randomBelow(random, roots.length)] ?? "";
    const copies = table.ofContent({ root: wanted }, { limit: Infinity, ofPeerMax: Infinity }).map((each) =>
      table.row(each)
    );
    same(copies, ({ root }) => root === wanted);
    assertEquals(copies.map(({ peer }) => peer), copies.map(({ peer }) => peer).sort((a, b) => a - b));
    assertEquals(table.holdersOf({ root: wanted }, Infinity).holders, new Set(copies.map(({ peer }) => peer)));
    same(table.ofName(name, Infinity), (each) => each.name === name);
    same(table.ofPeer(peer, Infinity).map((each) => table.row(each)), (each) => each.peer === peer);
    assertEquals(table.hasName(name), [...all.values()].some((each) => each.name === name));
  }
});
