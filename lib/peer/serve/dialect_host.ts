/**
 * Sends files to classmates' own clients, on a peer that serves without encryption: an announcement by itself, then the bytes, then the end of the
 * connection. The owner's consent, the line for uploads and the pace hold for them as for everybody. Called by peer.ts.
 * @module
 */

import { PIECE_BYTES } from "../../core/content.ts";
import type { Dialect } from "../../core/dialect.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { CLOSE_WAIT_MS, DIALECT_HEADER_PAUSE_MS, HELLO_WAIT_MS } from "../../core/limits.ts";
import type { Connection } from "../../net/connection.ts";
import { DialectReader } from "../../net/dialect_reader.ts";
import { decodeDownload, encodeAbsent, encodeDialectFailure, encodeHeader } from "../../protocol/dialect_requests.ts";
import type { SharedFile } from "../../store/share/file_list.ts";
import type { OpenFile } from "../../store/files/folder.ts";
import { sendRange } from "../../transfer/send.ts";
import type { Host } from "./host.ts";

/** Serves a connection, if it begins in a dialect. Shape: whether it did. Fails: "timeout", "closed". */
export async function serveDialect(connection: Connection, host: Host): Promise<boolean> {
  const reader = await DialectReader.begin(connection);
  if (reader === undefined) return false;
  const say = (answer: string): Promise<void> => connection.send(new TextEncoder().encode(answer));
  try {
    const raw = await reader.next(HELLO_WAIT_MS);
    if (raw !== null) {
      await answerDownload(connection, reader.dialect, decodeDownload(reader.dialect, raw.bytes), host, say);
    }
  } catch (thrown) {
    await say(encodeDialectFailure(Failure.from(thrown, "internal", "Cannot answer"))).catch(() => {});
  }
  await connection.closeInOrder(CLOSE_WAIT_MS);
  return true;
}

async function answerDownload(
  connection: Connection,
  dialect: Dialect,
  name: string,
  host: Host,
  say: (answer: string) => Promise<void>,
): Promise<void> {
  const { share, consent } = host.parts;
  const file = find(host, name);
  if (file === undefined) return await say(encodeAbsent(dialect));
  const { host: peer } = connection.remote;
  try {
    const wish = { kind: "download" as const, id: "", peer, key: "new" as const, name: file.name, size: file.size };
    // There is no word by which a client could be told that it has to wait.
    await consent.allow(file.root === undefined ? wish : { ...wish, root: file.root }, () => Promise.resolve(), {
      host: peer,
    });
  } catch (thrown) {
    if (!failedWith(thrown, "refused", "busy")) throw thrown;
    return await say(encodeHeader(dialect, file.size, false));
  }
  const isSmall = file.size <= PIECE_BYTES;
  using _small = isSmall ? await host.small.take() : undefined;
  using turn = isSmall ? undefined : await host.line.take({ key: peer, address: peer }, () => {
    return connection.ended === undefined ? Promise.resolve() : Promise.reject(connection.ended);
  });
  let open: OpenFile;
  try {
    open = share.open(file);
  } catch {
    return await say(encodeAbsent(dialect));
  }
  using opened = open;
  const range = { start: 0, end: opened.size };
  await connection.sendWithBody(new TextEncoder().encode(encodeHeader(dialect, opened.size, true)), async (stream) => {
    await new Promise((resolve) => setTimeout(resolve, DIALECT_HEADER_PAUSE_MS));
    await sendRange(opened, range, stream, { pace: host.parts.pace, turn, canResume: false });
  });
}

/** The shared file of this name; of a client that knows no folders, any file that ends in it. */
function find({ parts }: Host, name: string): SharedFile | undefined {
  const { files } = parts.share;
  const exact = files.get(name);
  if (exact !== undefined || name.includes("/")) return exact;
  for (const file of files.all()) if (file.name.endsWith(`/${name}`)) return file;
  return undefined;
}
