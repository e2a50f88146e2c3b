import { assertEquals } from "@std/assert";
import { FileList } from "../../../../lib/store/share/file_list.ts";

const A = "a".repeat(64);
const B = "b".repeat(64);

function listOf(...names: string[]): FileList {
  const files = new FileList();
  for (const name of names) files.put({ name, size: 1, modified: 1 });
  return files;
}

Deno.test("FileList finds a content under any of its names, until the last is gone", () => {
  const files = new FileList();
  files.put({ name: "one", size: 1, modified: 1, root: A });
  files.put({ name: "two", size: 1, modified: 1, root: A });
  files.drop("one");
  assertEquals(files.byRoot(A)?.name, "two");
  files.put({ name: "two", size: 1, modified: 2, root: B });
  assertEquals([files.byRoot(A), files.byRoot(B)?.modified, files.size], [undefined, 2, 1]);
  files.drop("absent");
  files.drop("two");
  assertEquals([files.byRoot(B), files.size], [undefined, 0]);
});

Deno.test("page() goes through all names in order, also when the last name it gave is gone", () => {
  const files = listOf("d", "b", "a", "c", "e");
  assertEquals(files.page(undefined, 2), { files: [file("a"), file("b")], more: true });
  files.drop("b");
  assertEquals(files.page("b", 2), { files: [file("c"), file("d")], more: true });
  assertEquals(files.page("d", 2), { files: [file("e")], more: false });
  assertEquals(files.page("z", 2), { files: [], more: false });
});

Deno.test("namesBelow() takes folders whole, and nothing that only begins alike", () => {
  const files = listOf("a", "ab", "b/1", "b/c/2", "bc/3");
  assertEquals([...files.namesBelow("b")], ["b/1", "b/c/2"]);
  assertEquals([...files.namesBelow("a")], ["a"]);
  assertEquals([...files.namesBelow("")].length, 5);
});

function file(name: string) {
  return { name, size: 1, modified: 1 };
}
