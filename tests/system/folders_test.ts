import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { testAsOrdinaryUser } from "../support/ordinary_user.ts";
import { type PeerArgs, runCommand, type RunningIndex, startIndex, startPeer } from "../support/programs.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

function jsonLines(text: string): Record<string, unknown>[] {
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** Waits until everything that a peer shares has a root. */
async function hashed(index: RunningIndex, folder: string, peer: string): Promise<void> {
  await eventually(`${peer} has hashed its files`, async () => {
    const rows = jsonLines((await runCommand({ folder, index, args: ["--json"] }, "ls", peer)).stdout);
    return rows.length > 0 && rows.every(({ root }) => typeof root === "string");
  });
}

Deno.test("get names each file of a folder that cannot be saved, and its exit code is not 0", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const names = ["Album/large.bin", "Album/note.txt", "Album/sub/a.txt"];
  await temp.file(`ana/${names[0]}`, 2_000_000);
  await temp.file(`ana/${names[1]}`, 10);
  await temp.file(`ana/${names[2]}`, 11);
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
  await hashed(index, temp.at("rui"), "ana");
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui" };

  await temp.file("rui/Album", 5);
  const text = await runCommand(rui, "get", "Album/");
  assertEquals(text.code, 1, text.stderr);
  assertStringIncludes(text.stdout, "0 of 3 files are here");
  for (const name of names) assertStringIncludes(text.stderr, `Not downloaded: ${name}: `);
  assert(!/nothing had to be|the rest was here/.test(text.stdout + text.stderr), text.stdout);

  await Deno.remove(temp.at("rui/Album"));
  await temp.file("rui/Album/sub", 5);
  const json = await runCommand({ ...rui, args: ["--json"] }, "get", "Album/");
  assertEquals(json.code, 1, json.stderr);
  const [done] = jsonLines(json.stdout);
  assertEquals([done?.["event"], done?.["files"], done?.["failed"]], ["incomplete", 3, 1]);
  const failed = jsonLines(json.stderr).filter(({ event }) => event === "failed");
  assertEquals(failed.map(({ name, code }) => [name, code]), [["Album/sub/a.txt", "bad-name"]]);

  await Deno.remove(temp.at("rui/Album/sub"));
  const again = await runCommand({ ...rui, args: ["--json"] }, "get", "Album/");
  assertEquals([again.code, jsonLines(again.stdout)[0]?.["fetched"]], [0, 11], again.stderr);
  for (const name of names) assert(await sameFiles(temp.at("ana", name), temp.at("rui", name)), name);
});

testAsOrdinaryUser(
  "get of a folder with a read-only sub-folder names each file that could not be placed",
  async (within) => {
    await using temp = await TempFolder.make();
    await using index = await startIndex();
    const readOnly = ["Album/sub/film.bin", "Album/sub/note.txt"];
    const names = ["Album/film.bin", "Album/note.txt", ...readOnly];
    for (const [number, name] of names.entries()) {
      await temp.file(`ana/${name}`, name.endsWith(".bin") ? 2_000_000 + number : 10 + number);
    }
    await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
    await hashed(index, temp.at("guest"), "ana");
    const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: ["--json"], within };

    const sub = await temp.folder("rui/Album/sub");
    await Deno.chmod(sub, 0o500);
    const refused = await runCommand(rui, "get", "Album/");
    assertEquals(refused.code, 1, refused.stderr);
    const [done] = jsonLines(refused.stdout);
    assertEquals([done?.["event"], done?.["files"], done?.["failed"]], ["incomplete", 4, 2]);
    const failed = jsonLines(refused.stderr).filter(({ event }) => event === "failed");
    assertEquals(
      failed.map(({ name, code }) => [name, code]).sort(),
      readOnly.map((name) => [name, "no-access"]),
    );
    for (const name of names.slice(0, 2)) assert(await sameFiles(temp.at("ana", name), temp.at("rui", name)), name);
    assertEquals(Array.from(Deno.readDirSync(sub)), []);

    await Deno.chmod(sub, 0o700);
    const again = await runCommand(rui, "get", "Album/");
    assertEquals([again.code, jsonLines(again.stdout)[0]?.["failed"]], [0, 0], again.stderr);
    for (const name of readOnly) assert(await sameFiles(temp.at("ana", name), temp.at("rui", name)), name);
  },
);

Deno.test("--output PLACE/ makes a folder, and the reported path is the real one", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/Aula: 1.txt", 10);
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
  await hashed(index, temp.at("rui"), "ana");
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: ["--json"] };
  for (
    const [place, stored] of [["new/", "new/Aula_ 1.txt"], ["new", "new/Aula_ 1.txt"], ["new/b", "new/b"]] as const
  ) {
    const got = await runCommand(rui, "get", "Aula: 1.txt", "--output", `${temp.path}/${place}`);
    assertEquals([got.code, jsonLines(got.stdout)[0]?.["path"]], [0, temp.at(...stored.split("/"))], got.stderr);
  }
  assertEquals(temp.names("new"), ["Aula_ 1.txt", "b"]);
});
