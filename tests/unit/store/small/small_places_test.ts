import { assertEquals, assertThrows } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import { Folder } from "../../../../lib/store/files/folder.ts";
import { lookAt } from "../../../../lib/store/share/scan.ts";
import { SmallPlaces } from "../../../../lib/store/small/small_places.ts";
import { seededRandom } from "../../../support/seeded_random.ts";
import { randomBytes, TempFolder } from "../../../support/temp.ts";

Deno.test("SmallPlaces writes through no link that comes into the place of a folder between two files", async () => {
  await using temp = await TempFolder.make();
  const [share, incoming] = [await temp.folder("share"), await temp.folder("incoming")];
  await temp.folder("outside/deep");
  const places = new SmallPlaces(share, () => incoming);
  for (let round = 0; round < 5; round++) {
    const traits = { modified: 5_000, executable: round > 0 };
    const { name, size, modified, executable } = places.place(new Uint8Array(9), "a/deep/1.txt", traits);
    const expected = [round > 0 ? `a/deep/(${round}) 1.txt` : "a/deep/1.txt", 9, 5_000, round > 0 || undefined];
    assertEquals([name, size, modified, executable], expected);
    for (const [moved, target] of [["share/a", "outside"], ["share/a/deep", "outside/deep"]] as const) {
      Deno.renameSync(temp.at(moved), temp.at("kept"));
      Deno.symlinkSync(temp.at(target), temp.at(moved));
      const thrown = assertThrows(() => places.place(new Uint8Array(9), "a/deep/2.txt"), Failure);
      assertEquals(thrown.code, "bad-name");
      Deno.removeSync(temp.at(moved));
      Deno.renameSync(temp.at("kept"), temp.at(moved));
    }
  }
  assertEquals(Array.from(Deno.readDirSync(temp.at("outside/deep"))), []);
  assertEquals(Array.from(Deno.readDirSync(incoming)), []);
});

Deno.test("SmallPlaces reports a file just as a scan then finds it", async () => {
  await using temp = await TempFolder.make();
  using folder = await Folder.open(temp.path);
  const places = new SmallPlaces(folder.path, () => folder.incomingPath(undefined));
  for (const traits of [{}, { modified: 86_400_000, executable: true }]) {
    const placed = places.place(randomBytes(100, seededRandom(1)), "a/deep/1.txt", traits);
    assertEquals(placed, lookAt(folder, placed.name).file);
  }
});
