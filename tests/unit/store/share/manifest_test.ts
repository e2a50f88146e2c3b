import { assertEquals, assertRejects } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import { systemClock } from "../../../../lib/core/flow/clock.ts";
import { type Manifest, parseManifest, readManifest } from "../../../../lib/store/share/manifest.ts";
import { ManifestFile } from "../../../../lib/store/share/manifest_file.ts";
import { TempFolder } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

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

Deno.test("parseManifest() reads back-slashes as Windows means them, and before a space as a part of the word", () => {
  const { entries, bad } = parseManifest([
    String.raw`a.mp4 C:\videos\a.mp4`,
    String.raw`week1\b.mp4 ..\videos\b.mp4`,
    String.raw`"aula 3.mp4" "C:\my videos\3.mp4"`,
    String.raw`d.mp4 \\server\share\d.mp4`,
    String.raw`e.mp4 my\ videos/e.mp4`,
    `l'aula.mp4 '/videos/say "hi".mp4'`,
    `f.mp4\t/videos/f.mp4`,
    `g.mp4 "/videos/g.mp4"x`,
  ].join("\r\n"));
  assertEquals(entries.map(({ name, path }) => [name, path]), [
    ["a.mp4", String.raw`C:\videos\a.mp4`],
    ["week1/b.mp4", String.raw`..\videos\b.mp4`],
    ["aula 3.mp4", String.raw`C:\my videos\3.mp4`],
    ["d.mp4", String.raw`\\server\share\d.mp4`],
    ["e.mp4", "my videos/e.mp4"],
    ["l'aula.mp4", '/videos/say "hi".mp4'],
    ["f.mp4", "/videos/f.mp4"],
  ]);
  assertEquals(bad.map(({ line }) => line), [8]);
});

Deno.test("readManifest() finds a file behind the back-slashes of Windows on any system", async () => {
  await using temp = await TempFolder.make();
  await temp.file("videos/week 1/a.bin", 3);
  await Deno.writeTextFile(temp.at("files.txt"), 'a "videos\\week 1\\a.bin"\nb .\\videos\\none.bin\n');
  const { paths, bad } = await readManifest(temp.at("files.txt"));
  assertEquals([...paths], [["a", temp.at("videos/week 1/a.bin")]]);
  assertEquals(bad.map(({ line }) => line), [2]);
});

Deno.test("ManifestFile reads a changed or replaced manifest again, and reports a missing one once", async () => {
  await using temp = await TempFolder.make();
  const path = temp.at("files.txt");
  for (const name of ["a", "b", "c"]) await temp.file(name, 3);
  await Deno.writeTextFile(path, "a a\n");
  const file = new ManifestFile(path);
  assertEquals([...(await file.read()).paths.keys()], ["a"]);
  const changes: Manifest[] = [];
  const unreadable: string[] = [];
  const ended = new AbortController();
  const clock = { ...systemClock, delay: (_: number, signal?: AbortSignal) => systemClock.delay(5, signal) };
  const following = file.follow({
    clock,
    onChange: (manifest) => Promise.resolve(void changes.push(manifest)),
    onUnreadable: ({ code }) => unreadable.push(code),
  }, ended.signal);
  const listed = async (...names: string[]): Promise<void> => {
    await eventually(`${names} are listed`, () => changes.at(-1)?.paths.keys().toArray().join() === names.join());
  };
  await Deno.writeTextFile(path, "b b\n", { append: true });
  await listed("a", "b");
  await Deno.writeTextFile(temp.at("new.txt"), "c c\n");
  await Deno.rename(temp.at("new.txt"), path);
  await listed("c");
  await Deno.remove(path);
  await eventually("it is reported", () => unreadable.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(unreadable, ["not-found"]);
  await Deno.writeTextFile(path, "a a\nc c\n");
  await listed("a", "c");
  ended.abort();
  await following;
});
