/**
 * A peer that accepts files, and the senders that put them: peers, and programs that follow no
 * rule.
 * @module
 */

import { assert, assertRejects } from "@std/assert";
import { digestOf, PIECE_BYTES, rootOf } from "../../lib/core/content.ts";
import { Failure } from "../../lib/core/failure.ts";
import { askBothWays } from "../../lib/net/both_ways.ts";
import { greet } from "../../lib/net/caller.ts";
import type { Connection } from "../../lib/net/connection.ts";
import { dial } from "../../lib/net/dial.ts";
import { Identity, identityOf } from "../../lib/net/identity.ts";
import { type Offer, OFFER_ROUTES } from "../../lib/peer/inbox/offer.ts";
import type { PeerOptions } from "../../lib/peer/peer.ts";
import type { PutResult } from "../../lib/peer/inbox/running_put.ts";
import { Put } from "../../lib/protocol/inbox.ts";
import type { ReplyOf } from "../../lib/protocol/message.ts";
import { Room, type RoomPeer } from "./room.ts";
import type { TempFolder } from "./temp.ts";

/** An inbox that is open to all. */
export const OPEN = { share: false, quota: 100 * PIECE_BYTES };

/** A room in which ana takes files. */
export async function roomWithInbox(options: Partial<PeerOptions> = {}): Promise<{ room: Room; ana: RoomPeer }> {
  const room = await Room.open();
  const ana = await room.peer("ana", undefined, { inbox: OPEN, ...options });
  return { room, ana };
}

/** Puts a file, to the end. */
export async function put({ peer }: RoomPeer, what: string, to = "ana"): Promise<PutResult> {
  return await peer.puts.start(what, to).result;
}

/** What something fails with. */
export async function failing(run: () => Promise<unknown>): Promise<Failure> {
  return await assertRejects(run, Failure);
}

/** Every file below a folder but the peer's own state, in order. */
export async function tree(folder: TempFolder): Promise<string[]> {
  const names: string[] = [];
  const pending = [""];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for await (const { name, isDirectory } of Deno.readDir(folder.at(at))) {
      if (isDirectory && name !== ".recess") pending.push(at === "" ? name : `${at}/${name}`);
      else if (!isDirectory) names.push(at === "" ? name : `${at}/${name}`);
    }
  }
  return names.sort();
}

/** A connection to ana of a caller with a key that is not a peer. */
export async function stranger(room: Room, identity?: Identity): Promise<Connection> {
  const row = await room.index.peer("ana");
  assert(row?.port !== undefined);
  const called = await identityOf(Uint8Array.fromHex(row.certificate));
  const connection = await dial({ host: "127.0.0.1", port: row.port }, { identity: called });
  await greet(connection, { name: "nobody", identity: identity ?? await Identity.make() });
  return connection;
}

/** Offers a file in whatever words one likes. */
export async function offered(
  connection: Connection,
  path: string,
  said: Partial<Offer> = {},
): Promise<ReplyOf<typeof Put>> {
  const bytes = await Deno.readFile(path);
  const { size, mtime } = await Deno.stat(path);
  const pieces = Array.from({ length: Math.ceil(size / PIECE_BYTES) }, (_, index) => {
    return digestOf(bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES));
  });
  const digests = new Uint8Array(pieces.flatMap((digest) => [...digest]));
  const version = { size, modified: mtime?.getTime() ?? 0 };
  const offer = { path, name: "a.bin", ...version, digests, root: rootOf(size, digests), pace: undefined, ...said };
  const { name, root } = offer;
  return await askBothWays(connection, Put, { name, size: offer.size, root }, {
    routes: OFFER_ROUTES,
    context: offer,
    onNews: () => {},
  });
}
