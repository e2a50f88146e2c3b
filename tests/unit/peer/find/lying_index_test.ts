import { assertEquals } from "@std/assert";
import { answerRequests, route, routes } from "../../../../lib/net/answerer.ts";
import { Listener } from "../../../../lib/net/listener.ts";
import { Guest } from "../../../../lib/peer/guest.ts";
import { Peers } from "../../../../lib/protocol/presence.ts";
import { Find, FolderFiles, Search } from "../../../../lib/protocol/search.ts";
import type { PeerRow } from "../../../../lib/protocol/shapes.ts";
import { TempFolder } from "../../../support/temp.ts";

const ROOT = "ab".repeat(32);
const ANA: PeerRow = {
  name: "ana",
  id: "cd".repeat(32),
  certificate: "cd",
  host: "127.0.0.1",
  port: 9,
  plain: true,
  files: 1,
  bytes: 1,
};

/** An index that repeats the same page and claims that more pages follow. */
async function endlessIndex(): Promise<Listener> {
  const hit = { name: "d/a.txt", size: 1, root: ROOT, holders: 1, peers: [{ ...ANA, port: 9 }] };
  const hits = Array(50).fill(hit);
  const holders = Array(50).fill({ ...hit, peer: { ...ANA, port: 9 }, partial: false });
  const all = routes(
    route(FolderFiles, () => Promise.resolve({ data: { hits, more: true } })),
    route(Search, () => Promise.resolve({ data: { hits, more: true } })),
    route(Peers, () => Promise.resolve({ data: { peers: [ANA], more: true } })),
    route(Find, () => Promise.resolve({ data: { holders, more: true } })),
  );
  return await Listener.listen({ host: "127.0.0.1", port: 0 }, {
    connectionsMax: 10,
    serve: (connection) => answerRequests(connection, all, undefined, { idleMs: 60_000 }).then(() => {}),
  });
}

Deno.test("a guest's questions end even when the index repeats the same page without end", async () => {
  await using temp = await TempFolder.make();
  await using index = await endlessIndex();
  await using guest = await Guest.open({
    folder: temp.path,
    indexes: [index.address],
    listen: index.address,
    onEvent: () => {},
  });
  const { directory, finder, queries } = guest;
  assertEquals((await finder.folder({ kind: "folder", name: "d/" })).map(({ name }) => name), ["d/a.txt"]);
  assertEquals((await queries.peers()).more, true);
  assertEquals((await directory.search("a", { exact: false, limit: 100, offset: 0 })).rows.length, 100);
  for (const what of ["d/", "e/", "a.txt", ROOT]) {
    const wanted = await directory.resolve(what);
    if (wanted.kind === "file") await finder.sources(wanted);
  }
});
