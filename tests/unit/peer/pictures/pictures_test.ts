import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Address } from "../../../../lib/core/address.ts";
import { type Clock, systemClock } from "../../../../lib/core/flow/clock.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { SHOW_BYTES_MAX } from "../../../../lib/core/limits.ts";
import { ask, greet } from "../../../../lib/net/caller.ts";
import { dial } from "../../../../lib/net/dial.ts";
import { Identity, identityOf } from "../../../../lib/net/identity.ts";
import type { PeerOptions } from "../../../../lib/peer/peer.ts";
import { DatagramCodec } from "../../../../lib/protocol/datagram.ts";
import type { DataOf } from "../../../../lib/protocol/message.ts";
import { Show, Shown } from "../../../../lib/protocol/show.ts";
import { sendPicture } from "../../../../lib/pictures/send_picture.ts";
import { imageAround, imageBytes, imageFile } from "../../../support/images.ts";
import { Room, type RoomPeer } from "../../../support/room.ts";
import { tree } from "../../../support/senders.ts";
import { sameFiles, type TempFolder } from "../../../support/temp.ts";
import { type BadNetwork, UdpRelay } from "../../../support/udp_relay.ts";
import { eventually } from "../../../support/wait.ts";

const PHOTO_BYTES = 5_000_000;
/** An inbox, in which pictures are stored. */
const INBOX = { share: false, quota: 200_000_000 };

/** Two peers: Ana shows pictures to Rui, through a bad network if there is one. */
interface Pair extends AsyncDisposable {
  readonly room: Room;
  readonly ana: RoomPeer;
  readonly rui: RoomPeer;
  readonly pictures: TempFolder;
}

async function pair(
  options: { relay?: UdpRelay; both?: Partial<PeerOptions>; rui?: Partial<PeerOptions> } = {},
): Promise<Pair> {
  const { relay, both = {}, rui = {} } = options;
  const room = await Room.open();
  return {
    room,
    ana: await room.peer("ana", undefined, { inbox: INBOX, ...both, routeDatagrams: relay?.route }),
    rui: await room.peer("rui", undefined, { inbox: INBOX, ...both, ...rui }),
    pictures: await room.folder(),
    [Symbol.asyncDispose]: () => room[Symbol.asyncDispose](),
  };
}

async function arrivesThrough(network: BadNetwork, both: Partial<PeerOptions> = {}): Promise<UdpRelay> {
  await using relay = await UdpRelay.open(network);
  await using all = await pair({ relay, both });
  const { ana, rui, pictures } = all;
  const photo = await imageFile(pictures, "Sala 3.jpg", "jpeg", PHOTO_BYTES);
  const shown = await ana.peer.pictures.show("rui", photo);
  assertEquals([shown.name, shown.size], ["Sala 3.jpg", PHOTO_BYTES]);
  assert(shown.sent >= shown.parts);
  assert(await sameFiles(photo, rui.folder.at("inbox/ana", "Sala 3.jpg")));
  const [event, ...more] = rui.events.filter(({ event }) => event === "picture");
  const { id } = ana.peer;
  const about = { name: "Sala 3.jpg", path: "inbox/ana/Sala 3.jpg", size: PHOTO_BYTES, type: "jpeg" } as const;
  assertEquals([event, more], [{ event: "picture", peer: "ana", id, key: "new", ...about }, []]);
  return relay;
}

Deno.test("a photo arrives through 10 % loss, 2 % duplicates, 10 % re-ordering and 20 ms of delay", async () => {
  const relay = await arrivesThrough({ seed: 7, loss: 0.1, duplicates: 0.02, late: 0.1, delayMs: 20 });
  assert(relay.dropped > relay.seen / 20, `${relay.dropped} of ${relay.seen} were dropped`);
});

Deno.test("a photo arrives through 30 % loss", async () => {
  const relay = await arrivesThrough({ seed: 8, loss: 0.3 });
  assert(relay.dropped > relay.seen / 5, `${relay.dropped} of ${relay.seen} were dropped`);
});

Deno.test("a photo also arrives between peers without encryption", async () => {
  await arrivesThrough({ seed: 9, loss: 0.05 }, { plain: true });
});

Deno.test("a picture cannot be read on the network", async () => {
  await using relay = await UdpRelay.open({ seed: 1 });
  await using all = await pair({ relay });
  const path = all.pictures.at("a.gif");
  await Deno.writeFile(path, imageAround("gif", new TextEncoder().encode("nobody may read this ".repeat(5_000))));
  await all.ana.peer.pictures.show("rui", path);
  const text = relay.recorded.there.map((bytes) => new TextDecoder("latin1").decode(bytes)).join("");
  assert(text.length > 100_000 && !text.includes("nobody"));
  assert(relay.recorded.there.every(({ length }) => length <= 1200));
});

Deno.test("forged, damaged and repeated datagrams change nothing", async () => {
  await using relay = await UdpRelay.open({ seed: 2, loss: 0.02 });
  let meddled = 0;
  relay.onPassing = (bytes, send, way) => {
    const recorded = relay.recorded[way];
    const damaged = new Uint8Array(bytes);
    damaged[meddled % bytes.length] = (damaged[meddled % bytes.length] ?? 0) ^ 1 + meddled % 255;
    send(damaged);
    const old = recorded[meddled % recorded.length];
    if (old !== undefined) send(old);
    // A datagram of the other side is sent back to it.
    const reflected = relay.recorded[way === "there" ? "back" : "there"][0];
    if (meddled % 7 === 0 && reflected !== undefined) send(reflected);
    if (meddled % 11 === 0) send(crypto.getRandomValues(new Uint8Array(meddled % 1400)));
    meddled += 1;
  };
  await using all = await pair({ relay });
  const photo = await imageFile(all.pictures, "a.webp", "webp", 600_000);
  await all.ana.peer.pictures.show("rui", photo);
  assert(meddled > 500);
  assert(await sameFiles(photo, all.rui.folder.at("inbox/ana", "a.webp")));
});

Deno.test("pictures of equal names are numbered, and a name of another type gets the right ending", async () => {
  await using all = await pair();
  const { ana, rui, pictures } = all;
  const shown = [["a.png", "png", 10_000], ["a.png", "png", 10_001], ["run.bat", "gif", 3_000]] as const;
  for (const [name, type, size] of [...shown, ...shown]) {
    await ana.peer.pictures.show("RUI", await imageFile(pictures, name, type, size));
  }
  const paths = rui.events.map((event) => event.event === "picture" ? event.path : event.event);
  const kept = ["inbox/ana/a.png", "inbox/ana/(1) a.png", "inbox/ana/run.bat.gif"];
  assertEquals(paths, [...kept, ...kept], "what is shown again is kept once");
  assertEquals((await tree(rui.folder)).sort(), kept.toSorted());
});

Deno.test("show refuses files that are no image, too large, empty or missing, without asking the peer", async () => {
  await using all = await pair();
  const { ana, rui, pictures } = all;
  await Deno.writeTextFile(pictures.at("notes.png"), "not an image");
  await Deno.writeTextFile(pictures.at("empty.png"), "");
  await imageFile(pictures, "huge.png", "png", 100);
  await Deno.truncate(pictures.at("huge.png"), SHOW_BYTES_MAX + 1);
  const cases: [name: string, peer: string, code: string][] = [
    ["notes.png", "rui", "usage"],
    ["empty.png", "rui", "usage"],
    ["huge.png", "rui", "too-large"],
    ["absent.png", "rui", "not-found"],
    ["", "rui", "not-found"],
  ];
  await imageFile(pictures, "a.png", "png", 100);
  cases.push(["a.png", "nobody", "not-found"]);
  for (const [name, peer, code] of cases) {
    const failure = await assertRejects(() => ana.peer.pictures.show(peer, pictures.at(name)), Failure);
    assertEquals([name, failure.code], [name, code]);
  }
  assertEquals(rui.events, []);
});

Deno.test("a picture waits for the owner's consent", async () => {
  await using all = await pair({ rui: { consent: "ask" } });
  const { ana, rui, pictures } = all;
  const photo = await imageFile(pictures, "a.png", "png", 50_000);
  let asking = 0;
  const showing = ana.peer.pictures.show("rui", photo, { onAsking: () => asking += 1 });
  const [question] = await eventually("a question", () => {
    const questions = rui.peer.consent.questions();
    return questions.length > 0 && questions;
  });
  assertEquals([question?.kind, question?.peer, question?.name, question?.size], ["picture", "ana", "a.png", 50_000]);
  await eventually("ana knows", () => asking > 0);
  rui.peer.consent.refuse(question?.number ?? 0);
  assertEquals((await assertRejects(() => showing, Failure)).code, "refused");
  assertEquals(rui.events.map(({ event }) => event), ["asked", "answered"]);
});

Deno.test("both sides report a picture whose datagrams are all lost", async () => {
  await using relay = await UdpRelay.open({ seed: 3, loss: 1 });
  const hurried: Clock = { now: () => systemClock.now() * 8, delay: (ms, signal) => systemClock.delay(ms / 8, signal) };
  await using all = await pair({ relay, both: { clock: hurried } });
  const photo = await imageFile(all.pictures, "a.png", "png", 50_000);
  const failure = await assertRejects(() => all.ana.peer.pictures.show("rui", photo), Failure);
  assert(["unreachable", "timeout"].includes(failure.code), failure.code);
  const [lost] = await eventually("rui says so", () => all.rui.events.length > 0 && all.rui.events);
  assert(lost?.event === "picture-lost" && lost.peer === "ana" && lost.name === "a.png");
  assertEquals(Array.from(Deno.readDirSync(all.rui.folder.path), ({ name }) => name), [".recess"]);
});

Deno.test("a peer accepts a bounded number of pictures at once, and closes without waiting for them", async () => {
  await using relay = await UdpRelay.open({ seed: 4, loss: 1 });
  await using all = await pair({ relay });
  const photo = await imageFile(all.pictures, "a.png", "png", 50_000);
  const showing = Array.from(
    { length: 3 },
    () => assertRejects(() => all.ana.peer.pictures.show("rui", photo), Failure),
  );
  assertEquals((await Promise.race(showing)).code, "busy");
  const start = performance.now();
  await all.rui.peer[Symbol.asyncDispose]();
  assert(performance.now() - start < 5_000);
  await Promise.all(showing);
});

Deno.test("a picture that makes room for one of another peer fails with that reason", async () => {
  await using room = await Room.open();
  await using relay = await UdpRelay.open({ seed: 5, loss: 1 });
  let accepted = 0;
  const routeDatagrams = (to: Address): Address => {
    accepted += 1;
    return relay.route(to);
  };
  const rui = await room.peer("rui");
  const [ana, eva, leo] = [
    await room.peer("ana", undefined, { routeDatagrams }),
    await room.peer("eva", undefined, { routeDatagrams }),
    await room.peer("leo", undefined, { routeDatagrams }),
  ];
  const photo = await imageFile(await room.folder(), "a.png", "png", 50_000);
  const failing = ({ peer }: RoomPeer): Promise<Failure> => {
    return assertRejects(() => peer.pictures.show("rui", photo), Failure);
  };
  const four = [ana, ana, eva, eva].map(failing);
  await eventually("rui has accepted four pictures", () => accepted === 4);
  const fifth = failing(leo);
  assertMatch((await Promise.race(four)).message, /room for one of another peer/);
  const lost = await eventually("rui reports it", () => rui.events.find(({ event }) => event === "picture-lost"));
  assert(lost.event === "picture-lost");
  assertMatch(lost.why, /room for one of another peer/);
  await rui.peer[Symbol.asyncDispose]();
  await Promise.all([...four, fifth]);
});

Deno.test("two peers can show each other pictures at the same time", async () => {
  await using all = await pair();
  const { ana, rui, pictures } = all;
  const [one, other] = [
    await imageFile(pictures, "one.png", "png", 900_000),
    await imageFile(pictures, "other.gif", "gif", 900_001),
  ];
  await Promise.all([
    ana.peer.pictures.show("rui", one),
    ana.peer.pictures.show("rui", other),
    rui.peer.pictures.show("ana", other),
  ]);
  assert(await sameFiles(one, rui.folder.at("inbox/ana", "one.png")));
  assert(await sameFiles(other, rui.folder.at("inbox/ana", "other.gif")));
  assert(await sameFiles(other, ana.folder.at("inbox/rui", "other.gif")));
});

/** Announces any picture to rui, and sends any bytes. */
async function showRaw(
  { rui, room }: Pair,
  wish: DataOf<typeof Show>,
  bytes: Uint8Array,
): Promise<unknown> {
  const identity = await Identity.make();
  const row = (await room.index.peers({ limit: 9, offset: 0 })).peers.find(({ name }) => name === "rui");
  assert(row !== undefined);
  const called = await identityOf(Uint8Array.fromHex(row.certificate));
  using connection = await dial(rui.peer.address, { identity: called });
  await greet(connection, { name: "mal", identity });
  const { data } = await ask(connection, Show, wish);
  const over = new AbortController();
  const told = ask(connection, Shown, {}).finally(() => over.abort());
  told.catch(() => {});
  await sendPicture(bytes, {
    to: { host: "127.0.0.1", port: data.port },
    from: "127.0.0.1",
    codec: new DatagramCodec(Uint8Array.fromHex(data.token), Uint8Array.fromHex(data.key)),
    clock: systemClock,
    signal: over.signal,
  });
  return await told;
}

Deno.test("a peer stores no picture that differs from the announced one or has a path as its name", async () => {
  await using all = await pair();
  const { rui } = all;
  const png = imageBytes("png", 5_000);
  const other = imageBytes("png", 5_000, 1);
  const html = new TextEncoder().encode("<html>".padEnd(5_000));
  const wish = { name: "a.png", size: 5_000, type: "png" } as const;
  const cases: [name: string, announced: Uint8Array<ArrayBuffer>, sent: Uint8Array, code: string][] = [
    ["a.png", png, other, "corrupt"],
    ["a.png", html, html, "corrupt"],
    ["..", png, png, "bad-name"],
    [".hidden", png, png, "bad-name"],
  ];
  for (const [name, announced, sent, code] of cases) {
    const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", announced)).toHex();
    const failure = await assertRejects(() => showRaw(all, { ...wish, name, sha256 }, sent), Failure);
    assertEquals([name, failure.code], [name, code]);
  }
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", png)).toHex();
  await showRaw(all, { ...wish, name: "../../up.png", sha256 }, png);
  const [path = "", ...more] = await tree(rui.folder);
  assertMatch(path, /^inbox\/somebody \([0-9a-f-]{19}\)\/up\.png$/);
  assertEquals(more, []);
  const last = rui.events.at(-1);
  assert(last?.event === "picture");
  assertEquals([last.peer, last.key, last.name, last.path], ["somebody", "new", "up.png", path]);
});

Deno.test("a peer without an inbox shows a picture and does not store it", async () => {
  const shown: Uint8Array[] = [];
  await using all = await pair({ rui: { inbox: undefined, onPicture: (bytes) => shown.push(bytes) } });
  const photo = await imageFile(all.pictures, "a.png", "png", 300_000);
  await all.ana.peer.pictures.show("rui", photo);
  assertEquals(shown, [await Deno.readFile(photo)]);
  const last = all.rui.events.at(-1);
  assert(last?.event === "picture");
  assertEquals([last.peer, last.path], ["ana", undefined]);
  assertEquals(await tree(all.rui.folder), []);
});

Deno.test("pictures count against their sender's share of the inbox, also while they arrive", async () => {
  await using all = await pair({ rui: { inbox: { share: false, quota: 1_000_000 } } });
  const { ana, rui, pictures } = all;
  await ana.peer.pictures.show("rui", await imageFile(pictures, "a.png", "png", 400_000));
  const second = await imageFile(pictures, "b.png", "png", 200_000);
  const { code, message } = await assertRejects(() => ana.peer.pictures.show("rui", second), Failure);
  assertEquals(code, "refused");
  assertMatch(message, /one peer may have 500 KB there, and you have 400 KB/);
  const file = await pictures.file("c.bin", 200_000);
  assertEquals((await assertRejects(() => ana.peer.puts.start(file, "rui").result, Failure)).code, "refused");
  assertEquals(await tree(rui.folder), ["inbox/ana/a.png"]);
  assertEquals((await ana.peer.puts.takeBack("a.png", "rui")).name, "inbox/ana/a.png");
  await ana.peer.pictures.show("rui", second);
  assertEquals(await tree(rui.folder), ["inbox/ana/b.png"]);
});
