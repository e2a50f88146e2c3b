/**
 * Peers with a disk that is full from the n-th write on, for every n: no peer ends, one sentence
 * names the disk, everything that needs no disk works, and the rest continues when there is room.
 * Real sockets, real TLS, real folders, one process.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import { Identity } from "../../../../lib/net/identity.ts";
import type { PeerOptions } from "../../../../lib/peer/peer.ts";
import type { StartedTransfer } from "../../../../lib/peer/get/transfers.ts";
import { describeEvent } from "../../../../lib/shell/screen/events.ts";
import { State } from "../../../../lib/store/state/state.ts";
import { FaultyDisk } from "../../../support/faulty_disk.ts";
import { Room, type RoomPeer } from "../../../support/room.ts";
import { sameFiles, type TempFolder } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

/** How many disks are tried at once. Each of them waits most of the time. */
const AT_ONCE = 8;
const EVA = { peer: "eva", id: "id of eva" };
/** Matches a sentence that names a full disk. */
const NAMES_DISK = /disk of ".+" is full|its disk is full|no space left/;

/** One peer on a disk of its own that fills up. */
interface Tried {
  readonly name: string;
  readonly folder: TempFolder;
  readonly rui: RoomPeer;
  /** What ana shares. */
  readonly ana: RoomPeer;
  /** Makes room on the disk. */
  lift(): void;
}

/**
 * Something to do with a peer.
 *
 * @returns A check of the state that the peer must have kept, unless it has reported that it keeps
 * none.
 */
type Work = (tried: Tried) => Promise<(state: State) => void>;

/** Does some work with a peer on a disk that is full from the n-th write on, for every n. */
async function atEveryWrite(options: Partial<PeerOptions>, work: Work): Promise<void> {
  await using room = await Room.open();
  const ana = await room.peer("ana");
  await ana.folder.file("film.bin", 1_200_000);
  await ana.folder.file("album/one.txt", 3_000);
  await ana.folder.file("album/sub/two.txt", 40_000);
  for (const name of ["film.bin", "album/one.txt", "album/sub/two.txt"]) await room.hashed("ana", name);
  const writes = await tryWith(undefined, { room, ana, options, work });
  const left = [...writes.keys()].filter((index) => !isSameFileAround(writes, index)).map((index) => index + 1);
  assert(left.length > 20, `${left.length}`);
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let at = left.shift(); at !== undefined; at = left.shift()) {
      const doing = `full from write ${at} (${writes[at - 1]}) on`;
      await tryWith(at, { room, ana, options, work }).catch((thrown) => {
        throw new Error(doing, { cause: thrown });
      });
    }
  }));
}

/**
 * Whether a write is in the middle of many to the same file: the reserve takes hundreds of writes.
 */
function isSameFileAround(writes: readonly string[], index: number): boolean {
  return writes[index - 2] === writes[index] && writes[index + 2] === writes[index] &&
    writes[index]?.endsWith("reserve") === true;
}

/**
 * Tries one disk.
 *
 * @returns The names of all files that were written, in order.
 */
async function tryWith(
  at: number | undefined,
  { room, ana, options, work }: { room: Room; ana: RoomPeer; options: Partial<PeerOptions>; work: Work },
): Promise<string[]> {
  const name = `rui ${at ?? 0}`;
  const folder = await room.folder();
  await folder.file("own.bin", 5_000);
  await Deno.mkdir(folder.at(".recess"));
  const identity = await Identity.make();
  await Deno.writeTextFile(folder.at(".recess", "identity.pem"), identity.toPem(), { mode: 0o600 });
  {
    using state = State.open(folder.at(".recess", "recess.db"));
    state.people.trustPeer(EVA.peer, EVA.id);
    state.people.allow(EVA.id, "download");
    state.talk.putReceived({ ...EVA, number: 1, at: 5, text: "before" }, true);
  }
  using disk = new FaultyDisk(folder.path);
  let isLifted = false;
  disk.isFull = (write) => !isLifted && at !== undefined && write >= at;
  const bugs: unknown[] = [];
  const rui = await room.peer(name, folder, {
    patient: true,
    openDatabase: disk.openDatabase,
    onBug: (thrown) => bugs.push(thrown),
    ...options,
  });
  assertEquals(rui.peer.id, identity.id);
  await eventually("the index can reach it", async () => (await room.index.peer(name))?.port);
  const sentences = (): string[] => rui.events.map(describeEvent).filter((text) => NAMES_DISK.test(text));
  const lift = (): void => {
    const wasFull = at !== undefined && disk.writes.length >= at;
    assertEquals(sentences().length, wasFull ? 1 : 0, JSON.stringify(rui.events.map(describeEvent)));
    isLifted = true;
  };
  const isRemembered = await work({ name, folder, rui, ana, lift });
  const has = (event: string): boolean => rui.events.some((each) => each.event === event);
  await eventually("the state is written", () => !has("state-unwritten") || has("state-written"));
  assertEquals(sentences().length, at === undefined || sentences().length === 0 ? 0 : 1);
  await rui.peer[Symbol.asyncDispose]();
  assertEquals(bugs, []);
  assertEquals(Array.from(Deno.readDirSync(folder.at(".recess", "incoming")), (each) => each.name), []);
  const { size } = await Deno.stat(folder.at("own.bin"));
  assertEquals(size, 5_000);
  using state = State.open(folder.at(".recess", "recess.db"));
  assertEquals([state.people.knownPeer("eva"), state.people.isAllowed(EVA.id, "download")], [EVA.id, true]);
  assert(state.talk.history({ limit: 100 }).some(({ text }) => text === "before"));
  if (!has("state-not-kept")) isRemembered(state);
  return disk.writes;
}

/** Checks everything that needs no disk: searching, streaming, and serving downloads. */
async function assertWorks({ name, rui, ana }: Tried): Promise<void> {
  const { rows } = await rui.peer.directory.search("film", { exact: false, limit: 10, offset: 0 });
  assertEquals(rows.map((row) => row.name), ["film.bin"]);
  assertEquals(await streamed(rui, "album/one.txt", "ana"), await Deno.readFile(ana.folder.at("album/one.txt")));
  assertEquals((await streamed(ana, "own.bin", name)).length, 5_000);
}

/** Downloads a file into memory. */
async function streamed({ peer }: RoomPeer, name: string, from: string): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const write = (bytes: Uint8Array): Promise<number> => {
    chunks.push(new Uint8Array(bytes));
    return Promise.resolve(bytes.length);
  };
  const wanted = await peer.directory.resolve(name, { from });
  await peer.transfers.start(wanted, { kind: "stream", stream: { write } }).result;
  return await new Blob(chunks).bytes();
}

/** The result of something that a full disk may prevent; undefined when it did. */
async function unlessFull<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (thrown) {
    assert(thrown instanceof Failure, String(thrown));
    assertEquals(thrown.code, "disk-full", thrown.message);
    return undefined;
  }
}

function texts(state: State): string[] {
  return state.talk.history({ limit: 100 }).map(({ text }) => text);
}

Deno.test("a peer survives a full disk at any write, and continues when there is room", async () => {
  await atEveryWrite({}, async (tried) => {
    const { name, folder, rui, ana, lift } = tried;
    const start = async (what: string): Promise<StartedTransfer> => {
      return rui.peer.transfers.start(await rui.peer.directory.resolve(what, { from: "ana" }), { kind: "folder" });
    };
    const started = [await start("film.bin"), await start("album/")];
    // There is no inbox, so a put is refused, whether the disk is full or not.
    const put = await ana.peer.puts.start("film.bin", name).result.catch((thrown) => thrown);
    assertEquals(put instanceof Failure && put.code, "refused");
    const told = await unlessFull(rui.peer.outbox.tell("ana", `from ${name}`));
    const heard = await ana.peer.outbox.tell(name, `to ${name}`);
    for (const { transfer } of started) {
      await eventually("it is done or waits for room", () => {
        const { state, failure } = transfer.view();
        return state === "done" || failure?.code === "disk-full";
      });
    }
    await assertWorks(tried);
    lift();
    for (const { result } of started) assertEquals((await result).failed, []);
    for (const each of ["film.bin", "album/one.txt", "album/sub/two.txt"]) {
      assert(await sameFiles(folder.at(each), ana.folder.at(each)), each);
    }
    await rui.peer.outbox.tell("ana", `again from ${name}`);
    return (state) => {
      const kept = texts(state);
      assert(kept.includes(`again from ${name}`));
      assert(told === undefined || kept.includes(`from ${name}`));
      assert(heard.waitsFor !== undefined || kept.includes(`to ${name}`));
      assertEquals(state.transfers(), []);
    };
  });
});

Deno.test("an inbox survives a full disk at any write, and accepts the same files when there is room", async () => {
  await atEveryWrite({ inbox: { share: false, quota: 1e9 } }, async (tried) => {
    const { name, folder, rui, ana, lift } = tried;
    const put = async (what: string): Promise<string> => (await ana.peer.puts.start(what, name).result).path;
    const names = ["film.bin", "album/one.txt"];
    const stored: (string | undefined)[] = [];
    for (const each of names) stored.push(await unlessFull(put(each)));
    await assertWorks(tried);
    lift();
    for (const [index, each] of names.entries()) {
      const path = await put(each);
      assert(stored[index] === undefined || stored[index] === path);
      assert(await sameFiles(folder.at(path), ana.folder.at(each)), each);
    }
    assertEquals(rui.events.filter(({ event }) => event === "received").length, 2);
    return (state) => assertEquals(state.receivedFiles().filter(({ modified }) => modified !== undefined).length, 2);
  });
});
