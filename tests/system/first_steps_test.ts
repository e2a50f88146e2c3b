/**
 * What a newcomer types, right and wrong: real programs, with exactly the permissions they have.
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { withComponent } from "../support/components.ts";
import {
  type Ended,
  PEER_FLAGS,
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

Deno.test("wrong words are refused in one sentence that says what to write", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const ana = { folder: temp.at("ana"), index, name: "ana" };
  await Deno.writeTextFile(temp.at("file"), "no folder");
  const cases: [run: () => Promise<Ended>, says: RegExp][] = [
    [() => runCommand({ ...ana, folder: temp.at("file") }, "files"), /it is not a folder \(name a folder/],
    [() => runCommand(ana, "cancel", "abc"), /Cannot use "abc" as the number of a transfer \(see their numbers/],
    [() => runCommand(ana, "pause", "x"), /Cannot use "x" as the number of a transfer/],
    [() => runCommand(ana, "accept", "x"), /Cannot use "x" as the number of a question/],
    [() => runCommand(ana, "put", "~/a.txt", "rui"), /Cannot use "~\/a\.txt": "~" is not replaced here/],
    [() => runCommand({ ...ana, args: ["--up", "10Mb/s"] }, "files"), /it means bits \(write bytes, .* 1\.25MB\/s\)/],
  ];
  for (const [run, says] of cases) {
    const { code, stdout, stderr } = await run();
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, says);
  }
});

Deno.test("a list of which there is nothing is a result, a search for signs alone finds nothing", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const ana = { folder: temp.at("ana"), index, name: "ana" };
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
});

Deno.test("the greeting comes at the first start that reaches an index, not at the first attempt", async () => {
  await using temp = await TempFolder.make();
  const failed = await runPeer(temp.at("ana"), "--index", "127.0.0.1:1");
  assertEquals(failed.code, 5, failed.stderr);
  await using index = await startIndex();
  for (const greets of [true, false]) {
    await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
    await ana.program.line(/^peer ana/);
    const { program } = ana;
    await eventually("a greeting", () => /help lists/.test(program.stderr));
    assertEquals(/Try: search PART-OF-A-NAME/.test(program.stderr), greets);
  }
});

Deno.test("a download says where the file is, and one that is interrupted how far it came", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/film.mp4", 40_000_000);
  await temp.file("ana/small.txt", 10);
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args: ["--up", "4MB/s"] });
  const rui = { folder: temp.at("rui"), index, name: "rui" };
  const { stderr } = await runCommand(rui, "get", "small.txt");
  assert(stderr.includes(`It is at ${await Deno.realPath(temp.at("rui"))}/small.txt`), stderr);
  await using get = startCommand(rui, "get", "film.mp4");
  await eventually("some of it is there", () => /film\.mp4: [1-9]\d? %/.test(get.stderr));
  get.kill("SIGINT");
  assertEquals(await get.exit(), 130);
  assertMatch(get.stderr, /film\.mp4 stopped at [1-9]\d? %; the same command goes on from there\n$/);
});

ptyTest("help and errors are wrapped between words at the terminal's width", async () => {
  await using temp = await TempFolder.make();
  const words = [Deno.execPath(), ...PEER_FLAGS, "peer.ts"].map((word) => `'${word}'`).join(" ");
  const outside = `'${temp.at("none/at/all")}'`;
  for (const args of ["--help", `${outside} help get`, `${outside} files --index 127.0.0.1:1`]) {
    await using pty = new Pty(`cd '${PROJECT}'; ${words} ${args}; echo done`, { columns: 60 });
    await pty.sees(/done\r\n$/);
    // deno-lint-ignore no-control-regex
    const rows = pty.written.replaceAll(/\x1b\[\d*[A-Za-z]/g, "").split("\r\n");
    const long = rows.filter((row) => row.length > 60 && row.includes(" "));
    assertEquals(long.filter((row) => !row.includes(temp.path)), [], args);
  }
});
