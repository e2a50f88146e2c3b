/**
 * Rooms with a key, keys of peers and full disks, with real processes.
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type PeerArgs, runCommand, runIndex, runPeer, startIndex, startPeer } from "../support/programs.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { Disk, testWithDisks } from "../support/disks.ts";
import { eventually } from "../support/wait.ts";

Deno.test("a room with a key admits only peers with that key, and refuses others in one sentence", async () => {
  await using temp = await TempFolder.make();
  const made = await runIndex("--new-room-key");
  assertMatch(made.stdout, /^([0-9a-f]{4}-){7}[0-9a-f]{4}\n$/);
  await Deno.writeTextFile(temp.at("key"), made.stdout, { mode: 0o600 });
  await Deno.writeTextFile(temp.at("other"), (await runIndex("--new-room-key")).stdout, { mode: 0o600 });
  await using index = await startIndex("--room-key-file", temp.at("key"));
  const source = await temp.file("ana/film.bin", 3_000_000);
  const withKey = ["--room-key-file", temp.at("key")];
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args: withKey });
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: withKey };
  await eventually("it is listed", async () => (await runCommand(rui, "search", "film")).code === 0);
  assertEquals((await runCommand(rui, "get", "film.bin")).code, 0);
  assert(await sameFiles(source, temp.at("rui/film.bin")));

  await temp.folder("eva");
  const others: [args: string[], says: string][] = [
    [["--room-key-file", temp.at("other")], `error: Wrong room key for the index at 127.0.0.1:${index.port} (`],
    [[], `error: 127.0.0.1:${index.port} uses encryption: it is an index that needs a room key, or a peer (`],
  ];
  for (const [args, says] of others) {
    for (const command of [["search", "film"], ["peers"], ["get", "film.bin"]]) {
      const refused = await runCommand({ folder: temp.at("eva"), index, name: "eva", args }, ...command);
      assertEquals(refused.code, 4, refused.stderr);
      assert(refused.stderr.startsWith(says), refused.stderr);
      assertStringIncludes(refused.stderr, "--room-key-file FILE");
      assertEquals([refused.stdout, refused.stderr.trim().split("\n").length], ["", 1], refused.stderr);
    }
  }
  const missing = await runPeer(temp.at("eva"), "--room-key-file", temp.at("absent"), "peers");
  assertEquals([missing.code, missing.stdout], [3, ""]);
  await Deno.writeTextFile(temp.at("nonsense"), "secret");
  const nonsense = await runPeer(temp.at("eva"), "--room-key-file", temp.at("nonsense"), "peers");
  assertEquals(nonsense.code, 2);
  assert(!nonsense.stderr.includes("secret"));
});

Deno.test("a peer with a room key joins no index without one", async () => {
  await using temp = await TempFolder.make();
  await Deno.writeTextFile(temp.at("key"), (await runIndex("--new-room-key")).stdout);
  await using open = await startIndex();
  const args = ["--room-key-file", temp.at("key")];
  const refused = await runCommand({ folder: temp.at("rui"), index: open, name: "rui", args }, "peers");
  assertStringIncludes(refused.stderr, "error: Wrong room key for the index at ");
  assertEquals(refused.code === 4 || refused.code === 5, true);
});

Deno.test("the identity is stored, readable by its owner alone, and never shared", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const ana = { folder: temp.at("ana"), index, name: "ana", args: ["--json"] };
  const ids: string[] = [];
  for (let run = 0; run < 2; run++) {
    await using peer = await startPeer(ana);
    ids.push(JSON.parse(peer.program.stdout.split("\n")[0] ?? "").id);
    peer.program.kill("SIGTERM");
    await peer.program.exit();
  }
  assertEquals(ids[0], ids[1]);
  const path = temp.at("ana/.recess/identity.pem");
  assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
  await Deno.writeTextFile(path, "damaged");
  const damaged = await runCommand(ana, "files");
  assertEquals(damaged.code, 1);
  assertStringIncludes(damaged.stderr, "identity.pem");
});

testWithDisks(
  "a download that fills the disk reports it in one sentence, and continues when there is room",
  async () => {
    await using temp = await TempFolder.make();
    await using disk = await Disk.mount(temp, 40);
    await using index = await startIndex();
    const source = await temp.file("ana/film.bin", 30_000_000);
    await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
    const rui: PeerArgs = { folder: `${disk.path}/rui`, index, name: "rui", args: ["--json"] };
    await eventually("it is hashed", async () => (await runCommand(rui, "search", "film")).stdout.includes('"root"'));
    await Deno.writeFile(`${disk.path}/ballast`, new Uint8Array(20_000_000));
    const full = await runCommand(rui, "get", "film.bin");
    assertEquals(full.code, 1, full.stderr);
    const error = full.stderr.trim().split("\n").map((line) => JSON.parse(line)).find(({ event }) => event === "error");
    assertEquals(error?.code, "disk-full");
    assertMatch(error?.hint, /make room/);
    await Deno.remove(`${disk.path}/ballast`);
    const again = await runCommand(rui, "get", "film.bin");
    assertEquals(again.code, 0, again.stderr);
    assert(JSON.parse(again.stdout).fetched < 20_000_000, again.stdout);
    assert(await sameFiles(source, `${disk.path}/rui/film.bin`));
  },
);
