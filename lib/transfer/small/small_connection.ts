/**
 * One connection to one peer, over which small files are fetched. They are asked for ahead,
 * answered in order, and each is compared with its root. Made by small_download.ts.
 * @module
 */

import { PIECE_BYTES, rootOf, smallDigests } from "../../core/content.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { unlessAborted } from "../../core/flow/on_abort.ts";
import { MANY_BODY_BYTES, MANY_FILES_MAX, SMALL_REQUESTS_AHEAD } from "../../core/limits.ts";
import { ask, askAll, type ReplyWithBody } from "../../net/caller.ts";
import type { Connection } from "../../net/connection.ts";
import { Asking, DownloadMany, Pieces } from "../../protocol/files.ts";
import type { DataOf, ReplyOf } from "../../protocol/message.ts";
import { readPart } from "../pieces/answer.ts";
import { mayShrink } from "../pieces/compress.ts";
import type { DownloadTools } from "../content/download_tools.ts";
import type { Source } from "../content/source.ts";
import type { ArrivedFile } from "./small_file.ts";
import type { Asker, SmallPlan } from "./small_plan.ts";

/** A name can be sixteen times as long as a root, and travels with six characters a byte. */
const FILES_BY_NAME_MAX = 8;

/** A file of an answer, as its owner describes it. */
type Entry = ReplyOf<typeof DownloadMany>["files"][number];

/** What one connection works with. */
export interface SmallConnectionParts {
  readonly plan: SmallPlan;
  readonly tools: DownloadTools;
  /** Whether files are asked for compressed. */
  readonly compress: boolean;
  /**
   * Called with the first verified copy of each file, and with how long it took. Returns what to
   * wait for before further files are received.
   */
  readonly onFile: (
    file: ArrivedFile,
    bytes: Uint8Array,
    digests: Uint8Array,
    tookMs: number,
  ) => Promise<void> | undefined;
  /** Called when the peer reports that it is asking its owner for consent. */
  readonly onAsking: () => void;
  /** How many files may be asked for at once now. */
  readonly filesMax: () => number;
  readonly signal: AbortSignal;
}

/** One connection. It lasts while there is something to ask for. */
export class SmallConnection {
  readonly #source: Source;
  readonly #parts: SmallConnectionParts;
  readonly #buffer = new Uint8Array(PIECE_BYTES);
  readonly #asker: Asker;
  /** How many files each request asks for that was not answered yet. */
  readonly #asked: number[] = [];
  /** How many files the source answers at once, as far as that is known. */
  #answersMax = MANY_FILES_MAX;

  constructor(source: Source, parts: SmallConnectionParts) {
    this.#source = source;
    this.#parts = parts;
    this.#asker = parts.plan.begin(source.peer, parts.tools.clock.now());
  }

  /**
   * Asks until there is nothing to ask for. After a failure, other peers may be asked for the rest.
   *
   * @throws {Failure} As the connection and `onFile` do.
   */
  async run(): Promise<void> {
    const { plan, signal } = this.#parts;
    let failure: Failure | undefined;
    try {
      using connection = await this.#connect();
      signal.throwIfAborted();
      using _closing = connection.closeOn(signal);
      await this.#fetchAll(connection);
    } catch (thrown) {
      failure = Failure.from(thrown, "internal", "Cannot download");
      // An answer that is wrong in itself belongs to the next file.
      if (failedWith(failure, "file-changed", "corrupt", "malformed")) plan.refused(this.#asker, failure);
      throw failure;
    } finally {
      plan.end(this.#asker, signal.aborted ? undefined : failure);
    }
  }

  #connect(): Promise<Connection> {
    return this.#parts.tools.connect(this.#source, this.#parts.signal);
  }

  async #fetchAll(connection: Connection): Promise<void> {
    const { plan, signal, onAsking } = this.#parts;
    const onNews = (event: string): void => {
      if (event === Asking.event) onAsking();
    };
    const options = { ahead: SMALL_REQUESTS_AHEAD, onNews };
    for await (const reply of askAll(connection, DownloadMany, this.#questions(), options)) {
      signal.throwIfAborted();
      const asked = this.#asked.shift() ?? 0;
      if (reply instanceof Failure) {
        plan.refused(this.#asker, reply);
        this.#rest(asked, 1);
        continue;
      }
      const { files } = reply.data;
      checkAnswer(reply, asked);
      for (const entry of files) await this.#receive(connection, entry);
      this.#rest(asked, files.length);
    }
  }

  /** What was asked for and not answered can be asked for again, fewer files at a time. */
  #rest(asked: number, answered: number): void {
    this.#parts.plan.unanswered(this.#asker, asked - answered);
    this.#answersMax = asked === answered ? Math.min(MANY_FILES_MAX, 2 * this.#answersMax) : answered;
  }

  /** Receives the next file of an answer. */
  async #receive(connection: Connection, entry: Entry): Promise<void> {
    const { plan, signal, compress, tools: { clock, pace } } = this.#parts;
    const [index = 0] = this.#asker.asked;
    const file = plan.file(index);
    const root = file.root ?? entry.root;
    if (entry.size !== file.size || root === undefined) {
      throw new Failure("file-changed", `"${file.name}" has changed since it was listed`);
    }
    const { packed, modified, executable } = entry;
    if (packed !== undefined && (!compress || packed > file.size)) {
      throw new Failure("malformed", `Got ${packed} bytes in place of ${file.size}`);
    }
    const bytes = this.#buffer.subarray(0, file.size);
    const beganMs = this.#asker.movedMs;
    await readPart(bytes, packed, { connection, pace });
    signal.throwIfAborted();
    const digests = smallDigests(bytes);
    if (rootOf(file.size, digests) !== root) {
      plan.refused(
        this.#asker,
        new Failure("corrupt", `"${file.name}" does not match its root (sent by ${this.#source.peer})`),
      );
      await this.#doubt(root);
      return;
    }
    const nowMs = clock.now();
    const isFirst = plan.arrived(this.#asker, nowMs);
    const arrived = { ...file, root, traits: { modified, executable } };
    const room = isFirst ? this.#parts.onFile(arrived, bytes, digests, nowMs - beganMs) : undefined;
    if (room === undefined) return;
    await unlessAborted(room, signal);
    // The source was not waited for.
    this.#asker.movedMs = clock.now();
  }

  *#questions(): Generator<DataOf<typeof DownloadMany>> {
    const { plan, compress, filesMax, tools: { clock } } = this.#parts;
    while (true) {
      const most = Math.min(this.#answersMax, Math.max(1, Math.floor(filesMax() / SMALL_REQUESTS_AHEAD)));
      const files: DataOf<typeof DownloadMany>["files"][number][] = [];
      let bytes = 0;
      let isWorthPacking = false;
      for (let room = most; room > 0 && bytes < MANY_BODY_BYTES;) {
        const index = plan.take(this.#asker, clock.now());
        if (index === undefined) break;
        const { name, size, root } = plan.file(index);
        files.push(root === undefined ? { name: plan.nameAt(index, this.#source.peer) } : { root });
        isWorthPacking ||= size > 0 && mayShrink(name);
        bytes += size;
        room -= root === undefined ? MANY_FILES_MAX / FILES_BY_NAME_MAX : 1;
      }
      if (files.length === 0) return;
      this.#asked.push(files.length);
      yield compress && isWorthPacking ? { files, compression: "gzip" } : { files };
    }
  }

  /** Reports to the peer that a file did not match its root, so that it checks its copy. */
  async #doubt(root: string): Promise<void> {
    const { signal } = this.#parts;
    try {
      using connection = await this.#connect();
      using _closing = connection.closeOn(signal);
      await ask(connection, Pieces, { root, from: 0, limit: 1, doubt: 0 });
    } catch {
      // The peer may ignore it: the file is fetched from others.
    }
  }
}

/**
 * Checks that an answer has the first of the requested files, one or more, and nothing else.
 *
 * @throws {Failure} "malformed".
 */
function checkAnswer({ data: { files }, bodyBytes }: ReplyWithBody<ReplyOf<typeof DownloadMany>>, asked: number): void {
  const bytes = files.reduce((sum, { size, packed = size }) => sum + packed, 0);
  if (files.length > 0 && files.length <= asked && bytes === bodyBytes) return;
  throw new Failure("malformed", `Got ${files.length} files and ${bodyBytes} bytes for ${asked} files`);
}
