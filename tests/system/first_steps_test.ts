/**
 * What a newcomer types, right and wrong: real programs, with exactly the permissions they have.
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { withComponent } from "../support/components.ts";
import { withoutEscapes } from "../support/escapes.ts";
import {
  type Ended,
  ended,
  PEER_FLAGS,
  Program,
  PROJECT,
  runCommand,
  runIndex,
  runPeer,
  startCommand,
  startIndex,
  startPeer,
} from "../support/programs.ts";
import { Pty } from "../support/pty.ts";
import { TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const ptyTest = withComponent("script", ["--version"]);

Deno.test("help, -h and -V need no index and make no folder", async () => {
  await using temp = await TempFolder.make();
  const folder = temp.at("new");
  for (const args of [["help"], ["HELP", "get"], ["-h"], ["-V"]]) {
    const { code, stdout, stderr } = await runPeer(folder, ...args, "--index", "127.0.0.1:1");
    assertEquals([code, stderr], [0, ""], args.join(" "));
    assertMatch(stdout, /download WHAT|recess \d/);
  }
  assertEquals(Array.from(Deno.readDirSync(temp.path)), []);
  assertMatch((await runIndex("-V")).stdout, /^recess \d/);
});

Deno.test("a wrong argument is refused in one sentence that says what to write", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const ana = { folder: temp.at("ana"), index, name: "ana" };
  await Deno.writeTextFile(temp.at("file"), "no folder");
  const cases: [run: () => Promise<Ended>, says: RegExp][] = [
    [() => runCommand({ ...ana, folder: temp.at("file") }, "files"), /it is not a folder \(name a folder/],
    [() => runCommand(ana, "cancel", "abc"), /Cannot use "abc" as the number of a transfer \(see their numbers/],
    [() => runCommand(ana, "pause", "x"), /Cannot use "x" as the number of a transfer/],
    [() => runCommand(ana, "accept", "x"), /Cannot use "x" as the number of a request/],
    [() => runCommand(ana, "put", "~/a.txt", "rui"), /Cannot use "~\/a\.txt": "~" is not replaced here/],
    [() => runCommand({ ...ana, args: ["--up", "10Mb/s"] }, "files"), /it means bits \(write bytes, .* 1\.25MB\/s\)/],
  ];
  for (const [run, says] of cases) {
    const { code, stdout, stderr } = await run();
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, says);
  }
});

Deno.test("a one-shot command reports once, on standard error, that it made a missing folder", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  for (const command of ["files", "peers"]) {
    const mistyped = { folder: temp.at(command), index, name: "ana" };
    const made = await runCommand(mistyped, command);
    assertEquals([made.code, made.stderr], [0, `Made the folder ${mistyped.folder}, which was missing\n`]);
    assertEquals((await runCommand(mistyped, command)).stderr, "");
  }
  const unreachable = await runPeer(temp.at("new"), "peers", "--index", "127.0.0.1:1", "--host", "127.0.0.1");
  assertEquals(unreachable.code, 5);
  assertMatch(unreachable.stderr, /^Made the folder .+, which was missing$/m);
});

Deno.test("an empty list is a result, and a search for punctuation alone finds nothing", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const ana = { folder: temp.at("ana"), index, name: "ana" };
  await Deno.mkdir(ana.folder);
  for (
    const [command, says] of [["transfers", /^There are no downloads/], ["FILES", /^You share nothing yet/]] as const
  ) {
    const { code, stdout, stderr } = await runCommand(ana, command);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, says);
    assertEquals((await runCommand({ ...ana, args: ["--json"] }, command)).stdout, "");
  }
  await temp.file("rui/film.mp4", 10);
  await using rui = await startPeer({ folder: temp.at("rui"), index, name: "rui" });
  assertMatch(rui.program.stdout, /sharing 1 file$/m);
  assertEquals((await runCommand(ana, "search", "film")).code, 0);
  assertEquals((await runCommand(ana, "search", "!!!")).code, 3);
  const first = await runCommand(ana, "search", "film", "--limit", "1");
  assertEquals([first.code, first.stderr], [0, ""], "one of one is all of them");
  await temp.file("rui/film 2.mp4", 11);
  await eventually("both are listed", async () => (await runCommand(ana, "search", "film")).stdout.includes("film 2"));
  const some = await runCommand(ana, "search", "film", "--limit", "1");
  assertEquals([some.code, some.stderr], [
    0,
    "There are more matches than the 1 row shown: add words, or raise --limit\n",
  ]);
});

Deno.test("peers and ls with nothing to list exit with 0", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const ana = { folder: temp.at("ana"), index, name: "ana" };
  const listsNothing = async (...command: string[]): Promise<string> => {
    const { code, stdout } = await runCommand(ana, ...command);
    assertEquals(code, 0, stdout);
    assertEquals(await runCommand({ ...ana, args: ["--json"] }, ...command).then((ended) => ended.stdout), "");
    return stdout;
  };
  assertEquals(await listsNothing("peers"), "Nobody is here yet\n");
  assertEquals(await listsNothing("ls"), "Nobody is here yet\n");
  await using _rui = await startPeer({ folder: temp.at("rui"), index, name: "rui" });
  assertEquals(await listsNothing("ls", "rui"), "rui shares nothing\n");
  // What is searched for and not found is no list.
  assertEquals((await runCommand(ana, "search", "film")).code, 3);
});

Deno.test("a command in the place of FOLDER is refused, and no folder is made", async () => {
  await using temp = await TempFolder.make();
  const run = (...args: string[]): Promise<Ended> =>
    ended(new Program([...PEER_FLAGS, `${PROJECT}peer.ts`, ...args, "--index", "127.0.0.1:1"], { cwd: temp.path }));
  const cases: [args: string[], write: string][] = [
    [["peers"], "deno task peer FOLDER peers;"],
    [["Search", "film 1"], 'deno task peer FOLDER Search "film 1";'],
    [["ajuda"], "deno task peer FOLDER ajuda;"],
    [["quit"], "deno task peer FOLDER quit;"],
  ];
  for (const [args, write] of cases) {
    const { code, stdout, stderr } = await run(...args);
    assertEquals([code, stdout], [2, ""], stderr);
    assert(
      stderr.startsWith(`error: "${args[0]}" is a command, and the folder before it is missing`),
      stderr,
    );
    assert(stderr.includes(write), stderr);
  }
  assertEquals(Array.from(Deno.readDirSync(temp.path)), []);
  // A folder that is there, or is written as a path, may be called so.
  await temp.folder("peers");
  for (const folder of ["peers", "./files"]) assertEquals((await run(folder)).code, 5, folder);
});

Deno.test("a number beyond the last table is refused with the number of its rows", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/film.mp4", 10);
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
  const rui = { folder: temp.at("rui"), index, name: "rui" };
  assertEquals((await runCommand(rui, "search", "film")).code, 0);
  const { code, stderr } = await runCommand(rui, "get", "99");
  assertEquals(code, 3);
  assert(stderr.startsWith("error: There is no row 99: the last table has 1 row (search"), stderr);
});

Deno.test("results mark a peer name that mixes alphabets, and files that are here already", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/Album/one.txt", 10);
  await temp.file("ana/Album/two.txt", 11);
  const name = "\u0430na";
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name, args: ["--inbox"] });
  const rui = { folder: temp.at("rui"), index, name: "rui" };
  assertMatch((await runCommand(rui, "get", "one.txt")).stdout, new RegExp(` from ${name} \\(mixed alphabets\\)\n$`));
  const put = await runCommand(rui, "put", "Album/one.txt", name);
  assert(put.stdout.includes(`is at ${name} (mixed alphabets) now`), put.stdout + put.stderr);
  assertEquals((await runCommand(rui, "tell", name, "hi")).stdout, `Delivered to ${name} (mixed alphabets)\n`);
  assertEquals((await runCommand(rui, "get", "Album/")).code, 0);
  assertMatch((await runCommand(rui, "get", "Album/")).stdout, /Album\/? \(2 files\) are here already\n$/);
});

Deno.test("the greeting appears at the first start that reaches an index", async () => {
  await using temp = await TempFolder.make();
  const failed = await runPeer(temp.at("ana"), "--index", "127.0.0.1:1");
  assertEquals(failed.code, 5, failed.stderr);
  await using index = await startIndex();
  for (const greets of [true, false]) {
    await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
    await ana.program.line(/^peer ana/);
    const { program } = ana;
    await eventually("a greeting", () => /commands: help/.test(program.stderr));
    assertEquals(/Try: search WORD/.test(program.stderr), greets);
  }
});

Deno.test("a download reports the path of the file, or how far it came when it is interrupted", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/film.mp4", 40_000_000);
  await temp.file("ana/small.txt", 10);
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args: ["--up", "4MB/s"] });
  const rui = { folder: temp.at("rui"), index, name: "rui" };
  await Deno.mkdir(rui.folder);
  const { stdout, stderr } = await runCommand(rui, "get", "small.txt");
  assert(stdout.startsWith(`${await Deno.realPath(temp.at("rui"))}/small.txt: 10 B in `), stdout);
  assertEquals(stderr, "", "the place is said twice");
  await using get = startCommand(rui, "get", "film.mp4");
  await eventually("some of it is there", () => /film\.mp4: [1-9]\d? %/.test(get.stderr));
  get.kill("SIGINT");
  assertEquals(await get.exit(), 130);
  assertMatch(get.stderr, /film\.mp4 stopped at [1-9]\d? %; repeat the command to continue\n$/);
});

ptyTest("help and errors are wrapped between words at the terminal's width", async () => {
  await using temp = await TempFolder.make();
  const words = [Deno.execPath(), ...PEER_FLAGS, "peer.ts"].map((word) => `'${word}'`).join(" ");
  const outside = `'${temp.at("none/at/all")}'`;
  for (const args of ["--help", `${outside} help get`, `${outside} files --index 127.0.0.1:1`]) {
    await using pty = new Pty(`cd '${PROJECT}'; ${words} ${args}; echo done`, { columns: 60 });
    await pty.sees(/done\r\n$/);
    const rows = withoutEscapes(pty.written).split("\r\n");
    const long = rows.filter((row) => row.length > 60 && row.includes(" "));
    assertEquals(long.filter((row) => !row.includes(temp.path)), [], args);
  }
});
