import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DIGEST_BYTES, digestOf, PIECE_BYTES, rootOf } from "../../../../lib/core/content.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { Folder } from "../../../../lib/store/files/folder.ts";
import { Share } from "../../../../lib/store/share/share.ts";
import { State } from "../../../../lib/store/state/state.ts";
import { TempFolder } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

/** A share on a folder, with the names it said have changed. */
async function openShare(temp: TempFolder, options: { follows?: boolean } = {}) {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await Folder.open(temp.path));
  const state = stack.use(State.open(folder.statePath("recess.db")));
  const share = stack.use(await Share.open(folder, state, options));
  const changed: string[] = [];
  return {
    share,
    changed,
    start: () => share.start((names) => changed.push(...names)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function rootOfFile(path: string): Promise<string> {
  const bytes = await Deno.readFile(path);
  const digests: number[] = [];
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    digests.push(...digestOf(bytes.subarray(start, start + PIECE_BYTES)));
  }
  return rootOf(bytes.length, new Uint8Array(digests));
}

const SIZES = [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES + 7];

Deno.test("Share lists files at once, and hashes them in the background, also at the edges of pieces", async () => {
  await using temp = await TempFolder.make();
  for (const size of SIZES) await temp.file(`${size}.bin`, size);
  await using opened = await openShare(temp);
  const { share, changed } = opened;
  assertEquals(share.files.size, SIZES.length);
  assert(Array.from(share.files.all()).every((file) => file.root === undefined));
  opened.start();
  for (const size of SIZES) {
    const name = `${size}.bin`;
    const root = await eventually(`${name} is hashed`, () => share.files.get(name)?.root);
    assertEquals(root, await rootOfFile(temp.at(name)), name);
    assertEquals(share.files.byRoot(root)?.name, name);
    const { digests } = await share.pieces({ ...await present(share, name), root }, 0);
    assertEquals([digests.length, rootOf(size, digests)], [Math.ceil(size / PIECE_BYTES) * DIGEST_BYTES, root]);
  }
  assertEquals([...changed].sort(), SIZES.map((size) => `${size}.bin`).sort());
});

function present(share: Share, name: string) {
  return eventually(`${name} is shared`, () => share.files.get(name));
}

Deno.test("Share knows its roots again after a restart, without hashing, unless the file changed", async () => {
  await using temp = await TempFolder.make();
  await temp.file("same.bin", 3_000_000);
  await temp.file("other.bin", 2_000_000);
  {
    await using first = await openShare(temp);
    first.start();
    await eventually(
      "both are hashed",
      () => Array.from(first.share.files.all()).every((file) => file.root !== undefined),
    );
  }
  await temp.file("other.bin", 2_000_000, 99);
  await Deno.utime(temp.at("other.bin"), 1000, 1000);
  await using second = await openShare(temp);
  assertEquals(second.share.files.get("same.bin")?.root, await rootOfFile(temp.at("same.bin")));
  assertEquals(second.share.files.get("other.bin")?.root, undefined);
});

Deno.test("Share follows files that come, change, move and go", async () => {
  await using temp = await TempFolder.make();
  await temp.file("stays.txt", 10);
  await temp.file("goes.txt", 10);
  await using opened = await openShare(temp);
  const { share, changed } = opened;
  opened.start();
  await eventually("the first are hashed", () => changed.length >= 2);
  await temp.file("sub/new.txt", 20);
  await temp.file("many/a.txt", 1);
  await temp.file("many/b.txt", 1);
  await Deno.remove(temp.at("goes.txt"));
  await eventually("new is listed", () => share.files.get("sub/new.txt"));
  await eventually("gone is gone", () => share.files.get("goes.txt") === undefined);
  await eventually("many are listed", () => share.files.get("many/b.txt"));
  await Deno.rename(temp.at("many"), temp.at("moved"));
  await eventually("the old folder is gone", () => share.files.get("many/a.txt") === undefined);
  await eventually("the new folder is listed", () => share.files.get("moved/a.txt"));
  const before = await eventually("it has a root", () => share.files.get("sub/new.txt")?.root);
  await temp.file("sub/new.txt", 30);
  await eventually("it has another root", () => {
    const root = share.files.get("sub/new.txt")?.root;
    return root !== undefined && root !== before;
  });
  assertEquals(share.files.byRoot(before), undefined);
  assert(changed.includes("goes.txt") && changed.includes("sub/new.txt") && changed.includes("moved/b.txt"));
});

Deno.test("Share that does not follow its folder lists what was there, and notices nothing at once", async () => {
  await using followed = await TempFolder.make();
  await using other = await TempFolder.make();
  await other.file("old.bin", 10);
  await using following = await openShare(followed);
  await using opened = await openShare(other, { follows: false });
  following.start();
  opened.start();
  for (const temp of [other, followed]) await temp.file("new.bin", 10);
  await eventually("the one that follows notices it", () => following.share.files.get("new.bin")?.root);
  await eventually("the old file is hashed", () => opened.share.files.get("old.bin")?.root);
  assertEquals(Array.from(opened.share.files.all(), ({ name }) => name), ["old.bin"]);
});

Deno.test("adopt() takes the root of a file that is as it was written, and hashes one that is not", async () => {
  await using temp = await TempFolder.make();
  await using opened = await openShare(temp, { follows: false });
  opened.start();
  const { share } = opened;
  for (const name of ["same.bin", "edited.bin"]) {
    await temp.file(name, 10);
    const { size, mtime } = await Deno.stat(temp.at(name));
    const written = { name, size, modified: mtime?.getTime() ?? 0, root: await rootOfFile(temp.at(name)) };
    if (name === "edited.bin") {
      await Deno.writeTextFile(temp.at(name), "0123456789");
      await Deno.utime(temp.at(name), 1, 1);
    }
    share.adopt(written, digestOf(new Uint8Array(10)));
    if (name === "same.bin") assertEquals(share.files.get(name)?.root, written.root);
    else assertEquals(share.files.get(name)?.root, undefined);
  }
  const root = await eventually("it is hashed", () => share.files.get("edited.bin")?.root);
  assertEquals(root, await rootOfFile(temp.at("edited.bin")));
  share.adopt({ name: "gone.bin", size: 1, modified: 1, root }, digestOf(new Uint8Array(1)));
  assertEquals(share.files.get("gone.bin"), undefined);
});

Deno.test("Share lists a file that is being written only when it rests", async () => {
  await using temp = await TempFolder.make();
  await using opened = await openShare(temp);
  const { share, changed } = opened;
  opened.start();
  using file = await Deno.open(temp.at("growing.bin"), { create: true, write: true });
  for (let round = 0; round < 8; round++) {
    await file.write(new Uint8Array(1000));
    await new Promise((resolve) => setTimeout(resolve, 200));
    assertEquals(share.files.get("growing.bin"), undefined);
  }
  const found = await eventually("it is listed", () => share.files.get("growing.bin"));
  assertEquals(found.size, 8000);
  await eventually("it is hashed", () => changed.length === 2);
});

Deno.test("pieces() hashes a file that is asked for before all others, and gives digests as they come", async () => {
  await using temp = await TempFolder.make();
  for (let number = 0; number < 6; number++) await temp.file(`background ${number}.bin`, 40 * PIECE_BYTES);
  await temp.file("wanted.bin", 60 * PIECE_BYTES);
  await using opened = await openShare(temp);
  const { share } = opened;
  opened.start();
  const file = await present(share, "wanted.bin");
  const sizes: number[] = [];
  let known = 0;
  let root: string | undefined;
  while (root === undefined) {
    const pieces = await share.pieces(file, known);
    known += pieces.digests.length / DIGEST_BYTES;
    root = pieces.file.root;
    sizes.push(known);
  }
  const waiting = Array.from(share.files.all()).filter((each) => each.root === undefined);
  assertEquals(known, 60);
  assert(sizes.length > 2, `came in ${sizes.length} parts`);
  assertEquals(root, await rootOfFile(temp.at("wanted.bin")));
  assert(waiting.length >= 3, `only ${waiting.length} others were still waiting`);
});

Deno.test("open() refuses a file that is no longer what is listed", async () => {
  await using temp = await TempFolder.make();
  await temp.file("a.bin", 1000);
  await using opened = await openShare(temp);
  const file = await present(opened.share, "a.bin");
  opened.share.open(file)[Symbol.dispose]();
  await temp.file("a.bin", 1001);
  assertEquals((assertThrows(() => opened.share.open(file), Failure)).code, "file-changed");
  await Deno.remove(temp.at("a.bin"));
  assertEquals((assertThrows(() => opened.share.open(file), Failure)).code, "not-shared");
});

Deno.test("Share survives a file that is removed before hashing, and sees one added before watching", async () => {
  await using temp = await TempFolder.make();
  await temp.file("a.bin", 1000);
  await using opened = await openShare(temp);
  await Deno.remove(temp.at("a.bin"));
  await temp.file("b.bin", 1000);
  const file = { name: "a.bin", size: 1000, modified: 1 };
  opened.start();
  assertEquals((await assertRejects(() => opened.share.pieces(file, 0), Failure)).code, "not-shared");
  await eventually("the other file is hashed", () => opened.share.files.get("b.bin")?.root);
});

Deno.test("Share notices changes of the exec bit without hashing the file again", async () => {
  await using temp = await TempFolder.make();
  await temp.file("tool", 10);
  await using opened = await openShare(temp);
  const { share } = opened;
  opened.start();
  const root = await eventually("it is hashed", () => share.files.get("tool")?.root);
  for (const executable of [true, false]) {
    await Deno.chmod(temp.at("tool"), executable ? 0o755 : 0o644);
    await eventually(`executable: ${executable}`, () => (share.files.get("tool")?.executable ?? false) === executable);
    assertEquals(share.files.get("tool")?.root, root);
  }
});

Deno.test("doubt() believes a copy that still fits, and hashes again one that does not", async () => {
  await using temp = await TempFolder.make();
  for (const name of ["a.bin", "b.bin"]) await temp.file(name, 2 * PIECE_BYTES + 5, 1);
  let root: string;
  {
    await using first = await openShare(temp);
    first.start();
    root = await eventually("both are hashed", () => {
      const roots = ["a.bin", "b.bin"].map((name) => first.share.files.get(name)?.root);
      return roots[0] !== undefined && roots[0] === roots[1] ? roots[0] : undefined;
    });
  }
  // Not started, so that nothing but the doubt can find it out.
  await using second = await openShare(temp);
  const { share } = second;
  const { mtime } = await Deno.stat(temp.at("a.bin"));
  using file = await Deno.open(temp.at("a.bin"), { write: true });
  await file.seek(2 * PIECE_BYTES, Deno.SeekMode.Start);
  await file.write(new Uint8Array(5));
  await file.utime(mtime ?? 0, mtime ?? 0);
  await share.doubt(root, 0);
  await share.doubt(root, 1_000);
  assertEquals(share.files.copiesOf(root).map(({ name }) => name).sort(), ["a.bin", "b.bin"]);
  await share.doubt(root, 2);
  assertEquals(share.files.copiesOf(root).map(({ name }) => name), ["b.bin"]);
  const now = await eventually("it is hashed again", () => share.files.get("a.bin")?.root);
  assertEquals(now, await rootOfFile(temp.at("a.bin")));
});

Deno.test("Share hashes nothing but what is asked for while another peer downloads", async () => {
  await using temp = await TempFolder.make();
  for (const name of ["asked.bin", "other.bin"]) await temp.file(name, 2 * PIECE_BYTES);
  await using opened = await openShare(temp);
  const { share, start } = opened;
  {
    using _serving = share.serve();
    start();
    const { digests } = await share.pieces(await present(share, "asked.bin"), 0);
    assert(digests.length > 0);
    await eventually("what is asked for is hashed", () => share.files.get("asked.bin")?.root);
    assertEquals(share.files.get("other.bin")?.root, undefined);
    assertEquals(share.hashedPart(await present(share, "other.bin")) ?? 0, 0);
  }
  await eventually("the other file is hashed afterwards", () => share.files.get("other.bin")?.root);
});
