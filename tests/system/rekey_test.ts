/**
 * SIGHUP: an index reads its room's key again, with real processes.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { RoomKey } from "../../lib/net/room_key.ts";
import { IndexClient } from "../support/index_client.ts";
import { type PeerArgs, runCommand, type RunningIndex, startIndex, startPeer } from "../support/programs.ts";
import { TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

/** Sends SIGHUP and waits for what the index then says for the `times`th time. */
async function hangUp({ program }: RunningIndex, says: string, times = 1): Promise<void> {
  program.kill("SIGHUP");
  await eventually(`"${says}" in the log`, () => program.stderr.split(says).length > times);
}

Deno.test("SIGHUP changes the room key for new connections only, and ignores a file that holds no key", async () => {
  await using temp = await TempFolder.make();
  const [before, after] = [temp.at("before"), temp.at("after")];
  for (const path of [before, after]) await Deno.writeTextFile(path, RoomKey.makeText());
  await Deno.copyFile(before, temp.at("room.key"));
  await using index = await startIndex("--room-key-file", temp.at("room.key"), "--log-level", "debug");
  const search = async (name: string, key: string): Promise<number> => {
    const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: ["--room-key-file", key] };
    return (await runCommand(rui, "search", name)).code;
  };
  await temp.file("ana/film.txt", 10);
  const args = ["--room-key-file", before];
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args, stdin: "piped" });
  await eventually("it is listed", async () => await search("film", before) === 0);

  await Deno.writeTextFile(temp.at("room.key"), "not a key");
  await hangUp(index, "kept the room key: Cannot read the room key");
  await Deno.remove(temp.at("room.key"));
  await hangUp(index, "kept the room key: There is no room key");
  assertEquals(await search("film", before), 0);

  await Deno.copyFile(after, temp.at("room.key"));
  await hangUp(index, "read the room key again");
  assert([4, 5].includes(await search("film", before)));
  assertEquals(await search("film", after), 0, "connected peers are still listed");
  await ana.program.type("search film");
  await ana.program.line(/film\.txt/);
  await temp.file("ana/another.txt", 20);
  await eventually("a session that was there goes on", async () => await search("another", after) === 0);
  assert(!ana.program.stderr.includes("Lost the index"), ana.program.stderr);

  await Deno.copyFile(before, temp.at("room.key"));
  await hangUp(index, "read the room key again", 2);
  assertEquals(await search("film", before), 0);
  index.program.kill("SIGTERM");
  assertEquals(await index.program.exit(), 0);
});

Deno.test("SIGHUP without a room key is logged and changes nothing", async () => {
  await using index = await startIndex();
  await hangUp(index, "kept the room key: there is no --room-key-file to read");
  await using ana = await IndexClient.connect({ host: "127.0.0.1", port: index.port });
  assertEquals((await ana.join("ana")).name, "ana");
});
