import { assertEquals } from "@std/assert";
import { folderLike, mostLike } from "../../../../lib/peer/find/folder_names.ts";
import type { TransferResult } from "../../../../lib/peer/get/transfer.ts";
import { Room, type RoomPeer } from "../../../support/room.ts";
import { eventually } from "../../../support/wait.ts";

const COMPOSED = "Férias/Praia/".normalize("NFC");
const DECOMPOSED = COMPOSED.normalize("NFD");

Deno.test("folderLike() ignores case, accents and the form of characters", () => {
  const cases: [file: string, wanted: string, folder: string | undefined][] = [
    [`${DECOMPOSED}a.jpg`, COMPOSED, DECOMPOSED],
    [`${COMPOSED}deep/a.jpg`, "ferias/PRAIA/", COMPOSED],
    ["Album/a.jpg", "album/", "Album/"],
    ["Album", "album/", undefined],
    ["Albums/a.jpg", "album/", undefined],
    ["my/Album/a.jpg", "album/", undefined],
    [`${COMPOSED}a.jpg`, "Férias/", "Férias/"],
  ];
  for (const [file, wanted, folder] of cases) assertEquals(folderLike(file, wanted), folder, `${file} for ${wanted}`);
});

Deno.test("mostLike() chooses the name that differs least", () => {
  const all = ["FERIAS/", "férias/", "Férias/".normalize("NFD"), "Férias/"];
  for (let count = all.length; count > 0; count--) {
    assertEquals(mostLike(all.slice(0, count), "Férias/"), all[count - 1]);
  }
  assertEquals(mostLike([], "Férias/"), undefined);
});

async function get({ peer }: RoomPeer, what: string, from?: string): Promise<TransferResult> {
  return await peer.transfers.start(await peer.directory.resolve(what, { from }), { kind: "folder" }).result;
}

for (const from of [undefined, "ana"]) {
  const where = from === undefined ? "at any peer" : "at one peer";
  Deno.test(`get finds a folder by its name in any form and case, ${where}`, async () => {
    await using room = await Room.open();
    const shared = await room.folder();
    await shared.file(`${DECOMPOSED}a.jpg`, 1_000);
    await shared.file(`${DECOMPOSED}b.jpg`, 1_001);
    await room.peer("ana", shared);
    for (const name of ["a.jpg", "b.jpg"]) await room.hashed("ana", `${DECOMPOSED}${name}`);
    for (const [number, typed] of [COMPOSED, DECOMPOSED, "ferias/praia/", "FÉRIAS/PRAIA/"].entries()) {
      const name = `rui ${number}`;
      const rui = await room.peer(name);
      assertEquals([(await get(rui, typed, from)).files, rui.folder.names()], [
        2,
        ["a.jpg", "b.jpg"].map((name) => `${COMPOSED}${name}`),
      ]);
      // This peer's own incomplete copy does not count as the folder.
      await Deno.remove(rui.folder.at(`${COMPOSED}b.jpg`));
      await eventually("the index knows that it is gone", async () => {
        return await room.index.copy(name, `${COMPOSED}b.jpg`) === undefined;
      });
      assertEquals([(await get(rui, typed, from)).files, rui.folder.names().length], [2, 2], typed);
      assertEquals((await get(rui, typed, from)).alreadyHere, true);
      await rui.peer[Symbol.asyncDispose]();
    }
  });
}
