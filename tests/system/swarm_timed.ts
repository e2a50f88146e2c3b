/**
 * Many sources, many receivers, real processes: some are killed, lie or go silent; transfers go on
 * by themselves; the line is fair.
 * @module
 */

import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import {
  type PeerArgs,
  runCommand,
  type RunningIndex,
  type RunningPeer,
  startCommand,
  startIndex,
  startPeer,
} from "../support/programs.ts";
import { arrivedBytes, sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const MIB = 1024 * 1024;

interface Report {
  readonly path: string;
  readonly fetched: number;
  readonly tookMs: number;
  readonly files: number;
  readonly sources: readonly { readonly peer: string; readonly bytes: number }[];
}

function reportOf(text: string): Report {
  const line = text.split("\n").find((each) => each.startsWith('{"event":"downloaded"'));
  if (line === undefined) throw new Error(`There is no report in ${text}`);
  return JSON.parse(line);
}

/** Waits until a file is listed with its root by this many. */
async function hashed(index: RunningIndex, temp: TempFolder, name: string, holders = 1): Promise<void> {
  await eventually(`${name} is hashed`, async () => {
    const asker = { folder: temp.at("asker"), index, args: ["--json"] };
    const { stdout } = await runCommand(asker, "search", name, "--exact");
    const rows = stdout.trim().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
    return rows.some((row) => row.root !== undefined && row.holders >= holders);
  });
}

/** A peer of its own folder with a link to the original. */
async function startSource(
  temp: TempFolder,
  index: RunningIndex,
  name: string,
  original: string,
  ...args: string[]
): Promise<RunningPeer> {
  const folder = await temp.folder(name);
  await Deno.link(original, `${folder}/film.bin`);
  return await startPeer({ folder, index, name, args });
}

/** Changes one byte of every piece of a file, so that whatever its peer sends is wrong. */
async function spoil(path: string): Promise<void> {
  const { size, atime, mtime } = await Deno.stat(path);
  using file = await Deno.open(path, { write: true });
  for (let at = 1000; at < size; at += MIB) {
    await file.seek(at, Deno.SeekMode.Start);
    await file.write(new Uint8Array([1]));
  }
  await file.utime(atime ?? new Date(), mtime ?? new Date());
}

Deno.test("a file arrives whole when one of four sources is killed, one lies and one stalls", async () => {
  const size = 300 * MIB;
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const original = await temp.file("film.bin", size);
  const up = ["--up", "20MB/s"];
  await using good = await startSource(temp, index, "good", original, ...up);
  await using killed = await startSource(temp, index, "killed", original, ...up);
  await using silent = await startSource(temp, index, "silent", original, ...up);
  // The liar's copy is a file of its own, which is changed behind its back.
  await temp.folder("liar");
  await Deno.copyFile(original, temp.at("liar/film.bin"));
  await using liar = await startPeer({ folder: temp.at("liar"), index, name: "liar", args: up });
  await hashed(index, temp, "film.bin", 4);
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: ["--json"] };
  await using get = startCommand(rui, "get", "film.bin");
  await eventually("30 % are there", async () => {
    return await arrivedBytes(rui.folder) > 0.3 * size;
  });
  killed.program.kill("SIGKILL");
  silent.program.kill("SIGSTOP");
  await spoil(temp.at("liar/film.bin"));
  assertEquals(await get.exit(), 0, get.stderr);
  silent.program.kill("SIGCONT");
  assert(await sameFiles(original, temp.at("rui/film.bin")));
  const { fetched, sources } = reportOf(get.stdout);
  const bytesFrom = (peer: string): number => sources.find((each) => each.peer === peer)?.bytes ?? 0;
  assertLessOrEqual(fetched, size + 8 * MIB, "something was fetched twice");
  assertGreater(bytesFrom("killed"), 10 * MIB);
  assertGreater(bytesFrom("silent"), 10 * MIB);
  assertGreater(bytesFrom("good"), bytesFrom("killed"));
  assert(get.stderr.includes('"event":"bad-source","peer":"liar"'), get.stderr);
  assert(!good.program.ended && !liar.program.ended);
});

Deno.test("receivers serve each other: a slow owner sends a file about once to a whole room", async () => {
  const size = 60 * MIB;
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const original = await temp.file("film.bin", size);
  const up = ["--up", "10MB/s"];
  await using _owner = await startSource(temp, index, "owner", original, ...up);
  await hashed(index, temp, "film.bin");
  await using stack = new AsyncDisposableStack();
  const peers = await Promise.all(Array.from({ length: 6 }, async (_, number) => {
    const folder = await temp.folder(`peer ${number}`);
    const args = [...up, "--json"];
    return stack.use(await startPeer({ folder, index, name: `peer ${number}`, args, stdin: "piped" }));
  }));
  await Promise.all(peers.map(({ program }) => program.type("get film.bin")));
  const reports = await Promise.all(peers.map(async ({ program }) => {
    const [line] = await program.line(/^\{"event":"downloaded".*\}$/, 120_000);
    return reportOf(line);
  }));
  for (let number = 0; number < peers.length; number++) {
    assert(await sameFiles(original, temp.at(`peer ${number}`, "film.bin")));
  }
  const fromOwner = reports.flatMap(({ sources }) => sources.filter(({ peer }) => peer === "owner"));
  // As a star it would send the file six times.
  assertLess(fromOwner.reduce((sum, { bytes }) => sum + bytes, 0), 2 * size);
  assert(reports.every(({ sources }) => sources.length > 2), JSON.stringify(reports));
});

Deno.test("a download of 2 GiB survives SIGTERM, SIGKILL, and an owner that leaves and returns", async (test) => {
  const size = 2048 * MIB;
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const original = await temp.file("film.bin", size);
  const up = ["--up", "400MB/s"];
  let owner = await startSource(temp, index, "owner", original, ...up);
  await using _owner = { [Symbol.asyncDispose]: () => owner[Symbol.asyncDispose]() };
  await hashed(index, temp, "film.bin");
  const interruptions = {
    SIGTERM: { interrupt: (peer: RunningPeer) => endPeer(peer, "SIGTERM", 0), ends: true },
    SIGKILL: { interrupt: (peer: RunningPeer) => endPeer(peer, "SIGKILL", 137), ends: true },
    "the holder leaves": { interrupt: (peer: RunningPeer) => leaveAndReturn(peer), ends: false },
  };
  const leaveAndReturn = async ({ program }: RunningPeer): Promise<void> => {
    await owner[Symbol.asyncDispose]();
    await eventually("it waits", async () => {
      await program.type("transfers");
      return program.stdout.includes('"state":"waiting"');
    });
    owner = await startPeer({ folder: temp.at("owner"), index, name: "owner", args: up });
  };
  for (const [what, { interrupt, ends }] of Object.entries(interruptions)) {
    await test.step(what, async () => {
      const folder = await temp.folder(what);
      const options: PeerArgs = { folder, index, name: what, args: ["--json"], stdin: "piped" };
      await using first = await startPeer(options);
      await first.program.type("get film.bin");
      await eventually("half of it is here", async () => await arrivedBytes(folder) > size / 2);
      await interrupt(first);
      const kept = await arrivedBytes(folder);
      assertLess(kept, size);
      await using second = ends ? await startPeer(options) : first;
      const [line] = await second.program.line(/^\{"event":"downloaded".*\}$/);
      // In the same run, what came before it was interrupted counts as fetched.
      assertLess(reportOf(line).fetched, size - (ends ? kept : 0) + 64 * MIB);
      assert(await sameFiles(original, `${folder}/film.bin`));
    });
    await Deno.remove(temp.at(what), { recursive: true });
  }
});

async function endPeer({ program }: RunningPeer, signal: Deno.Signal, code: number): Promise<void> {
  program.kill(signal);
  assertEquals(await program.exit(), code);
}

Deno.test("a paused transfer stays paused over a restart and can be resumed, and a cancelled one is gone", async () => {
  const size = 200 * MIB;
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const original = await temp.file("film.bin", size);
  await using _owner = await startSource(temp, index, "owner", original, "--up", "40MB/s");
  await hashed(index, temp, "film.bin");
  const rui: PeerArgs = { folder: await temp.folder("rui"), index, name: "rui", args: ["--json"], stdin: "piped" };
  {
    await using first = await startPeer(rui);
    await first.program.type("get film.bin");
    await eventually("it is on its way", async () => await arrivedBytes(rui.folder) > 10 * MIB);
    await first.program.type("pause 1");
    await first.program.line(/"event":"paused"/);
    first.program.kill("SIGTERM");
    await first.program.exit();
  }
  await using second = await startPeer(rui);
  const kept = await arrivedBytes(rui.folder);
  await second.program.type("transfers");
  await second.program.line(/"state":"paused"/);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  // What a file takes on the disk changes a little when it is written back.
  assertLess(Math.abs(await arrivedBytes(rui.folder) - kept), MIB);
  await second.program.type("resume 1");
  await second.program.line(/"event":"resumed"/);
  await eventually("it goes on", async () => await arrivedBytes(rui.folder) > kept + 10 * MIB);
  await second.program.type("cancel 1");
  await second.program.line(/"event":"cancelled"/);
  assertEquals(Array.from(Deno.readDirSync(temp.at("rui/.recess/incoming"))), []);
});

Deno.test("a peer with two slots serves fifty others in fair order, and reports their true position", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const files = 3;
  for (let number = 0; number < files; number++) await temp.file(`owner/film ${number}.bin`, 2 * MIB);
  const args = ["--slots", "2", "--up", "60MB/s", "--plain"];
  await using owner = await startPeer({ folder: temp.at("owner"), index, name: "owner", args });
  await hashed(index, temp, `film ${files - 1}.bin`);
  const port = Number(/listening on \S+:(\d+)/.exec(owner.program.stdout)?.[1]);
  const asking = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-net",
      "--allow-read",
      new URL("../support/line_of_askers.ts", import.meta.url).pathname,
      `${port}`,
      "50",
      `${files}`,
    ],
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await asking.output();
  assert(success, new TextDecoder().decode(stderr));
  const { order, listMs, wrongPlaces, told } = JSON.parse(new TextDecoder().decode(stdout));
  assertEquals(order.length, 50 * files);
  const seen = new Map<number, number>();
  order.forEach((asker: number, at: number) => {
    const count = (seen.get(asker) ?? 0) + 1;
    seen.set(asker, count);
    const behind = Array.from({ length: 50 }, (_, other) => seen.get(other) ?? 0).filter((each) => each < count - 2);
    assertEquals(behind, [], `at ${at}, ${asker} had its ${count}th file`);
  });
  assertGreater(told, 50);
  assertEquals(wrongPlaces, 0);
  // A list that had to wait in line would wait for a second and more; now and then somebody else on
  // this machine takes his time.
  assertLess(listMs[Math.floor(listMs.length / 2)], 100);
  assertLess(listMs.at(-1), 1_000);
});

Deno.test("get of a folder recreates small and large files, and fetches only the missing ones", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  for (let number = 0; number < 300; number++) {
    await temp.file(`ana/week/${number % 7}/note ${number}.txt`, number, number);
  }
  await temp.file("ana/week/film.bin", 5 * MIB + 3);
  await temp.file("ana/week/ação/学习 🎓.txt", 10);
  await temp.file("ana/weekend.txt", 10);
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: ["--json"] };
  await eventually("it is listed", async () => (await runCommand(rui, "search", "学习")).code === 0);
  // At once: most files are not hashed yet.
  const got = await runCommand(rui, "get", "week/");
  assertEquals(got.code, 0, got.stderr);
  assertEquals(reportOf(got.stdout).files, 302);
  const same = await new Deno.Command("diff", { args: ["-r", temp.at("ana/week"), temp.at("rui/week")] }).output();
  assert(same.success, new TextDecoder().decode(same.stdout));
  await eventually("all of it is hashed", async () => {
    const rows = (await runCommand(rui, "ls", "ana")).stdout.trim().split("\n").map((line) => JSON.parse(line));
    return rows.length === 303 && rows.every((row) => row.root !== undefined);
  });
  await Deno.remove(temp.at("rui/week/3"), { recursive: true });
  const again = await runCommand(rui, "get", "week/");
  assertEquals(again.code, 0, again.stderr);
  assertLess(reportOf(again.stdout).fetched, 10_000);
  const elsewhere = await runCommand(rui, "get", "week/", "--output", temp.at("elsewhere"));
  assertEquals(elsewhere.code, 0, elsewhere.stderr);
  assert((await Deno.stat(temp.at("elsewhere/ação/学习 🎓.txt"))).size === 10);
  assertEquals((await runCommand(rui, "get", "absent/")).code, 3);
});

Deno.test("get --compress transfers fewer bytes, and the file is the same", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.folder("ana");
  await Deno.writeTextFile(temp.at("ana/log.txt"), "the same line over and over\n".repeat(300_000));
  // Slow enough that only packed it can be that fast.
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args: ["--up", "200KB/s"] });
  await hashed(index, temp, "log.txt");
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: ["--json"] };
  const got = await runCommand(rui, "get", "log.txt", "--compress");
  assertEquals(got.code, 0, got.stderr);
  assert(await sameFiles(temp.at("ana/log.txt"), temp.at("rui/log.txt")));
  assertLess(reportOf(got.stdout).tookMs, 20_000);
});
