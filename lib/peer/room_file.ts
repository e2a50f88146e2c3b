/**
 * The file in which a person keeps the room's key. Called by server.ts and peer.ts.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { printable } from "../core/printable.ts";
import { type Room, RoomKey } from "../net/room_key.ts";
import { readSecret } from "../store/secret_file.ts";

/** Reads the room's key. Fails: "not-found", "no-access", "usage" when there is no key in it. */
export async function readRoom(path: string): Promise<Room> {
  const text = await readSecret(path);
  if (text === undefined) {
    throw new Failure("not-found", `There is no room key in "${printable(path)}"`, { hint: "check the path" });
  }
  return await RoomKey.parse(text).room();
}
