import { assert, assertEquals } from "@std/assert";
import { FolderFiles } from "../../../../lib/peer/find/folder_files.ts";
import type { Hit, PeerRef } from "../../../../lib/protocol/shapes.ts";

function peer(name: string, port = 1): PeerRef {
  return { name, id: name.repeat(8), host: "10.0.0.5", port, plain: false };
}

function hit(name: string, peers: readonly PeerRef[], root: string | undefined = `root of ${name}`): Hit {
  return { name, size: 1, root, holders: peers.length, peers };
}

Deno.test("FolderFiles gives files with the same holders one list of them", () => {
  const files = new FolderFiles("me");
  files.add(hit("a", [peer("ana"), peer("rui")]));
  files.add(hit("b", [peer("ana"), peer("rui")]));
  files.add(hit("c", [peer("ana", 2), peer("rui")]));
  files.add(hit("d", [peer("me"), peer("ana"), peer("rui")]));
  const [a, b, c, d] = files.chosen.values();
  assert(a !== undefined && b !== undefined && c !== undefined && d !== undefined);
  for (const other of [b, d]) assert(other.sources === a.sources);
  assertEquals(a.sources.map(({ peer }) => peer), ["ana", "rui"]);
  assertEquals(c.sources.map(({ address }) => address.port), [2, 1]);
});

Deno.test("FolderFiles gives the sources of a file without a root its name", () => {
  const files = new FolderFiles(undefined);
  for (const name of ["a", "b"]) files.add({ name, size: 1, holders: 1, peers: [peer("ana")] });
  assertEquals([...files.chosen.values()].map(({ sources: [source] }) => source?.name), ["a", "b"]);
});

Deno.test("FolderFiles takes in a hundred thousand different holders without comparing each with all", () => {
  const files = new FolderFiles(undefined);
  for (let number = 0; number < 100_000; number++) files.add(hit(`${number}`, [peer(`${number}`)]));
  assertEquals(files.chosen.get("99999")?.sources[0]?.peer, "99999");
});
