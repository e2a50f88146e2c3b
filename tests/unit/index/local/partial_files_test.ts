import { assertEquals, assertThrows } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import { PARTIALS_PER_PEER_MAX } from "../../../../lib/core/limits.ts";
import { randomBelow } from "../../../../lib/core/random.ts";
import { PartialFiles } from "../../../../lib/index/local/partial_files.ts";
import type { PartialFile } from "../../../../lib/index/search_index.ts";
import { seededRandom } from "../../../support/seeded_random.ts";

function rootOf(number: number): string {
  return number.toString(16).padStart(64, "0");
}

Deno.test("PartialFiles finds downloads by content and by peer while they come and go", () => {
  const random = seededRandom(9);
  const partials = new PartialFiles();
  const expected = new Map<number, Map<string, PartialFile>>();
  for (let step = 0; step < 4_000; step++) {
    const [peer, root] = [1 + randomBelow(random, 20), rootOf(randomBelow(random, 30))];
    const own = expected.get(peer) ?? new Map<string, PartialFile>();
    expected.set(peer, own);
    if (random() < 0.02) {
      partials.deletePeer(peer);
      own.clear();
    } else if (random() < 0.4) {
      partials.delete(peer, root);
      own.delete(root);
    } else {
      const file = { name: `file ${step}`, size: randomBelow(random, 2), root };
      partials.put(peer, file);
      own.set(root, file);
    }
    const size = randomBelow(random, 2);
    const found = (wanted: number | undefined) => {
      return partials.ofContent({ root, size: wanted }, Infinity).map((row) => partials.of(row));
    };
    const all = [...expected].sort(([a], [b]) => a - b).flatMap(([each, files]) => {
      const file = files.get(root);
      return file === undefined ? [] : [{ peer: each, file }];
    });
    assertEquals(found(undefined), all);
    assertEquals(found(size), all.filter(({ file }) => file.size === size));
    const sorted = (files: Iterable<PartialFile>) => Array.from(files, ({ name }) => name).sort();
    assertEquals(sorted(partials.ofPeer(peer)), sorted(own.values()));
  }
});

Deno.test("PartialFiles bounds the downloads of one peer, and replaces one that is announced again", () => {
  const partials = new PartialFiles();
  for (let number = 0; number < PARTIALS_PER_PEER_MAX; number++) {
    partials.put(1, { name: "x", size: 1, root: rootOf(number) });
  }
  partials.put(1, { name: "y", size: 2, root: rootOf(0) });
  const failure = assertThrows(
    () => partials.put(1, { name: "x", size: 1, root: rootOf(PARTIALS_PER_PEER_MAX) }),
    Failure,
  );
  assertEquals([failure.code, partials.ofPeer(1).length], ["too-large", PARTIALS_PER_PEER_MAX]);
  partials.put(2, { name: "x", size: 1, root: rootOf(PARTIALS_PER_PEER_MAX) });
});
