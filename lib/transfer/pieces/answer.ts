/**
 * The answer to DOWNLOAD: held against what was asked, its body read as it is or packed. Called by fetch.ts and small_connection.ts.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import type { Pace } from "../../core/flow/pace.ts";
import type { Connection } from "../../net/connection.ts";
import type { ReplyWithBody } from "../../net/caller.ts";
import type { Download } from "../../protocol/files.ts";
import type { ReplyOf } from "../../protocol/message.ts";
import { gunzip } from "./compress.ts";

/** What was asked for. */
export interface AskedPart {
  /** Of the whole file, in bytes. */
  readonly size: number;
  /** Of the part, in bytes. */
  readonly bytes: number;
  /** Whether it may come packed. */
  readonly compress: boolean;
}

/**
 * Checks what an answer announces. Shape: the bytes of a packed body; undefined when the body is the part itself. Fails: "file-changed" when the
 * file is of another size by now; "malformed" when its body cannot be what was asked for.
 */
export function packedBytesOf(
  { data, bodyBytes }: ReplyWithBody<ReplyOf<typeof Download>>,
  asked: AskedPart,
): number | undefined {
  if (data.size !== asked.size) throw new Failure("file-changed", `"${data.name}" has changed since it was listed`);
  const isPacked = data.compression !== undefined;
  if (isPacked ? bodyBytes <= asked.bytes && asked.compress : bodyBytes === asked.bytes) {
    return isPacked ? bodyBytes : undefined;
  }
  throw new Failure("malformed", `Got ${bodyBytes} bytes instead of ${asked.bytes}`);
}

/** Reads the next part of a body until `target` is full; of a packed one, all of it. Fails: "corrupt", and as the connection does. */
export async function readPart(
  target: Uint8Array,
  packedBytes: number | undefined,
  { connection, pace }: { readonly connection: Connection; readonly pace?: Pace | undefined },
): Promise<void> {
  if (packedBytes === undefined) return await connection.readBody(target, pace);
  const packed = new Uint8Array(packedBytes);
  await connection.readBody(packed, pace);
  await gunzip(packed, target);
}
