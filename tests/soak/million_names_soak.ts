/**
 * A million names: ten peers list a hundred thousand files each, one of them for real, from a
 * folder. Everything is found, and what left is gone.
 * @module
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import { BATCH_FILES_MAX } from "../../lib/core/limits.ts";
import { Leave } from "../../lib/protocol/presence.ts";
import { IndexClient } from "../support/index_client.ts";
import { peakBytes } from "../support/memory.ts";
import { type PeerArgs, runCommand, startIndex, startPeer } from "../support/programs.ts";
import { TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const FILES_EACH = 100_000;
const CLIENTS = 9;
const INDEX_BYTES_MAX = 1_500_000_000;

Deno.test("a million names: each is found among the others, and none of a peer that left", async () => {
  await using temp = await TempFolder.make();
  for (let number = 0; number < FILES_EACH; number++) {
    const folder = temp.at("ana", `week ${number % 1000}`);
    if (number < 1000) await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(`${folder}/lecture ${number}.txt`, "");
  }
  await using index = await startIndex();
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
  assertEquals(ana.files, FILES_EACH);
  await using clients = new AsyncDisposableStack();
  const joined: IndexClient[] = [];
  for (let number = 0; number < CLIENTS; number++) {
    const client = clients.use(await IndexClient.connect({ host: "127.0.0.1", port: index.port }));
    await client.join(`client ${number}`, { files: FILES_EACH });
    for (let first = 0; first < FILES_EACH; first += BATCH_FILES_MAX) {
      const names = Array.from({ length: BATCH_FILES_MAX }, (_, at) => `seminar ${first + at} of client ${number}.mp4`);
      await client.list(...names);
    }
    joined.push(client);
  }
  const [leaving, asking] = joined;
  assert(asking !== undefined && leaving !== undefined);
  await eventually("the folder is listed whole", async () => {
    return (await asking.search(`lecture ${FILES_EACH - 1}`)).length === 1;
  }, 60_000);
  for (let at = 0; at < 200; at++) {
    const file = (at * 7919) % FILES_EACH;
    const wanted = `seminar ${file} of client ${at % CLIENTS}.mp4`;
    assert((await asking.search(wanted)).some((hit) => hit.name === wanted), wanted);
  }
  assertLess(await peakBytes(index.program.pid), INDEX_BYTES_MAX);
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui" };
  assertEquals((await runCommand(rui, "get", `week 999/lecture ${FILES_EACH - 1}.txt`)).code, 0);

  await leaving.call(Leave, {});
  assertEquals((await asking.search("seminar 5 client")).filter(({ name }) => name.endsWith("client 0.mp4")), []);
});
