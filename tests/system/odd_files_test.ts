import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Failure } from "../../lib/core/failure.ts";
import { Hasher } from "../../lib/store/share/hasher.ts";
import { withComponent } from "../support/components.ts";
import { ended, type PeerArgs, Program, runCommand, SERVER_FLAGS, startIndex, startPeer } from "../support/programs.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const testWithPipes = withComponent("mkfifo", ["--version"]);

/** Puts a pipe, into which nobody writes, in the place of whatever is at a path. */
async function putPipe(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch(() => {});
  assert((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
}

testWithPipes(
  "a peer moves pipes and devices away that are in the place of its own files, and starts",
  async () => {
    await using temp = await TempFolder.make();
    await using index = await startIndex();
    const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: ["--inbox"] };
    await temp.file("rui/own.bin", 1_000);
    await temp.file("ana/put.bin", 2_000_000);
    const state = async (name: string): Promise<string> => `${await temp.folder("rui/.recess")}/${name}`;
    for (const name of ["recess.db", "recess.db-wal", "trust.jsonl.new", "reserve"]) await putPipe(await state(name));
    await Deno.symlink("/dev/zero", await state("recess.db-journal"));
    await Deno.symlink("/dev/zero", await state("trust.jsonl"));
    {
      await using running = await startPeer(rui);
      const put = await runCommand({ folder: temp.at("ana"), index, name: "ana" }, "put", "put.bin", "rui");
      assertEquals(put.code, 0, put.stderr);
      assert(await sameFiles(temp.at("rui/inbox/ana/put.bin"), temp.at("ana/put.bin")));
      const { stderr } = running.program;
      assertMatch(stderr, /recess\.db" was damaged, and was moved to "\S+recess\.db\.damaged-\S+"/);
      assertMatch(stderr, /reserve" was a pipe, not a file, and was moved to "\S+reserve\.damaged-\S+"/);
      for (const name of ["recess.db-wal", "recess.db-journal"]) assert(stderr.includes(`${name}" was a `), stderr);
      running.program.kill("SIGTERM");
      assertEquals(await running.program.exit(), 0);
    }
    // What is remembered is not lost for a pipe beside it.
    const said = await runCommand(rui, "tell", "ana", "bom dia");
    assert(!said.stderr.includes("this is a bug"), said.stderr);
    await putPipe(await state("recess.db-journal"));
    const history = await runCommand(rui, "messages");
    assertEquals(history.code, 0, history.stderr);
    assertMatch(history.stderr, /recess\.db-journal" was a pipe/);
  },
);

testWithPipes(
  "a peer refuses a pipe in the place of its lock, key or state folder, with a hint",
  async () => {
    await using temp = await TempFolder.make();
    await using index = await startIndex();
    const refused = { "lock": "file", "identity.pem": "file", "incoming": "folder", "": "folder" };
    await Promise.all(
      Object.entries(refused).map(async ([name, wanted]) => {
        const folder = await temp.folder(`peer ${name}`);
        if (name !== "") await Deno.mkdir(`${folder}/.recess`);
        const path = name === "" ? `${folder}/.recess` : `${folder}/.recess/${name}`;
        await putPipe(path);
        const { code, stderr } = await runCommand({ folder, index }, "get", "film.bin");
        assertEquals(code, 1, stderr);
        assertEquals(
          stderr.trim(),
          `error: Cannot use "${path}": it is a pipe, not a ${wanted} (move it out of the way and start again)`,
        );
        assert((await Deno.lstat(path)).isFifo);
      }),
    );
  },
);

testWithPipes(
  "a manifest must not be a pipe, and a room key may come from a pipe",
  async () => {
    await using temp = await TempFolder.make();
    const pipe = temp.at("key");
    await putPipe(pipe);
    const manifest = await ended(
      new Program([...SERVER_FLAGS, "--allow-write", "peer.ts", temp.at("rui"), "--manifest", pipe, "files"]),
    );
    assertEquals(manifest.code, 1);
    assertMatch(manifest.stderr, /error: Cannot use ".*key": it is a pipe, not a file/);
    const flags = [
      ...SERVER_FLAGS,
      "server.ts",
      "--port",
      "0",
      "--host",
      "127.0.0.1",
      "--no-http",
      "--room-key-file",
      pipe,
    ];
    const nobody = await ended(new Program(flags));
    assertEquals(nobody.code, 1);
    assertMatch(nobody.stderr, /Cannot read ".*key": it is a pipe, and nobody writes into it/);
    await using program = new Program(flags);
    const { stdout } = await ended(new Program([...SERVER_FLAGS, "server.ts", "--new-room-key"]));
    await Deno.writeTextFile(pipe, stdout);
    await program.line(/^index listening on /);
  },
);

testWithPipes("a peer ends although a pipe has appeared in its folder", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("rui/own.bin", 1_000);
  await using running = await startPeer({ folder: temp.at("rui"), index, name: "rui" });
  await putPipe(temp.at("rui/pipe"));
  // The system's watcher reports nothing more from here on, so there is nothing to wait for.
  await new Promise((resolve) => setTimeout(resolve, 500));
  running.program.kill("SIGTERM");
  assertEquals(await running.program.exit(), 0, running.program.stderr);
});

testWithPipes("a file is listed that comes into a shared folder after a pipe", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("rui/own.bin", 1_000);
  await using running = await startPeer({ folder: temp.at("rui"), index, name: "rui" });
  await putPipe(temp.at("rui/pipe"));
  await temp.file("rui/sub/film.bin", 2_000);
  const ana: PeerArgs = { folder: await temp.folder("ana"), index, name: "ana" };
  await eventually("film.bin is found", async () => (await runCommand(ana, "search", "film")).code === 0);
  running.program.kill("SIGTERM");
  assertEquals(await running.program.exit(), 0, running.program.stderr);
});

testWithPipes("a pipe that replaced a file is not hashed, and other files are", async () => {
  await using temp = await TempFolder.make();
  using hasher = new Hasher();
  await putPipe(temp.at("pipe"));
  await assertRejects(() => hasher.start(temp.at("pipe"), { urgent: false }).done, Failure);
  assertEquals((await hasher.start(await temp.file("film.bin", 5_000), { urgent: false }).done).size, 5_000);
});
