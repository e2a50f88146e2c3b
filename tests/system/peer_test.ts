/**
 * The peer as a program: one-shot commands, exit codes, JSON, pipes, and what a stranger does
 * wrong.
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  PEER_FLAGS,
  type PeerArgs,
  Program,
  PROJECT,
  runCommand,
  runPeer,
  startIndex,
  startPeer,
} from "../support/programs.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

function jsonLines(text: string): Record<string, unknown>[] {
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

Deno.test("every command runs once and exits, with a table for people", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/videos/aula 1.mp4", 3_000_000);
  await temp.file("ana/notas.txt", 5);
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
  assertEquals([ana.name, ana.files], ["ana", 2]);
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui" };
  await eventually("both files are listed", async () => {
    return (await runCommand(rui, "search")).stdout.includes("aula") && (await runCommand(rui, "ls", "ana")).code === 0;
  });

  const search = await runCommand(rui, "search", "AUL", "mp");
  assertEquals([search.code, search.stderr], [0, ""]);
  assertEquals(
    search.stdout,
    "#  name                  size  copies  peers\n1  videos/aula 1.mp4  3.00 MB       1  ana\n",
  );

  const peers = await runCommand(rui, "peers");
  assertMatch(
    peers.stdout,
    /^peer {2}key +address +files +size\nana +([0-9a-f]{4}-?){4} +127\.0\.0\.1:\d+ +2 +3\.00 MB\n$/,
  );

  const ls = await runCommand(rui, "ls", "Ana");
  assertEquals(ls.stdout.split("\n").map((line) => line.trim().split(/ {2,}/)[1]), [
    "name",
    "notas.txt",
    "videos/aula 1.mp4",
    undefined,
  ]);

  const get = await runCommand(rui, "get", "2");
  assertEquals(get.code, 0);
  const path = temp.at("rui", "videos", "aula 1.mp4");
  assert(get.stdout.startsWith(`${path}: 3.00 MB in `) && get.stdout.endsWith(" from ana\n"), get.stdout);
  assert(await sameFiles(temp.at("ana", "videos", "aula 1.mp4"), temp.at("rui", "videos", "aula 1.mp4")));

  const again = await runCommand(rui, "get", "aula 1.mp4");
  assertEquals([again.code, again.stdout], [0, `${path} is here already\n`]);

  const files = await runCommand(rui, "files");
  assertEquals(files.stdout, "#  name                  size  hashed\n1  videos/aula 1.mp4  3.00 MB   100 %\n");

  const help = await runCommand(rui, "help", "get");
  assertStringIncludes(help.stdout, "--output PATH");
});

Deno.test("--json prints one object a line, lossless and without control characters", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const name = "evil\u001b[2J\nname \u202e.txt";
  await temp.file(`ana/${name}`, 7);
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: ["--json"] };
  const [hit] = await eventually("it is listed", async () => {
    const { code, stdout } = await runCommand(rui, "search", "evil");
    assert(!/[\p{Cc}\p{Cf}]/u.test(stdout.replaceAll("\n", "")));
    return code === 0 && jsonLines(stdout);
  });
  assertEquals([hit?.["name"], hit?.["size"], hit?.["number"]], [name, 7, 1]);
  const got = await runCommand(rui, "get", "1");
  const [done] = jsonLines(got.stdout);
  const path = temp.at("rui", "evil_[2J_name _.txt");
  assertEquals([done?.["event"], done?.["path"], done?.["fetched"]], ["downloaded", path, 7]);
  const missing = await runCommand(rui, "get", "absent");
  assertEquals([missing.code, missing.stdout], [3, ""]);
  assertEquals(jsonLines(missing.stderr)[0]?.["code"], "not-found");
  const shown = await runCommand({ ...rui, args: [] }, "search", "evil");
  assertStringIncludes(shown.stdout, "evil\\u{1b}[2J\\nname \\u{202e}.txt");
});

Deno.test("get --output - writes only the file's bytes to standard output", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const source = await temp.file("ana/a.bin", 5_000_000);
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
  const rui: PeerArgs = { folder: temp.at("rui"), index };
  const script =
    '"$0" run --no-prompt --allow-net --allow-read --allow-write peer.ts "$1" --index "$2" get a.bin --output - > "$3"';
  const args = ["-c", script, Deno.execPath(), rui.folder, `127.0.0.1:${index.port}`, temp.at("out.bin")];
  const { code, stderr } = await new Deno.Command("sh", { args, cwd: PROJECT, stderr: "piped" }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  assert(await sameFiles(source, temp.at("out.bin")));
  assertStringIncludes(new TextDecoder().decode(stderr), "a.bin: 5.00 MB in");
  assertEquals(Array.from(Deno.readDirSync(rui.folder), (entry) => entry.name), [".recess"]);
});

Deno.test("a mistake of a newcomer is explained in one sentence, with the documented exit code", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await using busy = await startPeer({ folder: await temp.folder("busy"), index, name: "busy" });
  const at = ["--index", `127.0.0.1:${index.port}`];
  const cases: [args: string[], code: number, says: string][] = [
    [[], 2, "Which folder do you share?"],
    [["./x", "frobnicate"], 2, 'There is no command "frobnicate" (list the commands with: help)'],
    [["./x", "serach", "film"], 2, 'There is no command "serach" (did you mean: search)'],
    [["./x", "quit"], 2, '"quit" works only in the shell'],
    [["./x", "get"], 2, "get needs WHAT"],
    [["./x", "get", "a", "b"], 2, "names with spaces go in quotes"],
    [["./x", "peers", "--exact"], 2, "peers has no flag --exact"],
    [["./x", "--exact"], 2, "--exact goes with a command"],
    [["./x", "--frob"], 2, "There is no flag --frob"],
    [["./x", "search", "a", "--limit", "none"], 2, 'Cannot use "none" for --limit'],
    [["./x", "--index", "::bad::"], 2, "as an address"],
    [[temp.at("share"), "--index", "127.0.0.1:1"], 5, "Cannot reach 127.0.0.1:1: connection refused"],
    [[temp.at("share"), "--index", "127.0.0.1:1", "search", "x"], 5, "start one with `deno task server`"],
    [[temp.at("no", "such", "share"), ...at], 3, "Cannot make the folder"],
    [[temp.at("busy"), ...at], 1, "another peer is running on it"],
    [[temp.at("other"), ...at, "--name", "BUSY"], 4, '"BUSY-2" is free'],
    [[temp.at("other"), ...at, "--name", "\u001b[31m"], 2, "characters that cannot be shown"],
    [[temp.at("other"), ...at, "search", "nothing"], 3, 'Nothing here matches "nothing"'],
    [[temp.at("other"), ...at, "ls", "nobody"], 3, 'There is no peer "nobody"'],
    [[temp.at("other"), ...at, "get", "nothing.txt"], 3, 'No peer here has "nothing.txt"'],
    [[temp.at("other"), ...at, "cancel", "1"], 3, "There is no transfer 1"],
    [[temp.at("other"), ...at, "get", "99"], 3, "There is no row 99, since there is no table yet (search, then"],
    [["/proc/nothing", ...at], 1, 'Cannot share "/proc/nothing": Deno lets no program into this part of the system'],
  ];
  for (const [args, code, says] of cases) {
    const ended = await runPeer(...args);
    assertEquals([ended.code, ended.stdout], [code, ""], `${args.join(" ")}: ${ended.stderr}`);
    assertStringIncludes(ended.stderr, says);
    assertEquals(ended.stderr.trim().split("\n").length, 1, ended.stderr);
  }
  assert(!busy.program.ended);
});

Deno.test("search works in a folder that a running peer shares", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const ana: PeerArgs = { folder: temp.at("ana"), index, name: "ana" };
  await temp.file("ana/a.txt", 3);
  await using _running = await startPeer(ana);
  await eventually("it is found", async () => (await runCommand(ana, "search", "a")).code === 0);
});

Deno.test("the shell reads lines from a pipe, finishes downloads and exits with the last failure's code", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/a b.bin", 30_000_000);
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
  for (
    const [lines, code] of [[["search bin", 'get "a b.bin"'], 0], [["", "nonsense", "help"], 2], [
      ["quit", "nonsense"],
      0,
    ]] as const
  ) {
    await using rui = await startPeer({ folder: temp.at("rui"), index, name: "rui", stdin: "piped" });
    await rui.program.type(...lines);
    await rui.program.endInput();
    assertEquals(await rui.program.exit(), code, rui.program.stderr);
  }
  assert(await sameFiles(temp.at("ana", "a b.bin"), temp.at("rui", "a b.bin")));
});

Deno.test("quit in a pipe waits for running downloads, and not for paused ones", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/film.bin", 30_000_000);
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
  const cases = [["rui", [], []], ["eva", ["--down", "1MB/s"], ["pause 1"]]] as const;
  for (const [name, args, lines] of cases) {
    await using peer = await startPeer({ folder: temp.at(name), index, name, stdin: "piped", args });
    await peer.program.type("get film.bin", ...lines, "quit", "nonsense");
    assertEquals(await peer.program.exit(), 0, peer.program.stderr);
  }
  assert(await sameFiles(temp.at("ana/film.bin"), temp.at("rui/film.bin")));
});

Deno.test("a peer without input serves until a signal stops it, and leaves the index", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await using ana = await startPeer({ folder: await temp.folder("ana"), index, name: "ana" });
  ana.program.kill("SIGTERM");
  assertEquals(await ana.program.exit(), 0);
  await eventually("the index has it in its log", () => index.program.stderr.includes("ana left: said goodbye"));
  await using rui = await startPeer({ folder: await temp.folder("rui"), index, name: "rui" });
  rui.program.kill("SIGINT");
  assertEquals(await rui.program.exit(), 130);
});

Deno.test("a peer makes its folder, reports that, and prints its ready line exactly once", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await using ana = await startPeer({ folder: temp.at("new"), index });
  assertMatch(ana.name, /^[a-z]+-[a-z]+$/);
  assertEquals(ana.program.stdout.trim().split("\n").length, 1);
  await eventually("it says so", () => ana.program.stderr.includes("Made the folder"));
  await using eva = new Program([
    ...PEER_FLAGS,
    "peer.ts",
    temp.at("eva"),
    "--index",
    `127.0.0.1:${index.port}`,
    "--json",
  ]);
  const [line] = await eva.line(/^\{"event":"ready".*\}$/);
  assertEquals([JSON.parse(line).files, eva.stdout], [0, `${line}\n`]);
});

Deno.test("a peer survives the end of its index, and joins the next one on the same port", async () => {
  await using temp = await TempFolder.make();
  await temp.file("ana/a.txt", 3);
  const first = await startIndex();
  await using ana = await startPeer({ folder: temp.at("ana"), index: first, name: "ana" });
  first.program.kill("SIGTERM");
  await first.program.exit();
  await eventually("it says so", () => ana.program.stderr.includes("Lost the index"));
  await using second = await startIndex("--port", String(first.port));
  assertEquals(second.port, first.port);
  const found = () => runCommand({ folder: temp.at("rui"), index: second }, "search", "a");
  await eventually("it is found", async () => (await found()).code === 0);
  assertEquals(ana.program.stderr.split("Lost the index").length, 2);
});
