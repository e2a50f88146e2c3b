import { assert, assertEquals } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import type { FoundFile } from "../../../../lib/store/files/found_file.ts";
import { Folder } from "../../../../lib/store/files/folder.ts";
import { lookAt } from "../../../../lib/store/share/scan.ts";
import { SmallPlacer, WORKER_FILES_MIN } from "../../../../lib/store/small/small_placer.ts";
import { seededRandom } from "../../../support/seeded_random.ts";
import { randomBytes, TempFolder } from "../../../support/temp.ts";

/** Placing at once, and in a worker. */
const COUNTS = [1, WORKER_FILES_MIN];

for (const files of COUNTS) {
  const where = files === 1 ? "here" : "in a worker";

  Deno.test(`SmallPlacer ${where} places files with bytes and traits, as a scan finds them`, async () => {
    await using temp = await TempFolder.make();
    using folder = await Folder.open(temp.path);
    const placed: (FoundFile | Failure | undefined)[] = [];
    const bytes = [300_000, 0, 5].map((size) => randomBytes(size, seededRandom(size)));
    {
      await using placer = placerFor(folder, files);
      for (const [number, each] of bytes.entries()) {
        const [own, traits] = [each.slice(), { modified: 5_000, executable: number === 1 }];
        await placer.place(own, `a/${number}.txt`, traits, (one) => placed.push(one));
        // From here on, the bytes may be overwritten.
        own.fill(7);
      }
    }
    assertEquals(placed, bytes.map((_, number) => lookAt(folder, `a/${number}.txt`).file));
    for (const [number, each] of bytes.entries()) assertEquals(await Deno.readFile(temp.at(`a/${number}.txt`)), each);
  });

  Deno.test(`SmallPlacer ${where} reports which files cannot be placed, and why`, async () => {
    await using temp = await TempFolder.make();
    await temp.file("taken", 1);
    using folder = await Folder.open(temp.path);
    const placed: (FoundFile | Failure)[] = [];
    await using placer = placerFor(folder, files);
    for (const name of ["taken/1.txt", "2.txt"]) placer.place(new Uint8Array(1), name, {}, (one) => placed.push(one));
    await placer.finish();
    const [first, second] = placed;
    assert(first instanceof Failure && !(second instanceof Failure));
    assertEquals([first.code, first.hint.split(",")[0], second?.name], [
      "bad-name",
      "move what is there out of the way",
      "2.txt",
    ]);
  });

  Deno.test(`SmallPlacer ${where} reports every file of which no folder can hold the beginning`, async () => {
    await using temp = await TempFolder.make();
    const incoming = (): string => {
      throw new Failure("disk-full", "there is no room");
    };
    const codes: string[] = [];
    await using placer = new SmallPlacer({ root: temp.path, incoming, files, bytes: 0 });
    for (let number = 0; number < 200; number++) {
      placer.place(new Uint8Array(1), `${number}.txt`, {}, (one) => codes.push(one instanceof Failure ? one.code : ""));
    }
    await placer.finish();
    assertEquals(codes, Array(200).fill("disk-full"));
  });
}

Deno.test("SmallPlacer in a worker has no room while much waits, and has room again", async () => {
  await using temp = await TempFolder.make();
  using folder = await Folder.open(temp.path);
  await using placer = placerFor(folder, WORKER_FILES_MIN);
  let placed = 0;
  const place = (number: number): Promise<void> | undefined =>
    placer.place(new Uint8Array(512 * 1024), `${number}.bin`, {}, () => placed += 1);
  for (let number = 0; number < 7; number++) assertEquals(place(number), undefined);
  const room = place(7);
  assert(room !== undefined);
  await room;
  assert(placed > 0);
  assertEquals(place(8), undefined);
});

function placerFor(folder: Folder, files: number): SmallPlacer {
  return new SmallPlacer({ root: folder.path, incoming: () => folder.incomingPath(undefined), files, bytes: 0 });
}
