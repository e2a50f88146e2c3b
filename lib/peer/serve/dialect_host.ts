/**
 * Sends files to the classroom clients of other people, on a peer that serves without encryption:
 * an announcement, then the bytes, then the end of the connection. Consent, queue and pace are the
 * same as for all other uploads. Called by peer.ts.
 * @module
 */

import { PIECE_BYTES } from "../../core/content.ts";
import { type Dialect, NO_ID } from "../../core/dialect.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { CLOSE_WAIT_MS, DIALECT_HEADER_PAUSE_MS, HELLO_WAIT_MS } from "../../core/limits.ts";
import type { Connection } from "../../net/connection.ts";
import { DialectReader } from "../../net/dialect_reader.ts";
import { decodeDownload, encodeAbsent, encodeDialectFailure, encodeHeader } from "../../protocol/dialect_requests.ts";
import type { OpenFile } from "../../store/files/folder.ts";
import type { SharedFile } from "../../store/share/file_list.ts";
import type { Share } from "../../store/share/share.ts";
import { sendRange } from "../../transfer/send.ts";
import type { Consent } from "./consent.ts";
import type { Uploads } from "./uploads.ts";

/** What classroom clients are served from. */
export interface DialectParts {
  readonly share: Share;
  readonly consent: Consent;
  readonly uploads: Uploads;
}

/** A connection to a classroom client, and how to answer on it. */
interface Client {
  readonly connection: Connection;
  readonly dialect: Dialect;
  readonly send: (answer: string) => Promise<void>;
}

/**
 * Serves a connection that begins with a request of a classroom dialect.
 *
 * @param onBug Called with the error when a bug of this peer prevents an answer.
 * @returns Whether it does; if not, nothing has been read from the connection.
 * @throws {Failure} "timeout", "closed".
 */
export async function serveDialect(
  connection: Connection,
  parts: DialectParts,
  onBug: ((thrown: unknown) => void) | undefined,
): Promise<boolean> {
  const reader = await DialectReader.begin(connection);
  if (reader === undefined) return false;
  const send = (answer: string): Promise<void> => connection.send(new TextEncoder().encode(answer));
  const { dialect } = reader;
  try {
    const raw = await reader.next(HELLO_WAIT_MS);
    if (raw !== null) await answerDownload({ connection, dialect, send }, decodeDownload(dialect, raw.bytes), parts);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) onBug?.(thrown);
    await send(encodeDialectFailure(Failure.from(thrown, "internal", "Cannot answer"))).catch(() => {});
  }
  await connection.closeInOrder(CLOSE_WAIT_MS);
  return true;
}

async function answerDownload(
  { connection, dialect, send }: Client,
  name: string,
  { share, consent, uploads }: DialectParts,
): Promise<void> {
  const file = find(share.files, name);
  if (file === undefined) return await send(encodeAbsent(dialect));
  const { host: peer } = connection.remote;
  try {
    const { name, size, root } = file;
    const wish = { kind: "download" as const, id: NO_ID, peer, key: "new" as const, name, size, root };
    // The dialects have no message that informs a client of a wait.
    await consent.allow(wish, () => Promise.resolve(), { host: peer });
  } catch (thrown) {
    if (!failedWith(thrown, "refused", "busy")) throw thrown;
    return await send(encodeHeader(dialect, file.size, false));
  }
  const isSmall = file.size <= PIECE_BYTES;
  using _small = isSmall ? await uploads.small.take() : undefined;
  using turn = isSmall ? undefined : await uploads.large.take({ key: peer, address: peer }, () => {
    return connection.ended === undefined ? Promise.resolve() : Promise.reject(connection.ended);
  });
  let open: OpenFile;
  try {
    open = share.open(file);
  } catch {
    return await send(encodeAbsent(dialect));
  }
  using opened = open;
  const range = { start: 0, end: opened.size };
  await connection.sendWithBody(new TextEncoder().encode(encodeHeader(dialect, opened.size, true)), async (stream) => {
    await new Promise((resolve) => setTimeout(resolve, DIALECT_HEADER_PAUSE_MS));
    await sendRange(opened, range, stream, { pace: uploads.pace, turn, canResume: false });
  });
}

/**
 * Finds the shared file of this name. For a client that knows no folders, that is any file with a
 * path that ends in the name.
 */
function find(files: Share["files"], name: string): SharedFile | undefined {
  const exact = files.get(name);
  if (exact !== undefined || name.includes("/")) return exact;
  for (const file of files.all()) if (file.name.endsWith(`/${name}`)) return file;
  return undefined;
}
