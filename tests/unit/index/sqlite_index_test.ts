import { assert, assertEquals } from "@std/assert";
import type { IndexedPeer } from "../../../lib/index/search_index.ts";
import { SqliteIndex } from "../../../lib/index/sqlite_index.ts";
import { testSearchIndex } from "../../contract/search_index.ts";

testSearchIndex("SqliteIndex", () => Promise.resolve(new SqliteIndex()));

function peer(name: string): IndexedPeer {
  return { name, id: "1d".repeat(32), certificate: "ce", plain: false, host: "10.0.0.5", port: 4000 };
}

Deno.test("SqliteIndex: what very many list keeps nothing else from being found", async () => {
  await using index = new SqliteIndex();
  const lessons = Array.from({ length: 30 }, (_, number) => `aula ${number}.mp4`);
  for (let number = 0; number < 600; number++) {
    await index.join(peer(`${number}`));
    await index.update(`${number}`, { add: lessons.map((name) => ({ name, size: 1 })), remove: [] });
  }
  const { hits, more } = await index.search({ query: "aula", exact: false, limit: 100, offset: 0 });
  assertEquals([hits.map(({ name }) => name).sort(), more], [lessons.toSorted(), false]);
  const folder = await index.folder("aula", undefined, 100);
  assertEquals(folder.hits.map(({ name }) => name), lessons.toSorted());
});

Deno.test("SqliteIndex: an exact search finds the very name, whatever others have in folders, and says that there are more", async () => {
  await using index = new SqliteIndex();
  await index.join(peer("eve"));
  const add = Array.from({ length: 12_000 }, (_, number) => ({ name: `${number}/aula 1.mp4`, size: 1 }));
  await index.update("eve", { add, remove: [] });
  await index.join(peer("ana"));
  const own = ["aula 1.mp4", "curso/aula 1.mp4"];
  await index.update("ana", { add: own.map((name) => ({ name, size: 2 })), remove: [] });
  for (const query of own) {
    const { hits: [first], more } = await index.search({ query, exact: true, limit: 10, offset: 0 });
    assertEquals([first?.name, first?.peers.map(({ name }) => name)], [query, ["ana"]]);
    assert(more);
  }
});

Deno.test("SqliteIndex: of a content that one peer has under very many names, the other holders are found", async () => {
  await using index = new SqliteIndex();
  const root = "ab".repeat(32);
  await index.join(peer("eve"));
  await index.join(peer("ana"));
  await index.update("ana", { add: [{ name: "film.mp4", size: 1, root }], remove: [] });
  const add = Array.from({ length: 15_000 }, (_, number) => ({ name: `film ${number}.mp4`, size: 1, root }));
  await index.update("eve", { add, remove: [] });
  const { copies, more } = await index.find(root, { limit: 20_000, offset: 0 });
  assertEquals([copies.length, copies.at(-1)?.peer.name, more], [15_001, "ana", false]);
  const { hits } = await index.search({ query: "film", exact: false, limit: 10, offset: 0 });
  assertEquals(hits.map(({ name, holders, peers }) => [name, holders, peers.length]), [["film.mp4", 2, 2]]);
});
