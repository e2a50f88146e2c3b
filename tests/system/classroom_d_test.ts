/**
 * Classroom system D: a file server that lists, gives and takes files by number, numbers equal
 * names, deletes, and has a bound. Here it is a peer with an inbox; real processes all the way.
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  type Ended,
  type PeerArgs,
  Program,
  runCommand,
  type RunningIndex,
  runPeer,
  startCommand,
  startIndex,
  startPeer,
} from "../support/programs.ts";
import { residentBytes } from "../support/memory.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

/** The issue asks for a gibibyte. */
const LARGE_BYTES = 1024 ** 3;
/** What the platform keeps after any download, and far less than the file. */
const MEMORY_GROWTH_MAX = 300_000_000;

/** The one JSON object with this event that a command printed, on whichever stream. */
function event({ stdout, stderr }: Ended, name: string): Record<string, unknown> {
  const objects = `${stdout}${stderr}`.trim().split("\n").map((line) => JSON.parse(line));
  const found = objects.find((object) => object.event === name);
  assert(found !== undefined, `no ${name} in ${stdout}${stderr}`);
  return found;
}

function student(temp: TempFolder, index: RunningIndex, name: string, ...args: string[]): PeerArgs {
  return { folder: temp.at(name), index, name, args: ["--json", ...args] };
}

Deno.test("classroom D: the depot lists, sends and accepts files, and only their senders delete them", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  // As the README says it, with the folder after the task's own flags.
  const address = ["--host", "127.0.0.1", "--index", `127.0.0.1:${index.port}`];
  await using depot = new Program(["task", "depot", temp.at("depot"), ...address]);
  await depot.line(/^peer depot listening on \S+:\d+, sharing 0 files$/);
  await temp.file("ana/notes.txt", 1_000);
  await temp.file("ana/work.pdf", 2_000_000);
  await temp.file("rui/work.pdf", 10);
  const [ana, rui] = [student(temp, index, "ana"), student(temp, index, "rui")];

  // What one has, by number; then up, by number, by name and by path.
  const own = (await runCommand(ana, "files")).stdout.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(own.map(({ number, name }) => [number, name]), [[1, "notes.txt"], [2, "work.pdf"]]);
  const first = await runCommand(ana, "put", "2", "depot");
  assertEquals(first.code, 0, first.stderr);
  const { name, size, path, peer, alreadyHere } = event(first, "put");
  assertEquals([name, size, path, peer, alreadyHere], ["work.pdf", 2_000_000, "inbox/ana/work.pdf", "depot", false]);
  assertEquals(event(await runCommand(rui, "put", "work.pdf", "depot"), "put")["path"], "inbox/rui/work.pdf");
  await temp.file("elsewhere/work.pdf", 77);
  const other = event(await runCommand(ana, "put", temp.at("elsewhere/work.pdf"), "depot"), "put");
  assertEquals(other["path"], "inbox/ana/(1) work.pdf");
  assertEquals(event(await runCommand(ana, "put", "work.pdf", "depot"), "put")["alreadyHere"], true);

  // What it has, by number; then down, by number.
  const listed = await runCommand(rui, "ls", "depot");
  const rows = listed.stdout.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(rows.map((row) => row.name), ["inbox/ana/(1) work.pdf", "inbox/ana/work.pdf", "inbox/rui/work.pdf"]);
  const got = await runCommand(rui, "get", "2");
  assertEquals([got.code, event(got, "downloaded")["path"]], [0, temp.at("rui/ana/work.pdf")], got.stderr);
  assert(await sameFiles(temp.at("ana/work.pdf"), temp.at("rui/ana/work.pdf")));

  // What is deleted there is one's own.
  const refused = await runCommand(rui, "rm", "inbox/ana/work.pdf", "depot");
  assertEquals([refused.code, event(refused, "error")["code"]], [3, "not-found"]);
  const removed = await runCommand(ana, "rm", "work.pdf", "depot");
  assertEquals([removed.code, event(removed, "removed")["name"]], [0, "inbox/ana/work.pdf"]);
  assertEquals((await runCommand(rui, "ls", "depot")).stdout.trim().split("\n").length, 2);

  // And here, of what is one's own.
  assertEquals((await runCommand(ana, "rm", "notes.txt")).code, 0);
  const left = await Array.fromAsync(Deno.readDir(temp.at("ana")), (entry) => entry.name);
  assertEquals(left.sort(), [".recess", "work.pdf"]);
  depot.kill("SIGTERM");
  assertEquals(await depot.exit(), 0);
});

Deno.test("classroom D: an upload whose sender is killed continues where it stopped", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const source = await temp.file("large/film.bin", LARGE_BYTES);
  await using depot = await startPeer({ folder: temp.at("depot"), index, name: "depot", args: ["--inbox"] });
  const before = await residentBytes(depot.program.pid);
  const ana = student(temp, index, "ana");
  const incoming = temp.at("depot/.recess/incoming");
  {
    await using killed = startCommand(ana, "put", source, "depot");
    await eventually("a part has arrived", async () => {
      assert(!killed.ended, killed.stderr);
      for await (const { name } of Deno.readDir(incoming)) {
        if ((await Deno.stat(`${incoming}/${name}`)).size > LARGE_BYTES / 4) return true;
      }
      return false;
    }, 60_000);
    killed.kill("SIGKILL");
    await killed.exit();
  }
  const again = await runCommand(ana, "put", source, "depot");
  assertEquals(again.code, 0, again.stderr);
  const grown = await residentBytes(depot.program.pid) - before;
  assert(grown < MEMORY_GROWTH_MAX, `it holds ${grown} bytes more than before`);
  const { sent, path } = event(again, "put");
  assert(Number(sent) > 0 && Number(sent) < LARGE_BYTES * 0.8, `${sent} bytes were sent again`);
  assertEquals(path, "inbox/ana/film.bin");
  assert(await sameFiles(source, temp.at("depot/inbox/ana/film.bin")));
  assertEquals(await Array.fromAsync(Deno.readDir(incoming)), []);
});

Deno.test("classroom D: a peer refuses a file over its quota, or without an inbox, before the first byte", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await using _shut = await startPeer({ folder: temp.at("shut"), index, name: "shut" });
  const args = ["--inbox", "--quota", "4MB"];
  await using depot = await startPeer({ folder: temp.at("depot"), index, name: "depot", args });
  await temp.file("ana/large.bin", 2_000_001);
  await temp.file("ana/half.bin", 2_000_000);
  const ana = student(temp, index, "ana");
  for (const [file, peer, says] of [["large.bin", "depot", "2.00 MB"], ["half.bin", "shut", "no inbox"]] as const) {
    const refused = await runCommand(ana, "put", file, peer);
    assertEquals([refused.code, refused.stdout], [4, ""], refused.stderr);
    const { code, message, hint } = event(refused, "error");
    assertEquals(code, "refused");
    assertStringIncludes(String(message), says);
    assert(hint !== undefined);
  }
  assertEquals(await Array.fromAsync(Deno.readDir(temp.at("depot/.recess/incoming"))), []);
  assertEquals((await runCommand(ana, "put", "half.bin", "depot")).code, 0);
  // The depot does not list it: it was started with --inbox, not with --inbox share.
  const list = await runCommand(ana, "ls", "depot");
  assertEquals([list.code, list.stdout], [0, ""], list.stderr);
  await eventually(
    "its owner is told",
    () => /ana put inbox\/ana\/half.bin here \(2.00 MB\)/.test(depot.program.stderr),
  );
  assertEquals(await Array.fromAsync(Deno.readDir(temp.at("shut")), (entry) => entry.name), [".recess"]);
});

Deno.test("classroom D: --help lists every part of it", async () => {
  const { stdout } = await runPeer("--help");
  for (
    const pattern of [
      /put FILE PEER/,
      /rm FILE \[PEER\]/,
      /ls \[PEER\]/,
      /get WHAT/,
      /--inbox \[share\]/,
      /--quota SIZE/,
    ]
  ) {
    assertMatch(stdout, pattern);
  }
});
