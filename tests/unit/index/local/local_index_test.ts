import { assertEquals } from "@std/assert";
import type { IndexedPeer } from "../../../../lib/index/search_index.ts";
import { LocalIndex } from "../../../../lib/index/local/local_index.ts";
import { testSearchIndex } from "../../../contract/search_index.ts";

testSearchIndex("LocalIndex", () => Promise.resolve(new LocalIndex()));

function peer(name: string): IndexedPeer {
  return { name, id: "1d".repeat(32), certificate: "ce", plain: false, host: "10.0.0.5", port: 4000 };
}

Deno.test("LocalIndex finds every name though very many peers list the same ones", async () => {
  await using index = new LocalIndex();
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

Deno.test("LocalIndex finds the exact name among thousands with the same last component", async () => {
  await using index = new LocalIndex();
  await index.join(peer("eve"));
  const add = Array.from({ length: 12_000 }, (_, number) => ({ name: `${number}/aula 1.mp4`, size: 1 }));
  await index.update("eve", { add, remove: [] });
  await index.join(peer("ana"));
  const own = ["aula 1.mp4", "curso/aula 1.mp4"];
  await index.update("ana", { add: own.map((name) => ({ name, size: 2 })), remove: [] });
  for (const query of own) {
    const { hits: [first], more } = await index.search({ query, exact: true, limit: 10, offset: 0 });
    assertEquals([first?.name, first?.peers.map(({ name }) => name)], [query, ["ana"]]);
    assertEquals(more, query === own[0]);
  }
});

Deno.test("LocalIndex finds the other holders of a content that one peer has under very many names", async () => {
  await using index = new LocalIndex();
  const root = "ab".repeat(32);
  await index.join(peer("eve"));
  await index.join(peer("ana"));
  await index.update("ana", { add: [{ name: "film.mp4", size: 1, root }], remove: [] });
  // So many that the chains by root are split, and Ana's copy moves to another chain.
  const others = Array.from({ length: 60_000 }, (_, number) => {
    return { name: `${number}`, size: 1, root: number.toString(16).padStart(64, "0") };
  });
  await index.update("eve", { add: others, remove: [] });
  const add = Array.from({ length: 60_000 }, (_, number) => ({ name: `film ${number}.mp4`, size: 1, root }));
  await index.update("eve", { add, remove: [] });
  const { holders, more } = await index.find({ root }, { limit: 500, offset: 0 });
  assertEquals([holders.filter(({ peer }) => peer.name === "ana").length, holders.length < 500, more], [
    1,
    true,
    false,
  ]);
  const { hits } = await index.search({ query: "film", exact: false, limit: 10, offset: 0 });
  assertEquals(hits.map(({ name, holders, peers }) => [name, holders, peers.length]), [["film.mp4", 2, 2]]);
});

Deno.test("LocalIndex folder() puts the most frequent content of a name first", async () => {
  await using index = new LocalIndex();
  const [most, newest] = ["a1", "b2"].map((each) => each.repeat(32));
  const names = Array.from({ length: 100 }, (_, number) => `week/${String(number).padStart(2, "0")}.pdf`);
  for (let number = 0; number < 300; number++) {
    const root = number < 200 ? most : newest;
    await index.join(peer(`${number}`));
    await index.update(`${number}`, { add: names.map((name) => ({ name, size: 1, root: root ?? "" })), remove: [] });
  }
  const { hits: [first, second] } = await index.folder("week/", undefined, 100);
  assertEquals([first?.root, first?.holders, second?.root, second?.holders], [most, 200, newest, 100]);
});

Deno.test("LocalIndex counts a peer with one content under many names as one holder", async () => {
  await using index = new LocalIndex();
  await index.join(peer("eve"));
  const add = Array.from(
    { length: 40 },
    (_, number) => ({ name: `aula ${number + 2}.mp4`, size: 1, root: "e".repeat(64) }),
  );
  await index.update("eve", { add, remove: [] });
  for (let number = 0; number < 20; number++) {
    await index.join(peer(`${number}`));
    await index.update(`${number}`, { add: [{ name: "aula 1.mp4", size: 1, root: "a".repeat(64) }], remove: [] });
  }
  const { hits } = await index.search({ query: "aula", exact: false, limit: 10, offset: 0 });
  assertEquals(hits.map(({ root, holders }) => [root?.[0], holders]), [["a", 20], ["e", 1]]);
});

Deno.test("LocalIndex shows a content with hundreds of names once, and hides no other", async () => {
  await using index = new LocalIndex();
  await index.join(peer("ana"));
  const same = Array.from(
    { length: 300 },
    (_, number) => ({ name: `p${number}/LICENSE`, size: 1, root: "a".repeat(64) }),
  );
  const others = Array.from({ length: 50 }, (_, number) => ({ name: `q${number}/LICENSE`, size: 1 }));
  await index.update("ana", { add: [...same, ...others], remove: [] });
  for (const limit of [20, 100]) {
    const found: string[] = [];
    for (let more = true; more;) {
      const page = await index.search({ query: "license", exact: false, limit, offset: found.length });
      found.push(...page.hits.map(({ name }) => name));
      more = page.more;
    }
    assertEquals([found.length, new Set(found).size], [51, 51]);
  }
});
