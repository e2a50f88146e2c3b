/**
 * Fetches a file from a classroom client, in the dialect in which it joined. The bytes cannot be
 * verified. Their number is compared with the announced size, which the dialect "words" does not
 * have; the person is warned. Called by fetch_file.ts.
 * @module
 */

import { join } from "node:path";
import { failedWith, Failure } from "../../core/failure.ts";
import { CONSENT_WAIT_MS, FILE_BYTES_MAX, HELLO_LINE_BYTES_MAX } from "../../core/limits.ts";
import { printable } from "../../core/printable.ts";
import type { Connection } from "../../net/connection.ts";
import { JsonEnd } from "../../protocol/dialect.ts";
import { decodeHeader, DIALECT_ANSWERS, encodeDownload } from "../../protocol/dialect_requests.ts";
import type { PeerRef } from "../../protocol/shapes.ts";
import { UnfinishedFile } from "../../store/files/unfinished_file.ts";
import type { WantedFile } from "../find/wanted.ts";
import type { Fetched, FetchParts, FetchWatch, Place } from "./fetching.ts";

/** What is read and written at once. */
const CHUNK_BYTES = 256 * 1024;

/**
 * The failure of a peer that did not understand the request, for example because it speaks the
 * other dialect.
 */
class NotUnderstood extends Failure {}

/**
 * Fetches a file from the first holder that sends it.
 *
 * @throws {Failure} "refused" when this peer does not run with --plain, "not-shared",
 * "unreachable", "closed", "timeout".
 */
export async function fetchInDialect(
  wanted: WantedFile,
  holders: readonly PeerRef[],
  place: Place,
  parts: FetchParts,
  watch: FetchWatch,
): Promise<Fetched> {
  let last: Failure | undefined;
  const understood = new Set<string>();
  for (const holder of holders) {
    if (understood.has(holder.name)) continue;
    try {
      return await fetchFrom(holder, wanted, place, parts, watch);
    } catch (thrown) {
      watch.signal.throwIfAborted();
      last = Failure.from(thrown, "internal", `Cannot download "${printable(wanted.name)}"`);
      if (failedWith(last, "disk-full", "no-access", "internal")) break;
      if (!(last instanceof NotUnderstood) && !failedWith(last, "timeout")) understood.add(holder.name);
    }
  }
  throw last ?? new Failure("not-found", `No peer here has "${printable(wanted.name)}"`);
}

async function fetchFrom(
  holder: PeerRef,
  wanted: WantedFile,
  place: Place,
  parts: FetchParts,
  watch: FetchWatch,
): Promise<Fetched> {
  const { dialPlain, clock, folder } = parts;
  if (dialPlain === undefined) {
    throw new Failure("refused", `Cannot talk to ${holder.name}: it does not encrypt`, {
      hint: "start with --plain, if everyone on this network may read what you send and receive",
    });
  }
  const startMs = clock.now();
  using connection = await dialPlain(holder, watch.signal);
  using _closing = connection.closeOn(watch.signal);
  const size = await announced(connection, holder, wanted.name);
  if (size !== undefined) watch.onListed(size);
  // It is not continued later, because none of it can be verified.
  const kept = { name: JSON.stringify([holder.name, wanted.name]), size: size ?? 0 };
  using unfinished = await UnfinishedFile.open(folder, kept);
  const incoming = new Incoming(connection, unfinished, parts, (done) => {
    // When no size was announced, it grows with what has come.
    if (size === undefined) watch.onListed(done);
    watch.onProgress({ state: "running", done, sources: [holder.name], retries: 0 });
  });
  try {
    const bytes = size === undefined ? await incoming.untilEnd() : await incoming.exactly(size);
    watch.onFinishing();
    const root = place.root ?? folder.path;
    const placed = join(root, await unfinished.finish(root, place.name, bytes));
    const ms = clock.now() - startMs;
    const sources = [{ peer: holder.name, bytes, ms }];
    return {
      path: placed,
      size: bytes,
      files: 1,
      alreadyHere: false,
      sources,
      firstMs: ms,
      failed: [],
      unverified: true,
    };
  } catch (thrown) {
    await unfinished.discard().catch(() => {});
    throw thrown;
  }
}

/**
 * Asks for the file.
 *
 * @returns Its size; undefined in the dialect "words", which does not announce it.
 */
async function announced(connection: Connection, holder: PeerRef, name: string): Promise<number | undefined> {
  const { dialect = "json" } = holder;
  await connection.send(encodeDownload(dialect, name, holder.port));
  const end = dialect === "json" ? new JsonEnd() : new TextEnd();
  // The peer may ask its owner first.
  for (let looked = 0;;) {
    const at = end.push(connection.arrived.subarray(looked));
    looked = connection.arrived.length;
    if (at !== undefined) {
      return dialect === "json" ? decodeHeader(connection.take(at), name) : void connection.take(at);
    }
    if (looked > HELLO_LINE_BYTES_MAX || await connection.more({ waitMs: CONSENT_WAIT_MS }) === "end") break;
  }
  const said = new TextDecoder().decode(connection.arrived.subarray(0, 200)).trim();
  if (dialect === "words" && said === DIALECT_ANSWERS.notFound) {
    throw new Failure("not-shared", `Cannot download "${name}": it is not shared there`);
  }
  const answer = said === "" ? "closed without an answer" : `answered "${said}"`;
  throw new NotUnderstood("refused", `Cannot download "${name}": ${holder.name} ${answer}`);
}

/** Finds the end of the line that announces a file in the dialect "words". */
class TextEnd {
  readonly #expected = new TextEncoder().encode(DIALECT_ANSWERS.found);
  #matched = 0;

  push(bytes: Uint8Array): number | undefined {
    for (const byte of bytes) {
      if (this.#matched === -1 || byte !== this.#expected[this.#matched]) return void (this.#matched = -1);
      if (++this.#matched === this.#expected.length) return this.#matched;
    }
    return undefined;
  }
}

/** The bytes of one file as they arrive. */
class Incoming {
  readonly #connection: Connection;
  readonly #file: UnfinishedFile;
  readonly #parts: FetchParts;
  readonly #onBytes: (done: number) => void;
  #done = 0;

  constructor(connection: Connection, file: UnfinishedFile, parts: FetchParts, onBytes: (done: number) => void) {
    this.#connection = connection;
    this.#file = file;
    this.#parts = parts;
    this.#onBytes = onBytes;
  }

  /**
   * Receives exactly `size` bytes.
   *
   * @returns How many that are.
   * @throws {Failure} "closed" when there are fewer.
   */
  async exactly(size: number): Promise<number> {
    const buffer = new Uint8Array(Math.min(CHUNK_BYTES, size));
    while (this.#done < size) {
      const part = buffer.subarray(0, Math.min(buffer.length, size - this.#done));
      await this.#connection.readBody(part, this.#parts.pace);
      await this.#write(part);
    }
    return this.#done;
  }

  /**
   * Receives bytes until the other side closes.
   *
   * @returns How many that were.
   * @throws {Failure} "too-large".
   */
  async untilEnd(): Promise<number> {
    while (true) {
      const part = this.#connection.take(this.#connection.arrived.length);
      await this.#parts.pace?.take(part.length);
      await this.#write(part);
      if (this.#done > FILE_BYTES_MAX) {
        throw new Failure("too-large", `Cannot receive more than ${FILE_BYTES_MAX} bytes`);
      }
      if (await this.#connection.more({ waitMs: CONSENT_WAIT_MS }) === "end") return this.#done;
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#file.write(this.#done, bytes);
    this.#done += bytes.length;
    this.#onBytes(this.#done);
  }
}
