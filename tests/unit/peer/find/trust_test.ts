/**
 * Attackers between peers: what they can read, and whether they can impersonate a peer. Real
 * sockets, real TLS, one process.
 * @module
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { ask, greet } from "../../../../lib/net/caller.ts";
import { type Dial, dial } from "../../../../lib/net/dial.ts";
import { Identity, identityOf } from "../../../../lib/net/identity.ts";
import { prove } from "../../../../lib/net/proof.ts";
import { RoomKey } from "../../../../lib/net/room_key.ts";
import type { PeerOptions } from "../../../../lib/peer/peer.ts";
import { encodeRequest } from "../../../../lib/protocol/envelope.ts";
import { List } from "../../../../lib/protocol/files.ts";
import { Hello, Prove } from "../../../../lib/protocol/hello.ts";
import { IndexServer } from "../../../../lib/server/index_server.ts";
import { impostor, Relay } from "../../../support/relay.ts";
import { Room, type RoomPeer } from "../../../support/room.ts";

const NAME = "a name nobody may read.txt";
const TEXT = "what is in the file is nobody's business either; ".repeat(100);

/** A room in which ana shares one file. */
async function roomWithAna(options: Partial<PeerOptions> = {}): Promise<{ room: Room; ana: RoomPeer }> {
  const room = await Room.open();
  const folder = await room.folder();
  await Deno.writeTextFile(folder.at(NAME), TEXT);
  await folder.file("large.bin", 3 * PIECE_BYTES);
  const ana = await room.peer("ana", folder, options);
  await room.hashed("ana", NAME);
  return { room, ana };
}

/** Dials another port instead of a peer's. */
function dialling(instead: { of: number; port: number }): Dial {
  return (address, options) =>
    dial(address.port === instead.of ? { ...address, port: instead.port } : address, options);
}

async function get({ peer }: RoomPeer, name: string): Promise<void> {
  const wanted = await peer.directory.resolve(name);
  await peer.transfers.start(wanted, { kind: "folder" }).result;
}

Deno.test("a recorded download shows names and bytes only when it is not encrypted", async () => {
  for (const plain of [false, true]) {
    const { room, ana } = await roomWithAna({ plain });
    await using _room = room;
    const { port } = ana.peer.address;
    using relay = new Relay(port);
    const rui = await room.peer("rui", undefined, { plain, dial: dialling({ of: port, port: relay.port }) });
    await get(rui, NAME);
    await rui.peer.directory.list("ana");
    assertEquals(await Deno.readTextFile(rui.folder.at(NAME)), TEXT);
    assert(relay.connections > 0 && relay.recorded.length > TEXT.length);
    assertEquals(relay.recorded.includes(NAME), plain, "the name");
    assertEquals(relay.recorded.includes(TEXT.slice(0, 60)), plain, "the bytes");
    assertEquals(relay.recorded.includes("large.bin"), plain, "the list");
  }
});

Deno.test("a peer detects a man in the middle and never falls back to a plain connection", async () => {
  const { room, ana } = await roomWithAna();
  await using _room = room;
  const of = ana.peer.address.port;
  for (const identity of [await Identity.make(), undefined]) {
    using middle = impostor(identity);
    const rui = await room.peer(undefined, undefined, { dial: dialling({ of, port: middle.port }) });
    assertEquals((await assertRejects(() => rui.peer.directory.list("ana"), Failure)).code, "wrong-key");
    assertEquals((await assertRejects(() => get(rui, NAME), Failure)).code, "wrong-key");
    await rui.peer[Symbol.asyncDispose]();
  }
});

Deno.test("a peer rejects a certificate that does not match the id, even when the index lists both", async () => {
  const { room, ana } = await roomWithAna();
  await using _room = room;
  const liar = await Identity.make();
  const row = await room.index.peer("ana");
  assert(row !== undefined && row.port !== undefined);
  await room.index.leave("ana");
  // The right id with another certificate: that of the impostor, which listens there.
  using middle = impostor(liar);
  await room.index.join({ ...row, certificate: liar.certificate.toHex(), port: middle.port });
  const rui = await room.peer("rui");
  assertEquals((await assertRejects(() => rui.peer.directory.list("ana"), Failure)).code, "wrong-key");
  assert(ana.peer.id === row.id);
});

Deno.test("a peer answers only callers that prove their identity, and rejects a replayed proof", async () => {
  const { room, ana } = await roomWithAna();
  await using _room = room;
  const row = await room.index.peer("ana");
  const identity = await identityOf(Uint8Array.fromHex(row?.certificate ?? ""));
  const address = { host: "127.0.0.1", port: ana.peer.address.port };
  {
    using stranger = await dial(address, { identity });
    await greet(stranger);
    assertEquals((await assertRejects(() => ask(stranger, List, { limit: 5 }), Failure)).code, "unproven");
  }
  // A proof is recorded on one connection and replayed on another, including HELLO.
  let proof: Uint8Array | undefined;
  const nonce = "ab".repeat(32);
  const caller = await Identity.make();
  for (const attempt of ["first", "replayed"]) {
    using connection = await dial(address, { identity });
    const { data } = await ask(connection, Hello, { version: 1, software: "thief", nonce });
    if (proof === undefined) {
      const channel = { asked: data.nonce, asking: nonce, called: "peer", calledId: identity.id } as const;
      proof = encodeRequest(Prove, await prove(channel, caller, undefined), 7);
    }
    await connection.send(proof);
    const answer = await connection.receive({ waitMs: 5_000 });
    if (attempt === "first") assertEquals(answer?.kind, "reply");
    else assertEquals(answer?.kind === "failure" ? answer.failure.code : answer?.kind, "wrong-key");
  }
});

Deno.test("a peer in a room with a key answers only callers that prove that key", async () => {
  await using room = await Room.open();
  const [ours, other] = await Promise.all([1, 2].map(() => RoomKey.parse(RoomKey.makeText()).room()));
  assert(ours !== undefined && other !== undefined);
  await using index = await IndexServer.listen({ host: "127.0.0.1", port: 0 }, {
    index: room.index,
    journal: () => {},
    room: ours,
  });
  const folder = await room.folder();
  await folder.file("a.txt", 10);
  const ana = await room.peer("ana", folder, { room: ours, indexes: [index.address] });
  const row = await room.index.peer("ana");
  const called = await identityOf(Uint8Array.fromHex(row?.certificate ?? ""));
  for (const roomKey of [undefined, other.key, ours.key]) {
    using connection = await dial({ host: "127.0.0.1", port: ana.peer.address.port }, { identity: called });
    const proving = greet(connection, {
      identity: await Identity.make(),
      roomKey,
    });
    if (roomKey === ours.key) {
      await proving;
      assertEquals((await ask(connection, List, { limit: 5 })).data.files.map(({ name }) => name), ["a.txt"]);
    } else {
      assertEquals((await assertRejects(() => proving, Failure)).code, "no-member");
      await assertRejects(() => ask(connection, List, { limit: 5 }), Failure);
    }
  }
});

Deno.test("an encrypted peer does not connect to a plain one until its owner allows it", async () => {
  const { room } = await roomWithAna({ plain: true });
  await using _room = room;
  const careful = await room.peer("careful");
  const failure = await assertRejects(() => get(careful, NAME), Failure);
  assertEquals(failure.code, "refused");
  assertStringIncludes(failure.hint, "--plain");
  const careless = await room.peer("careless", undefined, { plain: true });
  await get(careless, NAME);
});

Deno.test("a peer refuses another key under a known name, with an error, until a person trusts it", async () => {
  const first = await roomWithAna();
  const second = await roomWithAna();
  await using _first = first.room;
  await using _second = second.room;
  const here = await first.room.peer("rui");
  await here.peer.directory.list("ana");
  await here.peer[Symbol.asyncDispose]();
  const there = await second.room.peer("rui", here.folder);
  for (const attempt of [() => there.peer.directory.list("ana"), () => get(there, NAME)]) {
    const failure = await assertRejects(attempt, Failure);
    assertEquals(failure.code, "key-changed");
    assertStringIncludes(failure.message, "ana has another key than before");
    assertStringIncludes(failure.hint, 'trust "ana"');
  }
  assertEquals(await there.peer.contacts.trust("ana"), { name: "ana", id: second.ana.peer.id });
  await get(there, NAME);
});

Deno.test("a name belongs to the key that used it first, even while that peer is away", async () => {
  const { room, ana } = await roomWithAna();
  await using _room = room;
  await ana.peer[Symbol.asyncDispose]();
  const failure = await assertRejects(() => room.peer("Ana"), Failure);
  assertEquals([failure.code, failure.suggestion], ["name-taken", "Ana-2"]);
  await room.peer("ana", ana.folder);
});
