import { assertEquals, assertRejects } from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import { parseManifest, readManifest } from "../../../lib/store/manifest.ts";
import { TempFolder } from "../../support/temp.ts";

Deno.test("parseManifest() takes names and paths with quotes, and names the lines that make no sense", () => {
  const { entries, bad } = parseManifest([
    "aula1.mp4 /home/ana/videos/aula1.mp4",
    "# what follows is for Friday",
    "",
    '"aula 2.mp4" "../my videos/aula 2.mp4"\r',
    "only-a-name",
    "aula 3.mp4 /videos/3.mp4",
    '"never closed /videos/4.mp4',
    "../escape.mp4 /videos/5.mp4",
    ".hidden /videos/6.mp4",
    "aula1.mp4 /videos/7.mp4",
    "__proto__ /videos/8.mp4",
  ].join("\n"));
  assertEquals(entries, [
    { line: 1, name: "aula1.mp4", path: "/home/ana/videos/aula1.mp4" },
    { line: 4, name: "aula 2.mp4", path: "../my videos/aula 2.mp4" },
    { line: 11, name: "__proto__", path: "/videos/8.mp4" },
  ]);
  assertEquals(bad.map(({ line }) => line), [5, 6, 7, 8, 9, 10]);
  assertEquals(bad.at(-1)?.why, 'line 1 has the name "aula1.mp4" already');
});

Deno.test("readManifest() finds files beside it and elsewhere, through links, and says what is missing", async () => {
  await using temp = await TempFolder.make();
  await temp.file("lists/here.bin", 3);
  await temp.file("far/away.bin", 4);
  await Deno.symlink(temp.at("far/away.bin"), temp.at("lists/link.bin"));
  await Deno.writeTextFile(
    temp.at("lists/files.txt"),
    `a here.bin\nb ${temp.at("far/away.bin")}\nc link.bin\nd missing.bin\ne ../far\n`,
  );
  const { paths, bad } = await readManifest(temp.at("lists/files.txt"));
  const away = await Deno.realPath(temp.at("far/away.bin"));
  assertEquals([...paths], [["a", await Deno.realPath(temp.at("lists/here.bin"))], ["b", away], ["c", away]]);
  assertEquals(bad.map(({ line }) => line), [4, 5]);
  assertEquals((await assertRejects(() => readManifest(temp.at("none.txt")), Failure)).code, "not-found");
});
