/**
 * Proves the identity of a caller. The caller signs both nonces of the connection, what it called,
 * and the id of that. So a signature is valid nowhere else, and only once. With a room key, the
 * caller also proves that it has the key.
 * @module
 */

import { Failure } from "../core/failure.ts";
import type { Prove } from "../protocol/hello.ts";
import type { DataOf } from "../protocol/message.ts";
import { type Identity, identityOf, type PublicIdentity, signedBy } from "./identity.ts";
import type { RoomKey } from "./room_key.ts";

/** What a proof is bound to. */
export interface Channel {
  /** The nonces of the side that was called, and of the caller. */
  readonly asked: string;
  readonly asking: string;
  /**
   * What was called. A peer can thus not pass on to the index, as its own, what was proven to the
   * peer, nor the other way round.
   */
  readonly called: "index" | "peer";
  /** The id of the side that was called. Empty when the connection is plain. */
  readonly calledId: string;
}

/** Proves an identity, and membership if there is a room key. */
export async function prove(
  channel: Channel,
  identity: Identity,
  roomKey: RoomKey | undefined,
): Promise<DataOf<typeof Prove>> {
  const signature = await identity.sign(signedBytes(channel));
  const member = roomKey?.proof(channel.asked, channel.asking, identity.id);
  return {
    certificate: identity.certificate.toHex(),
    signature: signature.toHex(),
    member: member?.toHex(),
  };
}

/**
 * Checks the proof of a caller.
 *
 * @returns The identity of the caller.
 * @throws {Failure} "wrong-key", or "no-member" without the room key.
 */
export async function checkProof(
  proof: DataOf<typeof Prove>,
  channel: Channel,
  roomKey: RoomKey | undefined,
): Promise<PublicIdentity> {
  const identity = await identityOf(Uint8Array.fromHex(proof.certificate));
  if (!await signedBy(identity, Uint8Array.fromHex(proof.signature), signedBytes(channel))) {
    throw new Failure("wrong-key", "Cannot verify your identity: the signature does not match");
  }
  const member = Uint8Array.fromHex(proof.member ?? "");
  if (roomKey === undefined || roomKey.isProof(member, channel.asked, channel.asking, identity.id)) return identity;
  throw new Failure("no-member", "This room has a key, and yours is another one or missing");
}

function signedBytes({ asked, asking, called, calledId }: Channel): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`recess proof 2 ${asked} ${asking} ${called} ${calledId}`);
}
