/**
 * Classroom C: a manifest says what is shared; `peers`, `ls`, `get` and `quit` answer with tables.
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { runCommand, startIndex, startPeer } from "../support/programs.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

Deno.test("classroom C: a manifest lists shared files, and peers, ls, get and quit work", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("videos/week 1/film.mp4", 3_000_000);
  await temp.file("private/diary.txt", 100);
  await Deno.writeTextFile(
    temp.at("files.txt"),
    `"aula 1.mp4" "videos/week 1/film.mp4"\nlost.mp4 videos/lost.mp4\naula 2.mp4 videos/two.mp4\n`,
  );
  const manifest = ["--manifest", temp.at("files.txt")];
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args: manifest });
  assertEquals(ana.files, 1);
  assertMatch(ana.program.stderr, /Not shared: line 2 of \S+files\.txt: there is no file "videos\/lost\.mp4"/);
  assertMatch(ana.program.stderr, /Not shared: line 3 of .*: there is more than a name and a path/);

  await using rui = await startPeer({ folder: temp.at("rui"), index, name: "rui", stdin: "piped" });
  await eventually("the film is listed", async () => {
    return (await runCommand({ folder: temp.at("asker"), index }, "search", "aula")).code === 0;
  });
  await rui.program.type("ls", "ajuda", "ls ana", "get 1", "sair");
  assertEquals(await rui.program.exit(), 0, rui.program.stderr);
  assertMatch(rui.program.stdout, /^ +ls \[PEER\] +list the files of PEER/m);
  assertMatch(rui.program.stdout, /^ana +\S+ +127\.0\.0\.1:\d+ +1 +3\.00 MB$/m);
  assertMatch(rui.program.stdout, /^1 +aula 1\.mp4 +3\.00 MB +1 +ana$/m);
});

Deno.test("classroom C: a file of a manifest is downloaded whole, and a link in its place is not sent", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const film = await temp.file("videos/film.mp4", 3_000_000);
  await temp.file("secret.txt", 3_000_000);
  await Deno.writeTextFile(temp.at("files.txt"), `aula.mp4 videos/film.mp4\n`);
  const manifest = ["--manifest", temp.at("files.txt")];
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args: manifest });
  const got = await runCommand({ folder: temp.at("rui"), index, name: "rui" }, "get", "aula.mp4");
  assertEquals(got.code, 0, got.stderr);
  assert(await sameFiles(film, temp.at("rui/aula.mp4")));
  await Deno.rename(film, temp.at("moved.mp4"));
  await Deno.symlink(temp.at("secret.txt"), film);
  const refused = await runCommand({ folder: temp.at("eva"), index, name: "eva" }, "get", "aula.mp4", "--from", "ana");
  assertEquals(refused.code, 1, refused.stdout);
  assertMatch(refused.stderr, /error: /);
});

Deno.test("classroom C: one file under two names arrives under both, also when its path has backslashes", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const film = await temp.file("videos/week 1/film.mp4", 3_000_000);
  await Deno.writeTextFile(
    temp.at("files.txt"),
    'a.mp4 "videos\\week 1\\film.mp4"\nb.mp4 "./videos/week 1/../week 1/film.mp4"\n',
  );
  const manifest = ["--manifest", temp.at("files.txt")];
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args: manifest });
  assertEquals(ana.files, 2);
  await eventually("both are listed", () => /ana lists 2 files/.test(index.program.stderr));
  for (const name of ["a.mp4", "b.mp4", "a.mp4"]) {
    const got = await runCommand({ folder: temp.at("rui"), index, name: "rui" }, "get", name);
    assertEquals(got.code, 0, got.stderr);
    assert(await sameFiles(film, temp.at("rui", name)));
  }
  const names = Array.from(Deno.readDirSync(temp.at("rui")), ({ name }) => name).sort();
  assertEquals(names, [".recess", "a.mp4", "b.mp4"]);
});

Deno.test("classroom C: a peer reads a manifest again when it changes", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const seconds = (name: string) => Deno.utime(temp.at(name), 1_000_000_000, 1_000_000_000);
  // Of the same size and time: only the path tells them apart.
  await temp.file("videos/one.mp4", 100_000, 1);
  const two = await temp.file("videos/two.mp4", 100_000, 2);
  await Promise.all(["videos/one.mp4", "videos/two.mp4"].map(seconds));
  await Deno.writeTextFile(temp.at("files.txt"), "aula.mp4 videos/one.mp4\ngone.mp4 videos/one.mp4\n");
  const manifest = ["--manifest", temp.at("files.txt")];
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args: manifest });
  await eventually("both are listed", () => /ana lists 2 files/.test(index.program.stderr));
  await Deno.writeTextFile(
    temp.at("new.txt"),
    "aula.mp4 videos/two.mp4\nlost.mp4 videos/lost.mp4\nnew.mp4 videos/one.mp4\n",
  );
  await Deno.rename(temp.at("new.txt"), temp.at("files.txt"));
  await eventually("the change is reported", () => /files\.txt has changed: it lists 2 files/.test(ana.program.stderr));
  assertMatch(ana.program.stderr, /Not shared: line 2 of \S+files\.txt/);
  const rui = { folder: temp.at("rui"), index, name: "rui" };
  await eventually("the new list is at the index", async () => {
    const [listed, gone] = [await runCommand(rui, "search", "new"), await runCommand(rui, "search", "gone")];
    return listed.code === 0 && gone.code === 3;
  });
  const got = await runCommand(rui, "get", "aula.mp4");
  assertEquals(got.code, 0, got.stderr);
  assert(await sameFiles(two, temp.at("rui/aula.mp4")));
});
