/**
 * Reaches an index: connects, says HELLO, proves who calls. Called by index_session.ts.
 * @module
 */

import { type Address, formatAddress } from "../../core/address.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { greet } from "../../net/caller.ts";
import type { Connection } from "../../net/connection.ts";
import type { Dial } from "../../net/dial.ts";
import type { Identity } from "../../net/identity.ts";
import type { Room } from "../../net/room_key.ts";

/** How indexes are reached, and as whom. */
export interface ReachOptions {
  readonly dial: Dial;
  /** The key that one proves at the index. */
  readonly identity: Identity;
  readonly room: Room | undefined;
}

/** A connection to the index it was made with. */
export interface ReachedIndex {
  readonly index: Address;
  readonly connection: Connection;
}

/**
 * Reaches the first of several indexes that answers. Fails: "index-unreachable" when none does; "no-member" when one of them says that we do not
 * have its room's key, for that is what a person can do something about.
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
      failures.push(told(failure, index, options.room !== undefined));
    }
  }
  const noMember = failures.find((failure) => failedWith(failure, "no-member"));
  if (noMember !== undefined) throw noMember;
  const last = failures.at(-1);
  throw new Failure("index-unreachable", last?.message ?? "No index was named", {
    cause: last,
    ...(failedWith(last, "malformed", "closed", "busy") ? { hint: last.hint } : {}),
  });
}

async function reach(
  index: Address,
  { dial, identity, room }: ReachOptions,
  signal: AbortSignal,
): Promise<Connection> {
  const encrypted = room === undefined ? {} : { identity: room.identity };
  const connection = await dial(index, { failure: "index-unreachable", signal, ...encrypted });
  const close = (): void => connection.close();
  signal.addEventListener("abort", close);
  try {
    await greet(connection, { called: "index", identity, ...(room === undefined ? {} : { roomKey: room.key }) });
    return connection;
  } catch (thrown) {
    connection.close();
    throw thrown;
  } finally {
    signal.removeEventListener("abort", close);
  }
}

/** A failure to talk to an index as the person is to hear it: most often the room key is missing or wrong. */
function told(failure: Failure, index: Address, hasRoomKey: boolean): Failure {
  const where = formatAddress(index);
  if (failedWith(failure, "wrong-key", "no-member")) {
    return new Failure("no-member", `The index at ${where} has another room key, or none`, { cause: failure });
  }
  if (failedWith(failure, "busy")) {
    return new Failure("busy", `Cannot talk to the index at ${where}: ${failure.message}`, {
      cause: failure,
      hint: failure.hint,
    });
  }
  if (!hasRoomKey && failedWith(failure, "malformed", "closed")) {
    return new Failure(failure.code, `Cannot talk to the index at ${where}: ${failure.message}`, {
      cause: failure,
      hint:
        "name the index's port for peers, not the one for HTTP; if the room has a key, name its file with --room-key-file FILE",
    });
  }
  return failure;
}
