/**
 * Proving who one is to whoever one called: the caller signs both nonces of the connection, and what and whose certificate it called, so that what
 * was signed here is good nowhere else, and not a second time. With a room key, the caller proves that it has that, too.
 * @module
 */

import { Failure } from "../core/failure.ts";
import type { Prove } from "../protocol/hello.ts";
import type { DataOf } from "../protocol/message.ts";
import { type Identity, identityOf, type PublicIdentity, signedBy } from "./identity.ts";
import type { RoomKey } from "./room_key.ts";

/** What a proof is bound to. */
export interface Channel {
  /** The nonce of who was called, and of who calls. */
  readonly asked: string;
  readonly asking: string;
  /** What was called: so that a peer cannot pass on to the index, as its own, what was proven to it, nor the other way round. */
  readonly called: "index" | "peer";
  /** The id of who was called, where the connection is encrypted; empty where it is not. */
  readonly calledId: string;
}

/** Proves an identity, and membership where there is a room key. */
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
    ...(member === undefined ? {} : { member: member.toHex() }),
  };
}

/** Checks what a caller proves. Shape: who it is. Fails: "wrong-key"; "no-member" without the room key. */
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
