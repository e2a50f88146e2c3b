import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Address, formatAddress } from "../../../../lib/core/address.ts";
import { type Clock, systemClock } from "../../../../lib/core/flow/clock.ts";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import type { IndexedPeer, SearchIndex } from "../../../../lib/index/search_index.ts";
import { RoomKey } from "../../../../lib/net/room_key.ts";
import type { PeerOptions } from "../../../../lib/peer/peer.ts";
import { IndexServer } from "../../../../lib/server/index_server.ts";
import { Room, type RoomPeer } from "../../../support/room.ts";
import { seededRandom } from "../../../support/seeded_random.ts";
import { sameFiles } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

/**
 * A clock with waits of a tenth of the time, for tests that are not about the length of waits.
 */
const HASTY: Clock = { now: () => systemClock.now(), delay: (ms, signal) => systemClock.delay(ms / 10, signal) };

/** Another server of a room's index, besides the room's own. */
function anotherServer(room: Room, index: SearchIndex = room.index): Promise<IndexServer> {
  return IndexServer.listen({ host: "127.0.0.1", port: 0 }, { index, journal: () => {} });
}

/** An index with methods that do something else while `isSo` returns true. */
function spoilt(
  index: SearchIndex,
  methods: readonly (keyof SearchIndex)[],
  instead: (argument: never) => Promise<void>,
  isSo: () => boolean,
): SearchIndex {
  return new Proxy(index, {
    get(target, name) {
      if (isSo() && methods.some((method) => method === name)) return instead;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function busy(): Promise<void> {
  return Promise.reject(new Failure("busy", "Cannot join: the index has lost its Redis"));
}

function told({ events }: RoomPeer): string[] {
  return events.map((event) => event.event);
}

Deno.test("peers spread over several indexes, and move to another when theirs is lost", async () => {
  await using room = await Room.open();
  await using second = await anotherServer(room);
  await using third = await anotherServer(room);
  const random = seededRandom(11);
  const options: Partial<PeerOptions> = {
    indexes: [room.address, second.address, third.address],
    clock: HASTY,
    random,
  };
  const shared = await room.folder();
  await shared.file("film.bin", 300 * PIECE_BYTES);
  const peers: RoomPeer[] = [await room.peer("ana", shared, options)];
  for (let number = 1; number < 8; number++) {
    peers.push(await room.peer(`peer ${number}`, undefined, options));
  }
  const at = (address: Address): RoomPeer[] => {
    return peers.filter(({ peer }) => peer.index !== undefined && formatAddress(peer.index) === formatAddress(address));
  };
  for (const address of [room.address, second.address, third.address]) assert(at(address).length > 0);
  const [ana] = peers;
  assert(ana?.peer.index !== undefined);
  await room.hashed("ana", "film.bin");
  const lost = [second, third].find((server) =>
    formatAddress(server.address) === formatAddress(ana.peer.index ?? room.address)
  );
  const dying = lost ?? second;
  const without = at(dying.address);
  const rui = await room.peer("rui", undefined, { ...options, indexes: [dying.address, room.address] });
  const wanted = await rui.peer.directory.resolve("film.bin");
  const { transfer, result } = rui.peer.transfers.start(wanted, { kind: "folder" });
  await eventually("it runs", () => transfer.view().done > 0);
  await dying[Symbol.asyncDispose]();
  await eventually("all are at another", () => at(dying.address).length === 0);
  await eventually("all is listed again", async () => {
    const { peers: known, files } = await room.index.counts();
    return known === 9 && files >= 1;
  });
  for (const each of without) {
    await eventually("it says so", () => told(each).includes("index-back"));
    assertEquals(told(each), ["index-lost", "index-back"]);
    assertEquals((await room.index.peer(each.peer.name))?.files, each === ana ? 1 : 0);
  }
  for (const each of peers.filter((peer) => !without.includes(peer))) assertEquals(told(each), []);
  assertEquals((await result).size, 300 * PIECE_BYTES);
  assert(await sameFiles(shared.at("film.bin"), rui.folder.at("film.bin")));
});

Deno.test("a peer that comes back keeps asking for its own name, and then accepts another", async () => {
  await using room = await Room.open();
  let killed = false;
  // What other servers see after one was killed: its entries stay until they expire.
  const second = await anotherServer(room, spoilt(room.index, ["leave"], () => Promise.resolve(), () => killed));
  const tried: string[] = [];
  const join = async (peer: IndexedPeer): Promise<void> => {
    tried.push(peer.name);
    await room.index.join(peer);
  };
  await using third = await anotherServer(room, spoilt(room.index, ["join"], join, () => true));
  const options: Partial<PeerOptions> = { indexes: [second.address, third.address], random: () => 0 };
  const ana = await room.peer("ana", undefined, options);
  const made = await room.peer(undefined, undefined, options);
  const { name } = made.peer;
  killed = true;
  await second[Symbol.asyncDispose]();
  await eventually("it was refused more than once", () => tried.filter((each) => each === "ana").length > 1);
  await room.index.leave("ana");
  await eventually("it is back", () => told(ana).includes("index-back"));
  assertEquals([ana.peer.name, told(ana)], ["ana", ["index-lost", "index-back"]]);
  await eventually("the other gave way", () => told(made).includes("index-back"));
  assertEquals([made.peer.name, told(made)], [`${name}-2`, ["index-lost", "renamed", "index-back"]]);
});

Deno.test("a joined peer retries silently while the index cannot accept it, and keeps its changes", async () => {
  await using room = await Room.open();
  let away = false;
  await using server = await anotherServer(room, spoilt(room.index, ["join", "update"], busy, () => away));
  const ana = await room.peer("ana", undefined, { indexes: [server.address], clock: HASTY });
  away = true;
  await ana.folder.file("new.txt", 10);
  await eventually("it was hashed", () => ana.peer.files().some(({ hashed }) => hashed === 1));
  assertEquals((await room.index.counts()).files, 0);
  away = false;
  await room.hashed("ana", "new.txt");
  assertEquals(told(ana), [], "the connection was kept");
  away = true;
  const { address } = server;
  await server[Symbol.asyncDispose]();
  let refusals = 0;
  const refusing = spoilt(room.index, ["join"], () => (refusals += 1, busy()), () => away);
  await using _again = await IndexServer.listen(address, { index: refusing, journal: () => {} });
  await eventually("it was refused more than once", () => refusals > 2);
  away = false;
  await eventually("it is back", () => told(ana).includes("index-back"));
  await room.hashed("ana", "new.txt");
  assertEquals(told(ana), ["index-lost", "index-back"]);
});

Deno.test("a peer skips an index with another room key, and reports it when there is no other index", async () => {
  await using room = await Room.open();
  const [ours, others] = await Promise.all(["1", "2"].map((digit) => RoomKey.parse(digit.repeat(32)).room()));
  assert(ours !== undefined && others !== undefined);
  const parts = { index: room.index, journal: () => {} };
  await using wrong = await IndexServer.listen({ host: "127.0.0.1", port: 0 }, { ...parts, room: others });
  await using right = await IndexServer.listen({ host: "127.0.0.1", port: 0 }, { ...parts, room: ours });
  const options: Partial<PeerOptions> = { room: ours, random: () => 0 };
  const ana = await room.peer("ana", undefined, { ...options, indexes: [wrong.address, right.address] });
  assertEquals(ana.peer.index, right.address);
  const nobody = { host: "127.0.0.1", port: 1 };
  const failure = await assertRejects(
    () => room.peer("rui", undefined, { ...options, indexes: [wrong.address, nobody] }),
    Failure,
  );
  assertEquals(failure.code, "no-member");
});
