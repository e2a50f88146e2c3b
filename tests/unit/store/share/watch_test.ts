import { assert, assertEquals } from "@std/assert";
import { Folder } from "../../../../lib/store/files/folder.ts";
import { GatheredChange } from "../../../../lib/store/share/gathered_change.ts";
import { FolderWatch } from "../../../../lib/store/share/watch.ts";
import { TempFolder } from "../../../support/temp.ts";

/** Lets the system report, but lets nobody read the reports meanwhile. */
function holdUp(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
}

Deno.test("FolderWatch is closed at once when the report of the lock was lost among many others", async () => {
  await using temp = await TempFolder.make();
  using folder = await Folder.open(temp.path);
  const gathered = new GatheredChange();
  const watch = FolderWatch.openIfPossible(folder, gathered);
  assert(watch !== undefined);
  for (let count = 0; count < 2_000; count++) Deno.writeTextFileSync(temp.at("a.txt"), String(count));
  holdUp();
  const closing = watch.close();
  holdUp();
  assertEquals([await closing, gathered.take()], [true, "everything"]);
});
