/**
 * A shared folder that is removed, or replaced by another one, while its peer runs.
 * @module
 */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { cp } from "node:fs/promises";
import { describeEvent } from "../../../../lib/shell/screen/events.ts";
import { Room, type RoomPeer } from "../../../support/room.ts";
import { OPEN } from "../../../support/senders.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { TempFolder } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

/** What a peer has reported about its folder, in order. */
function fates({ events }: RoomPeer): string[] {
  return events.map(({ event }) => event).filter((event) => event.startsWith("folder-"));
}

/** Removes a folder, into which its peer may write at the same time. */
async function removeFolder(path: string): Promise<void> {
  await eventually("it is removed", async () => {
    await Deno.remove(path, { recursive: true }).catch(() => {});
    return !await exists(path);
  });
}

function exists(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}

/** Ways in which a folder goes and another one comes to its path, and what is reported. */
const DEEDS: Record<string, { act: (path: string, gone: () => Promise<void>) => Promise<void>; reported: string[] }> = {
  "removed and made again": {
    async act(path, gone) {
      await removeFolder(path);
      await gone();
      await Deno.mkdir(path);
    },
    reported: ["folder-gone", "folder-new"],
  },
  "replaced by another one": {
    async act(path) {
      await Deno.mkdir(`${path}.other`);
      await removeFolder(path);
      await Deno.rename(`${path}.other`, path);
    },
    reported: ["folder-new"],
  },
  "moved away and made again": {
    async act(path, gone) {
      await Deno.rename(path, `${path}.moved`);
      await gone();
      await Deno.mkdir(path);
    },
    reported: ["folder-gone", "folder-new"],
  },
};

for (const [what, { act, reported }] of Object.entries(DEEDS)) {
  Deno.test(`a peer whose folder is ${what} while it runs shares the new folder and follows it`, async () => {
    await using temp = await TempFolder.make();
    await using room = await Room.open();
    await temp.file("shared/old.bin", 1_000);
    const ana = await room.peer("ana", undefined, { folder: temp.at("shared") });
    await room.hashed("ana", "old.bin");
    const lists = async (name: string): Promise<boolean> => (await room.index.copy("ana", name)) !== undefined;
    const gone = async (): Promise<void> => {
      await eventually("it is reported", () => fates(ana).includes("folder-gone"));
      await eventually("old.bin is not listed any more", async () => !await lists("old.bin"));
    };
    await act(temp.at("shared"), gone);
    await eventually("the new folder is reported", () => fates(ana).includes("folder-new"));
    await temp.file("shared/new.bin", 2_000);
    await room.hashed("ana", "new.bin");
    await temp.file("shared/sub/later.bin", 3_000);
    await room.hashed("ana", "sub/later.bin");
    await eventually("old.bin is not listed any more", async () => !await lists("old.bin"));
    assertEquals(fates(ana), reported);
    const said = ana.events.filter((each) => reported.includes(each.event)).map(describeEvent);
    for (const sentence of said) assertMatch(sentence, new RegExp(`"${temp.at("shared")}"`));
    await eventually("its state is there again", async () => {
      const names = await Array.fromAsync(Deno.readDir(temp.at("shared/.recess")), ({ name }) => name);
      return ["identity.pem", "lock", "recess.db"].every((name) => names.includes(name));
    });
  });
}

Deno.test("a peer whose folder is replaced by a link while it runs lists and writes nothing there", async () => {
  await using temp = await TempFolder.make();
  await using room = await Room.open();
  const [shared, away, secret] = [temp.at("shared"), temp.at("shared.away"), temp.at("private")];
  await temp.file("shared/old.bin", 1_000);
  await temp.file("private/deep/diary.txt", 100);
  const ana = await room.peer("ana", undefined, { folder: shared, inbox: OPEN });
  const bob = await room.peer("bob");
  await room.hashed("ana", "old.bin");
  await bob.folder.file("work.bin", 3_000_000);
  await Deno.rename(shared, away);
  await Deno.symlink(secret, shared);
  await eventually("it is reported", () => fates(ana).includes("folder-gone"));
  const isGone = async (): Promise<boolean> => (await room.index.copy("ana", "old.bin")) === undefined;
  await eventually("old.bin is not listed any more", isGone);
  assertEquals(await room.index.copy("ana", "deep/diary.txt"), undefined);
  await ana.peer.blocking.block("bob");
  await ana.peer.blocking.unblock("bob");
  await assertRejects(() => bob.peer.puts.start(bob.folder.at("work.bin"), "ana").result, Failure);
  assertEquals(await Array.fromAsync(Deno.readDir(secret), ({ name }) => name), ["deep"]);
  await Deno.remove(shared);
  await Deno.rename(away, shared);
  await room.hashed("ana", "old.bin");
  await bob.peer.puts.start(bob.folder.at("work.bin"), "ana").result;
  assertEquals(await Array.fromAsync(Deno.readDir(temp.at("shared/inbox/bob")), ({ name }) => name), ["work.bin"]);
  assertEquals(await Array.fromAsync(Deno.readDir(secret), ({ name }) => name), ["deep"]);
});

/** The names in the state of a shared folder. */
function stateNames(folder: string): string[] {
  return Array.from(Deno.readDirSync(`${folder}/.recess`), ({ name }) => name).sort();
}

Deno.test("a peer shares and changes nothing in the folder of another peer that replaces its own", async () => {
  await using temp = await TempFolder.make();
  await using room = await Room.open();
  const [shared, away, other] = [temp.at("shared"), temp.at("shared.away"), temp.at("other")];
  await temp.file("shared/old.bin", 1_000);
  await temp.file("other/theirs.bin", 2_000);
  const eva = await room.peer("eva", undefined, { folder: other });
  await eva.peer[Symbol.asyncDispose]();
  const before = stateNames(other);
  const key = await Deno.readTextFile(`${other}/.recess/identity.pem`);
  const ana = await room.peer("ana", undefined, { folder: shared });
  await room.peer("bob");
  await room.hashed("ana", "old.bin");
  await Deno.rename(shared, away);
  await Deno.rename(other, shared);
  await eventually("it is reported", () => fates(ana).includes("folder-foreign"));
  const isGone = async (): Promise<boolean> => (await room.index.copy("ana", "old.bin")) === undefined;
  await eventually("old.bin is not listed any more", isGone);
  await ana.peer.blocking.block("bob");
  assertEquals(await room.index.copy("ana", "theirs.bin"), undefined);
  assertEquals([stateNames(shared), await Deno.readTextFile(`${shared}/.recess/identity.pem`)], [before, key]);
  const again = await room.peer("eva", undefined, { folder: shared });
  await room.hashed("eva", "theirs.bin");
  await again.peer[Symbol.asyncDispose]();
  await Deno.rename(shared, other);
  await Deno.rename(away, shared);
  await room.hashed("ana", "old.bin");
  assertEquals(fates(ana).at(-1), "folder-new");
  await eventually("everything is saved", () => ana.events.some(({ event }) => event === "state-written"));
});

Deno.test("a peer locks a backup that replaces its folder, and moves the database of the backup away", async () => {
  await using temp = await TempFolder.make();
  await using room = await Room.open();
  const [shared, backup] = [temp.at("shared"), temp.at("backup")];
  await temp.file("shared/old.bin", 1_000);
  const first = await room.peer("ana", undefined, { folder: shared });
  await room.hashed("ana", "old.bin");
  await first.peer[Symbol.asyncDispose]();
  await cp(shared, backup, { recursive: true });
  await temp.file("backup/back.bin", 2_000);
  const key = await Deno.readTextFile(`${backup}/.recess/identity.pem`);
  const ana = await room.peer("ana", undefined, { folder: shared });
  await room.peer("bob");
  await room.hashed("ana", "old.bin");
  await Deno.rename(shared, temp.at("away"));
  await Deno.rename(backup, shared);
  await room.hashed("ana", "back.bin");
  assertEquals(fates(ana).at(-1), "folder-new");
  await assertRejects(() => room.peer("eva", undefined, { folder: shared }), Failure, "another peer is running on it");
  await ana.peer.blocking.block("bob");
  const databases = stateNames(shared).filter((name) => /^recess\.db(\.[a-z]+-[^.]+(?<!-wal))?$/.test(name));
  assertEquals(databases.map((name) => name.replace(/-.*/, "")), ["recess.db", "recess.db.other"]);
  assertEquals(await Deno.readTextFile(`${shared}/.recess/identity.pem`), key);
  const said = ana.events.filter(({ event }) => event === "state-replaced").map(describeEvent);
  assertMatch(said.join(), /replaced "\S+recess\.db" .* and what was there is now "\S+recess\.db\.other-\S+"$/);
});
