import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import { Folder } from "../../../../lib/store/files/folder.ts";
import { scan } from "../../../../lib/store/share/scan.ts";
import { TempFolder } from "../../../support/temp.ts";

async function namesOf(folder: Folder): Promise<string[]> {
  const names: string[] = [];
  for await (const files of scan(folder)) names.push(...files.map((file) => file.name));
  return names.sort();
}

Deno.test("Folder.open() makes a missing folder, but no missing parent", async () => {
  await using temp = await TempFolder.make();
  using folder = await Folder.open(temp.at("share"));
  assert(folder.made);
  assert((await Deno.stat(temp.at("share", ".recess", "incoming"))).isDirectory);
  const failure = await assertRejects(() => Folder.open(temp.at("no", "share")), Failure);
  assertEquals([failure.code, failure.message.includes("no")], ["not-found", true]);
  await temp.file("a file", 1);
  assertEquals((await assertRejects(() => Folder.open(temp.at("a file")), Failure)).code, "usage");
});

Deno.test("Folder.open() lets one peer have a folder at a time", async () => {
  await using temp = await TempFolder.make();
  {
    using folder = await Folder.open(temp.path);
    assert(!folder.made);
    assertEquals((await assertRejects(() => Folder.open(temp.path), Failure)).code, "folder-in-use");
  }
  (await Folder.open(temp.path))[Symbol.dispose]();
});

Deno.test("scan() lists sub-folders and passes over hidden, unfinished and unlistable files", async () => {
  await using temp = await TempFolder.make();
  for (
    const name of [
      "a.txt",
      "b/c.txt",
      "b/d/e f.txt",
      ".hidden",
      "b/.git/config",
      "film.mp4.part",
      "FILM.PART",
      "b/x.Tmp",
      "x.crdownload",
      "doc~",
    ]
  ) await temp.file(name, 10);
  await temp.file("b/empty", 0);
  using folder = await Folder.open(temp.path);
  await temp.file(".recess/secret.txt", 5);
  assertEquals(await namesOf(folder), ["a.txt", "b/c.txt", "b/d/e f.txt", "b/empty"]);
});

Deno.test("scan() and openShared() follow no link out of the folder, into hidden parts, or in a circle", async () => {
  await using temp = await TempFolder.make();
  await temp.file("outside/secret.txt", 10);
  await temp.file("share/real.txt", 10);
  await temp.file("share/sub/inner.txt", 10);
  const share = temp.at("share");
  using folder = await Folder.open(share);
  await temp.file("share/.recess/identity.pem", 10);
  const links: [string, string][] = [
    [temp.at("outside", "secret.txt"), "leak.txt"],
    [temp.at("outside"), "outside"],
    ["/etc", "etc"],
    [temp.at("share", ".recess", "identity.pem"), "key.txt"],
    [share, "sub/circle"],
    [temp.at("share", "nothing"), "broken.txt"],
    [temp.at("share", "real.txt"), "inside.txt"],
  ];
  for (const [target, name] of links) await Deno.symlink(target, `${share}/${name}`);
  assertEquals(await namesOf(folder), ["inside.txt", "real.txt", "sub/inner.txt"]);
  using opened = folder.openShared("inside.txt");
  assertEquals(opened.size, 10);
  const refused = [
    "leak.txt",
    "outside/secret.txt",
    "etc/hostname",
    "key.txt",
    "broken.txt",
    ".recess/identity.pem",
    "../outside/secret.txt",
    "sub/../../outside/secret.txt",
    "/etc/hostname",
    "sub",
    "",
    "absent.txt",
    "a\0b",
  ];
  for (const name of refused) {
    assertEquals((assertThrows(() => folder.openShared(name), Failure)).code, "not-shared", name);
  }
});

Deno.test("scan() lists nothing behind a link that replaces the folder, except files elsewhere", async () => {
  await using temp = await TempFolder.make();
  await temp.file("share/ours.txt", 10);
  await temp.file("private/theirs.txt", 10);
  await temp.file("film.mp4", 10);
  await Deno.symlink(temp.at("share"), temp.at("chosen"));
  using folder = await Folder.open(temp.at("chosen"), new Map([["film.mp4", temp.at("film.mp4")]]));
  assertEquals(await namesOf(folder), ["film.mp4", "ours.txt"]);
  await Deno.rename(temp.at("share"), temp.at("away"));
  await Deno.symlink(temp.at("private"), temp.at("share"));
  assertEquals([folder.isInPlace(), await namesOf(folder)], [false, ["film.mp4"]]);
  assertEquals(assertThrows(() => folder.demandState(), Failure).code, "no-access");
  assertEquals(assertThrows(() => folder.incomingPath(undefined), Failure).code, "no-access");
  assertEquals(folder.incomingPath(temp.path), temp.path);
  assertEquals(Array.from(Deno.readDirSync(temp.at("private")), ({ name }) => name), ["theirs.txt"]);
  await Deno.remove(temp.at("share"));
  await Deno.rename(temp.at("away"), temp.at("share"));
  assertEquals([folder.isInPlace(), await namesOf(folder)], [true, ["film.mp4", "ours.txt"]]);
});

Deno.test("a folder that replaces another one is taken only when no other peer has it", async () => {
  await using temp = await TempFolder.make();
  await temp.file("one/one.txt", 10);
  await temp.file("two/two.txt", 10);
  using one = await Folder.open(temp.at("one"));
  {
    using _two = await Folder.open(temp.at("two"));
    await Deno.rename(temp.at("one"), temp.at("away"));
    await Deno.rename(temp.at("two"), temp.at("one"));
    assertEquals([one.isInPlace(), one.retakeState(), await namesOf(one)], [false, false, []]);
    assertEquals(assertThrows(() => one.demandState(), Failure).code, "no-access");
  }
  assertEquals([one.retakeState(), one.isInPlace(), await namesOf(one)], [true, true, ["two.txt"]]);
  assertEquals((await assertRejects(() => Folder.open(temp.at("one")), Failure)).code, "folder-in-use");
  (await Folder.open(temp.at("away")))[Symbol.dispose]();
});

Deno.test("incomingPath() makes a missing folder, and accepts no link that came after the start", async () => {
  await using temp = await TempFolder.make();
  await temp.folder("disk");
  await temp.folder("other");
  await temp.folder("share/.recess");
  const incoming = temp.at("share/.recess/incoming");
  await Deno.symlink(temp.at("disk"), incoming);
  using folder = await Folder.open(temp.at("share"));
  assertEquals(folder.incomingPath(undefined), incoming);
  const refusals: [what: string, put: () => Promise<void>][] = [
    ["a link", () => Deno.symlink(temp.at("other"), incoming)],
    ["a link", () => Deno.symlink(temp.at("nowhere"), incoming)],
    ["a file", () => Deno.writeTextFile(incoming, "")],
  ];
  for (const [what, put] of refusals) {
    await Deno.remove(incoming);
    await put();
    const { code, message } = assertThrows(() => folder.incomingPath(undefined), Failure);
    assertEquals([code, message], ["no-access", `Cannot use "${incoming}": it is ${what}, not a folder`]);
  }
  await Deno.remove(incoming);
  assertEquals(folder.incomingPath(undefined), incoming);
  assert((await Deno.lstat(incoming)).isDirectory);
});

Deno.test("openShared() refuses a file that is swapped for a link out of the folder while it is opened", async () => {
  await using temp = await TempFolder.make();
  await temp.file("outside/secret.txt", 10, 1);
  await temp.file("share/real.txt", 10);
  using folder = await Folder.open(temp.at("share"));
  // Another process, so that the swaps fall between any two steps of ours.
  await temp.file("swapping", 0);
  const loop = "while [ -e swapping ]; do ln -s ../outside/secret.txt share/link; mv share/link share/real.txt; " +
    "echo 123456789 > share/fresh; mv share/fresh share/real.txt; done";
  await using swapper = new Deno.Command("sh", { args: ["-c", loop], cwd: temp.path, stderr: "null" }).spawn();
  const secret = await Deno.readFile(temp.at("outside", "secret.txt"));
  let opened = 0;
  let refused = 0;
  for (let attempt = 0; attempt < 2000; attempt++) {
    try {
      using open = folder.openShared("real.txt");
      const bytes = new Uint8Array(10);
      await open.file.read(bytes);
      assert(bytes.some((byte, index) => byte !== secret[index]), "the secret got out");
      opened += 1;
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      assertEquals(thrown.code, "not-shared");
      refused += 1;
    }
  }
  await Deno.remove(temp.at("swapping"));
  await swapper.status;
  assert(opened > 0 && refused > 0, `opened ${opened} times, refused ${refused} times`);
});

Deno.test("an open file knows when its path leads to something else", async () => {
  await using temp = await TempFolder.make();
  await temp.file("a.txt", 10);
  using folder = await Folder.open(temp.path);
  using open = folder.openShared("a.txt");
  assert(open.isUnchanged());
  await Deno.truncate(temp.at("a.txt"), 5);
  assert(!open.isUnchanged());
  await Deno.remove(temp.at("a.txt"));
  assert(!open.isUnchanged());
});
