import { assertEquals } from "@std/assert";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import { FILES_LOOKED_AT_MAX } from "../../../../lib/core/limits.ts";
import { FileList } from "../../../../lib/store/share/file_list.ts";
import { likelyFiles } from "../../../../lib/store/share/likely_files.ts";

const ROOT = "a".repeat(64);

/** Hashed files of as many pieces. */
function listOf(files: Record<string, number>): FileList {
  const list = new FileList();
  for (const [name, pieces] of Object.entries(files)) {
    list.put({ name, size: pieces * PIECE_BYTES, modified: 1, root: ROOT });
  }
  return list;
}

function namesFor(list: FileList, name: string, missing: number): string[] {
  return likelyFiles(list, name, missing).map((file) => file.name);
}

Deno.test("likelyFiles() begins with the same name, then takes numbered ones, the same ending and large files", () => {
  const list = listOf({
    "a.txt": 3,
    "huge.iso": 9,
    "b.img": 2,
    "old/disk.img": 4,
    "c.img": 5,
    "(1) disk.img": 6,
    "new/disk.img": 1,
  });
  assertEquals(namesFor(list, "new/disk.img", 100), [
    "new/disk.img",
    "(1) disk.img",
    "old/disk.img",
    "c.img",
    "b.img",
    "huge.iso",
    "a.txt",
  ]);
});

Deno.test("likelyFiles() leaves out files that are not hashed or shorter than a piece", () => {
  const list = listOf({ "a.img": 1, "b.img": 0.5 });
  list.put({ name: "disk.img", size: 9 * PIECE_BYTES, modified: 1 });
  assertEquals(namesFor(list, "disk.img", 100), ["a.img"]);
});

Deno.test("likelyFiles() returns few files when few pieces are missing, and never more than the bound", () => {
  const list = listOf(Object.fromEntries(Array.from({ length: FILES_LOOKED_AT_MAX + 1 }, (_, at) => [`${at}.img`, 1])));
  assertEquals(namesFor(list, "disk.img", 3).length, 6);
  assertEquals(namesFor(list, "disk.img", 10_000).length, FILES_LOOKED_AT_MAX);
  assertEquals(namesFor(list, "disk.img", 0), []);
});

Deno.test("likelyFiles() compares no names when there are many for few missing pieces", () => {
  const list = listOf(Object.fromEntries(Array.from({ length: 1_001 }, (_, at) => [`${at}.img`, 1])));
  assertEquals(namesFor(list, "7.img", 2), ["7.img"]);
  assertEquals(namesFor(list, "disk.img", 2), []);
});
