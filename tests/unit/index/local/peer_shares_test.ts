import { assertEquals } from "@std/assert";
import { FileTable } from "../../../../lib/index/local/file_table.ts";
import { IdSet } from "../../../../lib/index/local/id_set.ts";
import { PeerShares } from "../../../../lib/index/local/peer_shares.ts";

/** A table of names that these peers list. The index in the list is the number of the name. */
function tableOf(peers: readonly (readonly number[])[]): FileTable {
  const table = new FileTable();
  for (const [name, those] of peers.entries()) {
    for (const peer of those) table.add({ peer, name, size: 1, root: undefined });
  }
  return table;
}

function first(table: FileTable, count: number): { first: number[]; later: number[] } {
  const shares = new PeerShares(table);
  const ids = IdSet.from(Array.from({ length: count }, (_, id) => id));
  return { first: IdSet.intersection([ids], Infinity, shares), later: shares.later };
}

Deno.test("PeerShares takes the first 16 names of each peer, then up to 256", () => {
  const peers = Array.from({ length: 300 }, () => [1]).concat([[2], [2]], Array.from({ length: 20 }, () => [3]));
  const found = first(tableOf(peers), peers.length);
  const range = (start: number, end: number): number[] => Array.from({ length: end - start }, (_, at) => start + at);
  assertEquals(found.first, [...range(0, 16), 300, 301, ...range(302, 318)]);
  assertEquals(found.later, [...range(16, 256), ...range(318, 322)]);
});

Deno.test("PeerShares counts a name of several peers for the one that has given the fewest", () => {
  const peers = [...Array.from({ length: 20 }, () => [1]), ...Array.from({ length: 20 }, () => [2, 1])];
  assertEquals(first(tableOf(peers), 40).first.length, 32);
});

Deno.test("PeerShares looks at no more names of a peer that has used up its share", () => {
  const peers = Array.from({ length: 110_000 }, () => [1]);
  const found = first(tableOf([...peers, [2]]), peers.length + 1);
  assertEquals(found.first.at(-1), peers.length);
});

Deno.test("NameGroups knows the owner of a group while all of its names are of one peer", () => {
  const table = new FileTable();
  const file = { size: 1, root: undefined };
  const rows = [table.add({ peer: 1, name: 40, ...file }), table.add({ peer: 1, name: 41, ...file })];
  assertEquals(table.groups.ownerOf(1), 1);
  rows.push(table.add({ peer: 2, name: 40, ...file }));
  assertEquals(table.groups.ownerOf(1), undefined);
  for (const row of rows) table.delete(row);
  table.add({ peer: 3, name: 63, ...file });
  assertEquals([table.groups.ownerOf(1), table.groups.ownerOf(2)], [3, 0]);
});
