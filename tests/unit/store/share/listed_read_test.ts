import { assertEquals } from "@std/assert";
import { Folder } from "../../../../lib/store/files/folder.ts";
import type { FoundFile } from "../../../../lib/store/files/found_file.ts";
import { ListedReader } from "../../../../lib/store/share/listed_read.ts";
import { lookAt } from "../../../../lib/store/share/scan.ts";
import { TempFolder } from "../../../support/temp.ts";

/** A folder with a listed file, which is then replaced by something else. */
async function readAfter(
  replace: (temp: TempFolder, name: string) => Promise<unknown>,
): Promise<Uint8Array | undefined> {
  await using temp = await TempFolder.make();
  await temp.file("share/sub/file.bin", 5000, 1);
  await temp.file("other.bin", 5000, 2);
  using folder = await Folder.open(temp.at("share"));
  const { file } = lookAt(folder, "sub/file.bin");
  const { mtime } = await Deno.stat(temp.at("share/sub/file.bin"));
  await replace(temp, "share/sub/file.bin");
  // As somebody would do to hide the change.
  if (mtime !== null) await Deno.utime(temp.at("share/sub/file.bin"), mtime, mtime).catch(() => {});
  return new ListedReader(folder).read(file as FoundFile);
}

Deno.test("ListedReader reads a file as it was listed", async () => {
  await using temp = await TempFolder.make();
  for (const size of [0, 1, 5000]) await temp.file(`sub/${size}`, size, size);
  using folder = await Folder.open(temp.path);
  const reader = new ListedReader(folder);
  for (const size of [0, 1, 5000]) {
    const file = lookAt(folder, `sub/${size}`).file as FoundFile;
    assertEquals(reader.read(file), await Deno.readFile(temp.at(`sub/${size}`)));
  }
});

Deno.test({
  name: "ListedReader refuses whatever has come into the place of a listed file",
  ignore: Deno.build.os === "windows",
  async fn() {
    const inPlace: Record<string, (temp: TempFolder, name: string) => Promise<unknown>> = {
      "nothing": (temp, name) => Deno.remove(temp.at(name)),
      "another file": (temp, name) => Deno.rename(temp.at("other.bin"), temp.at(name)),
      "a shorter version": (temp, name) => Deno.truncate(temp.at(name), 4000),
      "a longer version": (temp, name) => Deno.truncate(temp.at(name), 6000),
      "a link": async (temp, name) => {
        await Deno.remove(temp.at(name));
        await Deno.symlink(temp.at("other.bin"), temp.at(name));
      },
      "a pipe": async (temp, name) => {
        await Deno.remove(temp.at(name));
        await new Deno.Command("mkfifo", { args: [temp.at(name)] }).output();
      },
      "a link to the folder that was there": async (temp) => {
        await Deno.rename(temp.at("share/sub"), temp.at("moved"));
        await Deno.symlink(temp.at("moved"), temp.at("share/sub"));
      },
    };
    for (const [what, replace] of Object.entries(inPlace)) assertEquals(await readAfter(replace), undefined, what);
  },
});
