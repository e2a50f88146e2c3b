/**
 * Connects to an index: dials it, says HELLO, proves the identity of this peer. Called by
 * index_session.ts.
 * @module
 */

import { type Address, formatAddress } from "../../core/address.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { greet } from "../../net/caller.ts";
import type { Connection } from "../../net/connection.ts";
import type { Dial } from "../../net/dial.ts";
import type { Identity } from "../../net/identity.ts";
import type { Room } from "../../net/room_key.ts";

/** The first byte of an alert in TLS: why a connection ends. */
const TLS_ALERT = 0x15;

/** How indexes are reached, and under which identity. */
export interface ReachOptions {
  readonly dial: Dial;
  /** The identity that this peer proves to the index. */
  readonly identity: Identity;
  readonly room: Room | undefined;
}

/** A connection, and the index at its other end. */
export interface ReachedIndex {
  readonly index: Address;
  readonly connection: Connection;
}

/**
 * Connects to the first of several indexes that answers.
 *
 * @throws {Failure} "no-member" when one of them reports that this peer lacks its room key, because
 * a person can correct that; otherwise "index-unreachable" when none answers.
 */
export async function reachIndex(
  indexes: readonly Address[],
  options: ReachOptions,
  signal: AbortSignal,
): Promise<ReachedIndex> {
  const failures: Failure[] = [];
  for (const index of indexes) {
    try {
      return { index, connection: await reach(index, options, signal) };
    } catch (thrown) {
      signal.throwIfAborted();
      const failure = Failure.from(thrown, "index-unreachable", "Cannot talk to the index");
      failures.push(explained(failure, index, options.room !== undefined));
    }
  }
  const noMember = failures.find((failure) => failedWith(failure, "no-member"));
  if (noMember !== undefined) throw noMember;
  const last = failures.at(-1);
  throw new Failure("index-unreachable", last?.message ?? "No index was named", {
    cause: last,
    hint: failedWith(last, "index-unreachable", "malformed", "closed", "busy") ? last.hint : undefined,
  });
}

async function reach(
  index: Address,
  { dial, identity, room }: ReachOptions,
  signal: AbortSignal,
): Promise<Connection> {
  const connection = await dial(index, { failure: "index-unreachable", signal, identity: room?.identity });
  using _closing = connection.closeOn(signal);
  try {
    await greet(connection, { called: "index", identity, roomKey: room?.key });
    return connection;
  } catch (thrown) {
    // An index with a room key expects TLS, and answers a HELLO in clear text with an alert of TLS.
    const needsKey = room === undefined && connection.arrived[0] === TLS_ALERT;
    connection.close();
    throw needsKey ? new Failure("no-member", "The index encrypts its connections", { cause: thrown }) : thrown;
  }
}

/** A failure to connect as a person should read it. Most often the room key is missing or wrong. */
function explained(failure: Failure, index: Address, hasRoomKey: boolean): Failure {
  const where = formatAddress(index);
  if (failedWith(failure, "wrong-key", "no-member")) {
    if (!hasRoomKey) {
      return new Failure("no-member", `${where} uses encryption: it is an index that needs a room key, or a peer`, {
        cause: failure,
        hint: "if it is an index, add --room-key-file FILE; if it is a peer, name its index with --index HOST:PORT",
      });
    }
    return new Failure("no-member", `Wrong room key for the index at ${where}`, {
      cause: failure,
      hint: "name the file with the key of that room: --room-key-file FILE; omit the flag if the room has no key",
    });
  }
  if (failedWith(failure, "busy")) {
    return failure.with({ message: `Cannot talk to the index at ${where}: ${failure.message}` });
  }
  if (!hasRoomKey && failedWith(failure, "malformed", "closed")) {
    return failure.with({
      message: `Cannot talk to the index at ${where}: ${failure.message}`,
      hint: "use the index's port for peers, not its HTTP port; if the room has a key, add --room-key-file FILE",
    });
  }
  return failure;
}
