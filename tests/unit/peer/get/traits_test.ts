/**
 * What is kept of a file beside its bytes, however it is fetched or put. Real sockets and folders,
 * one process.
 * @module
 */

import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import type { Destination } from "../../../../lib/peer/get/fetching.ts";
import { Room } from "../../../support/room.ts";

/** Dates that file systems can store: before 1970, in our time, beyond 32 bits. */
const DATES = ["1960-03-04T05:06:07.890Z", "2015-10-21T16:29:00.000Z", "2445-01-02T03:04:05.678Z"];

/** The date of a file, and whether its owner may execute it. */
async function traitsOf(path: string): Promise<[string | undefined, boolean]> {
  const { mtime, mode } = await Deno.stat(path);
  return [mtime?.toISOString(), ((mode ?? 0) & 0o100) !== 0];
}

for (const date of DATES) {
  Deno.test(`a file dated ${date.slice(0, 4)} keeps date and exec bit however it is fetched or put`, async () => {
    await using room = await Room.open();
    const folder = await room.folder();
    const names = ["large.bin", "week 1/small.sh", "week 1/large.bin", "week 1/empty.txt"];
    for (const [index, size] of [2 * PIECE_BYTES, 100, 2 * PIECE_BYTES + 1, 0].entries()) {
      const path = await folder.file(names[index] ?? "", size, index);
      if (index < 2) await Deno.chmod(path, 0o755);
      await Deno.utime(path, new Date(date), new Date(date));
    }
    const ana = await room.peer("ana", folder);
    for (const name of names) await room.hashed("ana", name);
    const rui = await room.peer("rui", undefined, { inbox: { share: false, quota: 100 * PIECE_BYTES } });
    const get = async (what: string, to: Destination = { kind: "folder" }): Promise<void> => {
      const { failed } = await rui.peer.transfers.start(await rui.peer.directory.resolve(what), to).result;
      assertEquals(failed, []);
    };
    assertEquals((await rui.peer.directory.list("ana")).rows.map(({ name }) => name), names.toSorted());
    await get("large.bin");
    await get("week 1/");
    for (const [index, name] of names.entries()) {
      assertEquals(await traitsOf(rui.folder.at(name)), [date, index < 2], name);
    }
    const elsewhere = await room.folder();
    await get("week 1/small.sh", { kind: "path", path: elsewhere.at("small.sh") });
    await get("large.bin", { kind: "path", path: elsewhere.at("copied.bin") });
    for (const name of ["small.sh", "copied.bin"]) {
      assertEquals(await traitsOf(join(elsewhere.path, name)), [date, true], name);
    }
    await ana.peer.puts.start("large.bin", "rui").result;
    assertEquals(await traitsOf(rui.folder.at("inbox/ana/large.bin")), [date, true]);
    assertEquals((await room.index.peer("rui"))?.files, 4, "what was fetched is shared as what it is");
  });
}
