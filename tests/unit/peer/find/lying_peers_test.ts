import { assert, assertEquals } from "@std/assert";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import type { Destination } from "../../../../lib/peer/get/fetching.ts";
import { LIES, LyingSource } from "../../../support/liars.ts";
import { Room } from "../../../support/room.ts";
import { seededRandom } from "../../../support/seeded_random.ts";
import { ServedFile } from "../../../support/sources.ts";
import { randomBytes } from "../../../support/temp.ts";

const FILM = new ServedFile(randomBytes(4 * PIECE_BYTES + 99, seededRandom(1)), "week/film.bin");
const NOTES = Array.from({ length: 40 }, (_, number) => {
  return new ServedFile(randomBytes(100 + number, seededRandom(number)), `week/note ${number}.txt`);
});
const ALL = [FILM, ...NOTES];
/** More liars than a search returns, and more than a download asks at once. */
const LIARS = 2 * LIES.length;

Deno.test("downloads succeed with one honest peer among more liars than a search returns", async () => {
  await using stack = new AsyncDisposableStack();
  const room = stack.use(await Room.open());
  for (let number = 0; number < LIARS; number++) {
    const name = `a liar ${number}`;
    const liar = stack.use(await LyingSource.open(ALL, name, LIES[number % LIES.length]));
    const { id, address } = liar.source("");
    await room.index.join({ name, id, certificate: "00", plain: true, ...address });
    await room.index.update(name, {
      add: ALL.map((file) => ({ name: file.name, size: file.bytes.length, root: file.root })),
      remove: [],
    });
  }
  const folder = await room.folder();
  await Deno.mkdir(folder.at("week"));
  for (const { name, bytes } of ALL) await Deno.writeFile(folder.at(name), bytes);
  await room.peer("honest", folder, { plain: true });
  for (const { name } of ALL) await room.hashed("honest", name);

  const rui = await room.peer("rui", undefined, { plain: true, random: seededRandom(3) });
  const get = async (what: string, to: Destination = { kind: "folder" }) => {
    return await rui.peer.transfers.start(await rui.peer.directory.resolve(what), to).result;
  };
  const streamed: Uint8Array<ArrayBuffer>[] = [];
  const write = (bytes: Uint8Array): Promise<number> => Promise.resolve(streamed.push(bytes.slice()) && bytes.length);
  await get(FILM.name, { kind: "stream", stream: { write } });
  assertEquals(new Uint8Array(await new Blob(streamed).arrayBuffer()), FILM.bytes);
  const { failed } = await get("week/");
  assertEquals(failed, []);
  for (const { name, bytes } of ALL) assertEquals(await Deno.readFile(rui.folder.at(name)), bytes, name);
  assert(rui.peer.transfers.views().every(({ state }) => state === "done"));
});
