/**
 * Classroom C: a manifest says what is shared; `peers`, `ls`, `get` and `quit` answer with tables.
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { runCommand, startIndex, startPeer } from "../support/programs.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

Deno.test("classroom C: a manifest says what is shared, bad lines are named, and peers, ls, get and quit do the rest", async () => {
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
  assertMatch(rui.program.stdout, /^ +ls \[PEER\] +what one peer shares/m);
  assertMatch(rui.program.stdout, /^ana +\S+ +127\.0\.0\.1:\d+ +1 +3\.00 MB$/m);
  assertMatch(rui.program.stdout, /^1 +aula 1\.mp4 +3\.00 MB +1 +ana$/m);
});

Deno.test("classroom C: what a manifest lists is downloaded whole, and a link put in its place is not sent", async () => {
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
