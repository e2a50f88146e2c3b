import { assert, assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { withComponent } from "../support/components.ts";
import { Disk, testWithDisks } from "../support/disks.ts";
import { IndexClient } from "../support/index_client.ts";
import {
  type Ended,
  ended,
  PEER_FLAGS,
  type PeerArgs,
  Program,
  runCommand,
  type RunningIndex,
  SERVER_FLAGS,
  startCommand,
  startIndex,
  startPeer,
} from "../support/programs.ts";
import { Room } from "../support/room.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

/** A room in which ana shares `film.bin`, hashed. */
async function roomWithFilm(temp: TempFolder, stack: AsyncDisposableStack): Promise<RunningIndex> {
  const index = stack.use(await startIndex());
  await temp.file("ana/film.bin", 3_000_000);
  stack.use(await startPeer({ folder: temp.at("ana"), index, name: "ana" }));
  const guest = { folder: temp.at("guest"), index, args: ["--json"] };
  await eventually("it is hashed", async () => (await runCommand(guest, "search", "film")).stdout.includes('"root"'));
  return index;
}

/** Runs a one-shot command with its output redirected by a shell. */
async function redirected(redirection: string, args: PeerArgs, ...command: string[]): Promise<Ended> {
  return await ended(
    startCommand({ ...args, within: ["bash", "-o", "pipefail", "-c", `"$0" "$@" ${redirection}`] }, ...command),
  );
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

testWithDisks("with a full disk, one-shot commands that need none work, and the others name the disk", async () => {
  await using temp = await TempFolder.make();
  await using disk = await Disk.mount(temp, 8);
  await using stack = new AsyncDisposableStack();
  const index = await roomWithFilm(temp, stack);
  const known: PeerArgs = { folder: disk.at("known"), index };
  // It knows ana's key and has shown this table, so that none of the commands below changes what it
  // remembers.
  for (const command of [["ls", "ana"], ["search", "film"]]) {
    assertEquals((await runCommand(known, ...command)).code, 0);
  }
  await disk.fill();
  for (const rui of [known, { folder: disk.at("new"), index }]) {
    for (const command of [["peers"], ["search", "film"], ["ls", "ana"]]) {
      const { code, stdout, stderr } = await runCommand(rui, ...command);
      assertEquals(code, 0, stderr);
      assertMatch(stdout, /film\.bin|ana/);
      // A program that has nothing to write reports nothing.
      assertEquals(count(stderr, /recess\.db": its disk is full/g), rui === known ? 0 : 1, stderr);
    }
    const streamed = await redirected(`> ${temp.at("out")}`, rui, "get", "film.bin", "--output", "-");
    assertEquals(streamed.code, 0, streamed.stderr);
    assert(await sameFiles(temp.at("out"), temp.at("ana", "film.bin")));
    const failing = await runCommand(rui, "get", "film.bin");
    assertEquals(failing.code, 1);
    assertMatch(failing.stderr, /error: Cannot write .*make room/);
    for (const { stderr } of [streamed, failing]) assert(!/this is a bug|check the perm/.test(stderr), stderr);
  }
  await disk.makeRoom();
  const again = await runCommand(known, "get", "film.bin");
  assertEquals(again.code, 0, again.stderr);
  assert(await sameFiles(disk.at("known", "film.bin"), temp.at("ana", "film.bin")));
});

testWithDisks("a download survives a full disk under standard output or error, and a closed pipe", async () => {
  await using temp = await TempFolder.make();
  await using disk = await Disk.mount(temp, 1);
  await using stack = new AsyncDisposableStack();
  const index = await roomWithFilm(temp, stack);
  await disk.fill();
  const get = async (redirection: string, folder: string, ...command: string[]): Promise<Ended> => {
    return await redirected(redirection, { folder: temp.at(folder), index, args: ["--down", "1MB/s"] }, ...command);
  };
  const [noErrors, noReader, noResults, noBytes, headed] = await Promise.all([
    get(`2> ${disk.at("err")}`, "a", "get", "film.bin"),
    get("2>&1 >/dev/null | true", "b", "get", "film.bin"),
    get(`> ${disk.at("out")}`, "c", "get", "film.bin"),
    get(`> ${disk.at("bytes")}`, "d", "get", "film.bin", "--output", "-"),
    get(`| head -c 1000 > /dev/null`, "e", "get", "film.bin", "--output", "-"),
  ]);
  assertEquals(noErrors.code, 0);
  for (const folder of ["a", "b", "c"]) {
    assert(await sameFiles(temp.at(folder, "film.bin"), temp.at("ana", "film.bin")), folder);
  }
  assertEquals(noReader.stderr, "");
  for (const { code, stderr } of [noResults, noBytes]) {
    assertEquals(code, 1, stderr);
    assertMatch(stderr, /Cannot write on standard output: no space left on device/);
    assert(!stderr.includes("this is a bug"), stderr);
  }
  assertEquals(headed.stderr.includes("error"), false, headed.stderr);
  // The exit code says that the reader did not get the whole file.
  assertEquals(headed.code, 1);
});

Deno.test("a full standard output is reported once, and no hint says that the command continues", async () => {
  await using temp = await TempFolder.make();
  await using stack = new AsyncDisposableStack();
  const index = await roomWithFilm(temp, stack);
  for (const args of [[], ["--json"], ["--debug"]]) {
    for (const command of [["search", "film"], ["help"], ["get", "film.bin", "--output", "-"]]) {
      const rui = { folder: temp.at("rui"), index, args };
      const { code, stderr } = await redirected("> /dev/full", rui, ...command);
      const isOnce = count(stderr, /^(error: |\{"event":"error",.*)Cannot write on standard output/gm) === 1;
      assertEquals([code, isOnce, stderr.includes("where it stopped")], [1, true, false], stderr);
    }
  }
});

testWithDisks(
  "a peer with a full disk reports it once, keeps serving, and saves its state when there is room",
  async () => {
    await using temp = await TempFolder.make();
    await using disk = await Disk.mount(temp, 12);
    await using stack = new AsyncDisposableStack();
    const index = await roomWithFilm(temp, stack);
    await temp.file("disk/rui/a.bin", 2_000_000);
    const rui: PeerArgs = { folder: disk.at("rui"), index, name: "rui" };
    {
      await using running = await startPeer({ ...rui, stdin: "piped" });
      const { program } = running;
      const guest: PeerArgs = { folder: temp.at("guest"), index };
      await eventually("a.bin is hashed", async () => {
        return (await runCommand({ ...guest, args: ["--json"] }, "search", "a.bin")).stdout.includes('"root"');
      });
      await disk.fill();
      // The state remembers a new file, a removed file and a setting.
      await Deno.writeTextFile(disk.at("rui", "empty.txt"), "");
      await program.type("search film");
      await program.line(/film\.bin/);
      await eventually("it is said", () => program.stderr.includes('recess.db": its disk is full'));
      await program.type("get 1");
      await eventually(
        "a download needs the disk, and says so",
        () => /"film.bin" waits until there is room on that disk/.test(program.stderr),
      );
      await program.type("tell ana olá");
      await eventually("a message needs the disk, and says so", () => count(program.stderr, /error: Cannot/g) >= 1);
      const got = await runCommand(guest, "get", "a.bin", "--from", "rui");
      assertEquals(got.code, 0, got.stderr);
      // The sender of a message learns that it could not be stored. Nothing is lost.
      const told = await runCommand(guest, "tell", "rui", "bom dia");
      assert(!told.stderr.includes("this is a bug"), told.stderr);
      await eventually(
        "empty.txt is listed",
        async () => (await runCommand(guest, "ls", "rui")).stdout.includes("empty.txt"),
      );
      assertEquals(program.ended, false);
      assertEquals(count(program.stderr, /^Cannot write/gm), 1, program.stderr);
      await disk.makeRoom();
      await eventually("it is written", () => program.stderr.includes("everything is saved"));
      await program.type("get 1");
      await eventually("the download goes on", async () => {
        return await Deno.stat(disk.at("rui", "film.bin")).then(() => true, () => false);
      });
      program.kill("SIGTERM");
      assertEquals(await program.exit(), 0, program.stderr);
      assert(!/this is a bug|check the permissions/.test(program.stderr), program.stderr);
    }
    await using again = await startPeer({ ...rui, stdin: "piped" });
    await again.program.type("get 1");
    await again.program.line(/film\.bin is here already/);
  },
);

testWithDisks(
  "an index with a full disk under its log keeps running, and the log later counts the lost lines",
  async () => {
    await using temp = await TempFolder.make();
    await using disk = await Disk.mount(temp, 1);
    const flags = [
      ...SERVER_FLAGS,
      "server.ts",
      "--port",
      "0",
      "--host",
      "127.0.0.1",
      "--no-http",
      "--log-level",
      "debug",
    ];
    await using program = new Program(flags, { within: ["sh", "-c", `exec "$0" "$@" 2>> ${disk.at("log")}`] });
    const [, port] = await program.line(/^index listening on \S+:(\d+)/);
    const rui: PeerArgs = { folder: temp.at("rui"), index: { port: Number(port) } };
    const log = async (): Promise<string> => await Deno.readTextFile(disk.at("log"));
    assertEquals((await runCommand(rui, "search", "before")).code, 3);
    await eventually("it is logged", async () => (await log()).includes("before"));
    // The last block of a file is the disk's already: a log that ends with its block needs another
    // one for the next line.
    const size = (await Deno.stat(disk.at("log"))).size;
    await Deno.writeTextFile(disk.at("log"), "\n".repeat(4096 - size % 4096), { append: true });
    await disk.fill();
    assertEquals((await runCommand(rui, "search", "meanwhile")).code, 3);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assertEquals((await runCommand(rui, "search", "more")).code, 3);
    assertEquals(program.ended, false);
    const held =
      /^Cannot write on the log \(standard error, a file on disk \d+:\d+\): no space left on device; the index goes on/;
    await eventually("standard output says so", () => held.test(program.stdout.split("\n")[1] ?? ""));
    await disk.makeRoom();
    await eventually(
      "the log says so",
      async () => /Cannot write on the log \(standard error, a file on disk \d+:\d+\): no space left/.test(await log()),
    );
    assertMatch(await log(), /searched "meanwhile"/);
    assertEquals((await runCommand(rui, "search", "afterwards")).code, 3);
    await eventually("it is logged", async () => (await log()).includes("afterwards"));
  },
);

testWithDisks(
  "an inbox stops before its disk is full, reports it once, and accepts files again when there is room",
  async () => {
    await using temp = await TempFolder.make();
    await using disk = await Disk.mount(temp, 40);
    await using index = await startIndex();
    await temp.file("ana/huge.bin", 60_000_000);
    for (let number = 0; number < 24; number++) await temp.file(`ana/${number}.bin`, 2_000_000, number);
    const ana: PeerArgs = { folder: temp.at("ana"), index, name: "ana" };
    const rui: PeerArgs = { folder: disk.at("rui"), index, name: "rui", args: ["--inbox", "share"] };
    {
      await using running = await startPeer({ ...rui, stdin: "piped" });
      const { program } = running;
      const huge = await runCommand(ana, "put", "huge.bin", "rui");
      assertEquals(huge.code, 1, huge.stderr);
      assertMatch(huge.stderr, /The disk of the other side is full \(ask its owner to make room\)/);
      const codes: number[] = [];
      for (let number = 0; number < 24 && codes.at(-1) !== 1; number++) {
        codes.push((await runCommand(ana, "put", `${number}.bin`, "rui")).code);
      }
      assert(codes.length > 5 && codes.at(-1) === 1, String(codes));
      const refused = await runCommand(ana, "put", "23.bin", "rui");
      assertEquals(refused.code, 1);
      // A message is stored before it is acknowledged, and a file that comes is remembered with its
      // digests.
      const told = await runCommand(ana, "tell", "rui", "bom dia");
      assertEquals(told.code, 0, told.stderr);
      await temp.file("disk/rui/own.bin", 1_000_000);
      const guest: PeerArgs = { folder: temp.at("guest"), index, args: ["--json"] };
      await eventually(
        "own.bin is hashed",
        async () => (await runCommand(guest, "search", "own")).stdout.includes('"root"'),
      );
      assertEquals(program.ended, false);
      assert(!/state|its disk is full|this is a bug/.test(program.stderr), program.stderr);
      assertEquals(
        count(program.stderr, /The inbox accepts nothing more: the disk of ".*rui" is full/g),
        2,
        program.stderr,
      );
      for await (const { name } of Deno.readDir(disk.at("rui", "inbox", "ana"))) {
        if (name !== "0.bin") await Deno.remove(disk.at("rui", "inbox", "ana", name));
      }
      const again = await runCommand(ana, "put", "23.bin", "rui");
      assertEquals(again.code, 0, again.stderr);
      program.kill("SIGTERM");
      assertEquals(await program.exit(), 0);
    }
    const messages = await runCommand({ folder: disk.at("rui"), index }, "messages");
    assertMatch(messages.stdout, /bom dia/, messages.stderr);
  },
);

withComponent("strace", ["-V"])(
  "whatever a download writes last before its disk is full, it ends well or with one sentence, and goes on later",
  async () => {
    await using room = await Room.open();
    const ana = await room.peer("ana");
    await ana.folder.file("film.bin", 3_000_000);
    await room.hashed("ana", "film.bin");
    const places = Object.entries({
      pwrite64: [1, 16, 32, 38],
      mkdir: [1, 3],
      linkat: [1],
      rename: [1],
      ftruncate: [1],
      fdatasync: [1],
      fsync: [1, 4],
    }).flatMap(([call, numbers]) => numbers.map((number) => [call, number] as const));
    const { host, port } = room.address;
    const attempt = async ([call, number]: typeof places[number]): Promise<void> => {
      const folder = await room.folder();
      const flags = [...PEER_FLAGS, "peer.ts", folder.path, "--host", host, "--index", `${host}:${port}`];
      const command = ["get", "film.bin", "--from", "ana"];
      const inject = `inject=${call}:error=ENOSPC:when=${number}+`;
      const within = ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", `trace=${call}`, "-e", inject];
      const { code, stderr } = await ended(new Program([...flags, ...command], { within }));
      assert([0, 1].includes(code), `${call} ${number}: ${stderr}`);
      assert(!/this is a bug|check the perm/.test(stderr), `${call} ${number}: ${stderr}`);
      assert(code === 0 || /error: Cannot write.*no space left/.test(stderr), `${call} ${number}: ${stderr}`);
      const again = await ended(new Program([...flags, ...command]));
      assertEquals(again.code, 0, `${call} ${number}: ${again.stderr}`);
      assert(!/error|Cannot|damaged/.test(again.stderr), `${call} ${number}: ${again.stderr}`);
      assert(await sameFiles(folder.at("film.bin"), ana.folder.at("film.bin")), `${call} ${number}`);
    };
    const left = [...places];
    await Promise.all([1, 2, 3].map(async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await attempt(next);
    }));
  },
);

withComponent("strace", ["-V"])(
  "an index names a full disk once and loses no line of its log, whichever line finds the disk full",
  async () => {
    await using temp = await TempFolder.make();
    const queries = ["one", "two", "three", "four", "five"];
    /**
     * Runs an index and lets the n-th write to its log and the next one fail.
     *
     * @returns The number of writes.
     */
    const attempt = async (at: number | undefined): Promise<number> => {
      const [log, calls] = [await temp.file(`${at ?? 0}/log`, 0), temp.at(`${at ?? 0}/calls`)];
      const inject = at === undefined ? [] : ["-e", `inject=write:error=ENOSPC:when=${at}..${at + 1}`];
      const flags = [
        ...SERVER_FLAGS,
        fileURLToPath(new URL("../../server.ts", import.meta.url)),
        "--port",
        "0",
        "--host",
      ];
      const strace = ["strace", "-f", "-qqq", "-o", calls, "-P", log, "-e", "trace=write", ...inject];
      await using program = new Program([...flags, "127.0.0.1", "--no-http", "--log-level", "debug"], {
        cwd: temp.path,
        within: [...strace, "sh", "-c", `echo $$ > ${calls}.pid; exec "$0" "$@" 2>> ${log}`],
      });
      const [, port] = await program.line(/^index listening on \S+:(\d+)/);
      await using client = await IndexClient.connect({ host: "127.0.0.1", port: Number(port) });
      for (const query of queries) {
        await client.search(query);
        // Lines that come at once are written at once.
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const text = async (): Promise<string> => await Deno.readTextFile(log);
      const isWhole = async (): Promise<boolean> => {
        const now = await text();
        return queries.every((query) => count(now, new RegExp(`searched "${query}"`, "g")) === 1);
      };
      await eventually("every line is there once", isWhole);
      const times = at === undefined ? 0 : 1;
      await eventually("the log names the disk", async () => count(await text(), /Cannot write on the log/g) === times);
      const named =
        /^Cannot write on the log \(standard error, a file on the disk of ".+"\): no space left on device/gm;
      assertEquals(count(program.stdout, named), times, program.stdout);
      const writes = count(await Deno.readTextFile(calls), /write\(2,/g);
      Deno.kill(Number(await Deno.readTextFile(`${calls}.pid`)), "SIGTERM");
      await program.exit();
      return writes;
    };
    const left = Array.from({ length: await attempt(undefined) }, (_, index) => index + 1);
    assert(left.length >= queries.length, `${left.length}`);
    await Promise.all([1, 2, 3].map(async () => {
      for (let at = left.shift(); at !== undefined; at = left.shift()) await attempt(at);
    }));
  },
);
