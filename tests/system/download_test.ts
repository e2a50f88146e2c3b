/**
 * Downloads between real processes: killed, damaged, changed, strangely named, many at once.
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PIECE_BYTES } from "../../lib/core/content.ts";
import {
  type Ended,
  type PeerArgs,
  Program,
  runCommand,
  type RunningIndex,
  startCommand,
  startIndex,
  startPeer,
} from "../support/programs.ts";
import { freePort } from "../support/redis.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const MIB = 1024 * 1024;
/** What a resumed download may fetch again: what was on its way when the process died. */
const FETCHED_AGAIN_MAX = 64 * MIB;

/** Waits until a peer has hashed all it shares. */
async function hashed(index: RunningIndex, folder: string, peer: string): Promise<void> {
  await eventually(`${peer} has hashed its files`, async () => {
    const { stdout } = await runCommand({ folder, index, args: ["--json"] }, "ls", peer);
    const rows = stdout.trim().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
    return rows.length > 0 && rows.every((row) => typeof row.root === "string");
  }, 60_000);
}

/** How much of its one unfinished file a peer holds. */
async function unfinishedBytes(folder: string): Promise<number> {
  try {
    for await (const entry of Deno.readDir(`${folder}/.recess/incoming`)) {
      return (await Deno.stat(`${folder}/.recess/incoming/${entry.name}`)).size;
    }
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
  }
  return 0;
}

/** Removes everything that a peer has received, finished or not. It keeps its key. */
async function emptied(folder: string): Promise<void> {
  for (const below of [folder, `${folder}/.recess/incoming`]) {
    for (const { name } of Deno.readDirSync(below)) {
      if (name !== ".recess") await Deno.remove(`${below}/${name}`, { recursive: true });
    }
  }
}

function reportOf({ stdout }: Ended): { fetched: number; root: string; path: string; alreadyHere: boolean } {
  return JSON.parse(stdout);
}

Deno.test("a download whose receiver is killed at 30 % continues, whether or not the file is hashed", async () => {
  const size = 700 * MIB;
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: ["--json"] };
  for (const waitForHash of [true, false]) {
    const name = waitForHash ? "hashed.bin" : "fresh.bin";
    await temp.file(`ana/${name}`, size);
    await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
    if (waitForHash) await hashed(index, temp.at("rui"), "ana");
    await eventually("it is listed", async () => (await runCommand(rui, "search", name)).code === 0);
    await using first = startCommand(rui, "get", name);
    await eventually("30 % are there", async () => await unfinishedBytes(rui.folder) > 0.3 * size);
    first.kill("SIGKILL");
    assertEquals(await first.exit(), 137);
    const here = await unfinishedBytes(rui.folder);
    assert(here < size, "it was over before it could be killed");

    const second = await runCommand(rui, "get", name);
    assertEquals(second.code, 0, second.stderr);
    const { fetched, path } = reportOf(second);
    assert(fetched <= size - here + FETCHED_AGAIN_MAX, `fetched ${fetched} with ${here} of ${size} there`);
    assertEquals(path, temp.at("rui", name));
    assert(await sameFiles(temp.at("ana", name), temp.at("rui", name)));
    assertEquals(await unfinishedBytes(rui.folder), 0);
    await Deno.remove(temp.at("rui", name));
    assert(!ana.program.ended);
  }
});

Deno.test("a receiver reports that its sender was killed at 60 %, and continues when the sender is back", async () => {
  const size = 700 * MIB;
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/a.bin", size);
  const ana: PeerArgs = { folder: temp.at("ana"), index, name: "ana" };
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: ["--json"] };
  const before = await startPeer(ana);
  await hashed(index, temp.at("rui"), "ana");
  const first = startCommand(rui, "get", "a.bin");
  await eventually("60 % are there", async () => await unfinishedBytes(rui.folder) > 0.6 * size);
  before.program.kill("SIGKILL");
  await before.program.exit();
  assertEquals(await first.exit(), 1);
  const failure = JSON.parse(first.stderr.trim().split("\n").at(-1) ?? "");
  assertEquals([failure.event, failure.retry], ["error", true]);
  assertStringIncludes(failure.hint, "continue where it stopped");
  const here = await unfinishedBytes(rui.folder);
  assert(here >= 0.6 * size && here < size);

  await using _after = await startPeer(ana);
  await eventually("it is listed", async () => (await runCommand(rui, "search", "a.bin")).code === 0);
  const second = await runCommand(rui, "get", "a.bin");
  assertEquals(second.code, 0, second.stderr);
  assert(reportOf(second).fetched <= size - here + FETCHED_AGAIN_MAX);
  assert(await sameFiles(temp.at("ana", "a.bin"), temp.at("rui", "a.bin")));
});

Deno.test("a download continues by itself when its sender is back soon enough", async () => {
  const size = 500 * MIB;
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/a.bin", size);
  const port = freePort();
  const ana: PeerArgs = { folder: temp.at("ana"), index, name: "ana", args: ["--port", String(port)] };
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: ["--json"] };
  const before = await startPeer(ana);
  await hashed(index, temp.at("rui"), "ana");
  await using getting = startCommand(rui, "get", "a.bin");
  await eventually("30 % are there", async () => await unfinishedBytes(rui.folder) > 0.3 * size);
  before.program.kill("SIGKILL");
  await before.program.exit();
  await using _after = await startPeer(ana);
  assertEquals(await getting.exit(), 0, getting.stderr);
  assertEquals(JSON.parse(getting.stdout).fetched, size);
  assert(await sameFiles(temp.at("ana", "a.bin"), temp.at("rui", "a.bin")));
});

Deno.test("a byte that flips on the owner's disk is noticed and reported, and no wrong file appears", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const path = await temp.file("ana/a.bin", 20 * MIB + 5);
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
  await hashed(index, temp.at("rui"), "ana");
  // A disk that rots does not touch the time of the last change.
  const { mtime } = await Deno.stat(path);
  await flipByte(path, 7 * PIECE_BYTES + 1000);
  await Deno.utime(path, mtime ?? 0, mtime ?? 0);
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui" };
  // Whether the owner's system or the receiver is first to notice, what arrives in the end is what
  // the owner has now.
  await eventually("what ana has now arrives", async () => {
    const { code, stderr } = await runCommand(rui, "get", "a.bin");
    const files = Array.from(Deno.readDirSync(rui.folder), ({ name }) => name).filter((name) => name !== ".recess");
    assertEquals(files, code === 0 ? ["a.bin"] : [], stderr);
    return code === 0;
  }, 60_000);
  assert(await sameFiles(path, temp.at("rui", "a.bin")));
  await eventually("ana is warned", () => ana.program.stderr.includes('The bytes of "a.bin" have changed'));
});

async function flipByte(path: string, offset: number): Promise<void> {
  using file = await Deno.open(path, { read: true, write: true });
  const byte = new Uint8Array(1);
  await file.seek(offset, Deno.SeekMode.Start);
  await file.read(byte);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await file.seek(offset, Deno.SeekMode.Start);
  await file.write(byte);
}

Deno.test("a file that changes or shrinks during its download is reported, and no wrong bytes are saved", async () => {
  const size = 600 * MIB;
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui" };
  const changes: [name: string, change: (path: string) => Promise<void>][] = [
    ["shrinks.bin", (path) => Deno.truncate(path, size / 3)],
    ["changes.bin", (path) => flipByte(path, size - 1)],
    ["grows.bin", (path) => Deno.writeFile(path, new Uint8Array(10), { append: true })],
  ];
  for (const waitForHash of [true, false]) {
    for (const [name, change] of changes) {
      const path = await temp.file(`ana/${name}`, size);
      await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
      if (waitForHash) await hashed(index, temp.at("rui"), "ana");
      await eventually("it is listed", async () => (await runCommand(rui, "search", name)).code === 0);
      await using getting = startCommand(rui, "get", name);
      await eventually("some is there", async () => await unfinishedBytes(rui.folder) > 0.1 * size);
      await change(path);
      const code = await getting.exit();
      // What was already read before the change may complete: then it is the file as it was when it
      // was hashed.
      if (code !== 0) {
        assertEquals(code, 1, getting.stderr);
        assertStringIncludes(getting.stderr, "has changed");
        assertEquals(Array.from(Deno.readDirSync(rui.folder), (entry) => entry.name), [".recess"]);
      }
      await emptied(rui.folder);
      await Deno.remove(path);
    }
  }
});

Deno.test("files with names of every kind arrive, and their names are shown escaped", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const names: [name: string, stored?: string][] = [
    ["çãé 学习 🎓.mp4"],
    ["a".repeat(251) + ".txt"],
    ["ã".repeat(125) + ".mp4"],
    ["  spaces   inside.txt", "spaces   inside.txt"],
    [`it's a "quote".txt`],
    ["back\\slash.txt", "back_slash.txt"],
    ["new\nline.txt", "new_line.txt"],
    ["esc\u001b[31mred.txt", "esc_[31mred.txt"],
    ["-dash.txt"],
    ["--flag"],
    ["%s %d $HOME `ls`.txt"],
    ["a'; DROP TABLE names; --.txt"],
    ["deep/er/and/deeper/still.txt"],
  ];
  const sizes: [name: string, size: number][] = [
    ["0 bytes", 0],
    ["one piece", PIECE_BYTES],
    ["one piece less one", PIECE_BYTES - 1],
    ["one piece and one", PIECE_BYTES + 1],
  ];
  for (const [seed, [name]] of names.entries()) await temp.file(`ana/${name}`, 1000, seed);
  for (const [name, size] of sizes) await temp.file(`ana/${name}`, size);
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
  await hashed(index, temp.at("rui"), "ana");
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui" };
  for (const [name, stored = name] of [...names, ...sizes.map(([name]) => [name] as [string])]) {
    const ended = await runCommand(rui, "get", "--", name);
    assertEquals(ended.code, 0, `${name}: ${ended.stderr}`);
    assert(await sameFiles(temp.at("ana", ...name.split("/")), temp.at("rui", ...stored.split("/"))), name);
    assert(!/[\p{Cc}\p{Cf}]/u.test((ended.stdout + ended.stderr).replaceAll("\n", "")), JSON.stringify(ended));
  }
  const { stdout } = await runCommand(rui, "ls", "ana");
  assertEquals(stdout.trimEnd().split("\n").length, 1 + names.length + sizes.length);
  const log = index.program.stderr + ana.program.stderr;
  assert(!/[\p{Cc}\p{Cf}]/u.test(log.replaceAll("\n", "")));
});

Deno.test("twenty peers download from one at once", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/a.bin", 40 * MIB + 3);
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
  await hashed(index, temp.at("first"), "ana");
  const getting = Array.from({ length: 20 }, (_, number) => {
    return runCommand(
      { folder: temp.at(`peer ${number}`), index, name: `peer ${number}` },
      "get",
      "a.bin",
      "--from",
      "ana",
    );
  });
  for (const [number, ended] of (await Promise.all(getting)).entries()) {
    assertEquals(ended.code, 0, ended.stderr);
    assert(await sameFiles(temp.at("ana", "a.bin"), temp.at(`peer ${number}`, "a.bin")));
  }
  assert(!ana.program.ended);
});

Deno.test("two hundred peers join, search and leave at once", async () => {
  await using index = await startIndex();
  const crowd = new URL("../support/crowd.ts", import.meta.url).href;
  await using program = new Program(["run", "--allow-net", "--allow-read", crowd, String(index.port), "200"]);
  assertEquals(await program.exit(), 0, program.stderr);
  assertStringIncludes(program.stdout, "200 joined, 200 found all 200, 200 left");
  assert(!index.program.ended);
});
