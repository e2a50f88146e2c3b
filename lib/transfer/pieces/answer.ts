/**
 * The answer to DOWNLOAD: compares it with the request, and reads its body, compressed or not.
 * Called by fetch.ts and small_connection.ts.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import type { Connection } from "../../net/connection.ts";
import type { ReplyWithBody } from "../../net/caller.ts";
import type { Download } from "../../protocol/files.ts";
import type { ReplyOf } from "../../protocol/message.ts";
import type { DownloadTools } from "../content/download_tools.ts";
import { gunzip } from "./compress.ts";

/** What was requested. */
export interface AskedPart {
  /** The size of the whole file. */
  readonly size: number;
  /** The size of the requested part. */
  readonly bytes: number;
  /** Whether the body may be compressed. */
  readonly compress: boolean;
}

/**
 * Checks what an answer announces.
 *
 * @returns The size of a compressed body; undefined when the body is not compressed.
 * @throws {Failure} "file-changed" when the file has another size by now; "malformed" when the body
 * does not fit the request.
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

/**
 * Reads the next part of a body until `target` is full. A compressed body is read as a whole.
 *
 * @throws {Failure} "corrupt"; and as the connection does.
 */
export async function readPart(
  target: Uint8Array,
  packedBytes: number | undefined,
  { connection, pace }: Pick<DownloadTools, "pace"> & { readonly connection: Connection },
): Promise<void> {
  if (packedBytes === undefined) return await connection.readBody(target, pace);
  const packed = new Uint8Array(packedBytes);
  await connection.readBody(packed, pace);
  await gunzip(packed, target);
}
