/**
 * One connection to one peer, over which small files are fetched. They are asked for ahead,
 * answered in order, and each is compared with its root. Made by small_download.ts.
 * @module
 */

import { DIGEST_BYTES, digestOf, PIECE_BYTES, rootOf } from "../../core/content.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { ask, askAll } from "../../net/caller.ts";
import type { Connection } from "../../net/connection.ts";
import { Asking, Download, Pieces } from "../../protocol/files.ts";
import type { DataOf } from "../../protocol/message.ts";
import { packedBytesOf, readPart } from "../pieces/answer.ts";
import { mayShrink } from "../pieces/compress.ts";
import type { DownloadTools } from "../content/download_tools.ts";
import type { Source } from "../content/source.ts";
import type { ArrivedFile } from "./small_file.ts";
import type { Asker, SmallPlan } from "./small_plan.ts";

/** What one connection works with. */
export interface SmallConnectionParts {
  readonly plan: SmallPlan;
  readonly tools: DownloadTools;
  /** Whether files are asked for compressed. */
  readonly compress: boolean;
  /** Called with the first verified copy of each file, and with how long it took. */
  readonly onFile: (file: ArrivedFile, bytes: Uint8Array, digest: Uint8Array, tookMs: number) => void;
  /** Called when the peer reports that it is asking its owner for consent. */
  readonly onAsking: () => void;
  /** How many files may be asked for ahead now. */
  readonly ahead: () => number;
  readonly signal: AbortSignal;
}

/** One connection. It lasts while there is something to ask for. */
export class SmallConnection {
  readonly #source: Source;
  readonly #parts: SmallConnectionParts;
  readonly #buffer = new Uint8Array(PIECE_BYTES);
  readonly #asker: Asker;

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
    const { plan, signal, compress, tools: { clock, pace } } = this.#parts;
    let lastMs = clock.now();
    const onNews = (event: string): void => {
      if (event === Asking.event) this.#parts.onAsking();
    };
    for await (const reply of askAll(connection, Download, this.#questions(), { ahead: this.#parts.ahead, onNews })) {
      signal.throwIfAborted();
      const [index = 0] = this.#asker.asked;
      const file = plan.file(index);
      if (reply instanceof Failure) {
        plan.refused(this.#asker, reply);
        continue;
      }
      const bytes = this.#buffer.subarray(0, file.size);
      const packed = packedBytesOf(reply, { size: file.size, bytes: file.size, compress });
      await readPart(bytes, packed, { connection, pace });
      const digest = file.size === 0 ? new Uint8Array(0) : digestOf(bytes);
      const root = file.root ?? await this.#rootOf(index);
      if (rootOf(file.size, digest) !== root) {
        plan.refused(
          this.#asker,
          new Failure("corrupt", `"${file.name}" does not match its root (sent by ${this.#source.peer})`),
        );
        await this.#doubt(root);
        continue;
      }
      const nowMs = clock.now();
      const { modified, executable } = reply.data;
      const arrived = { ...file, root, traits: { modified, executable } };
      if (plan.arrived(this.#asker, nowMs)) this.#parts.onFile(arrived, bytes, digest, nowMs - lastMs);
      lastMs = nowMs;
    }
  }

  *#questions(): Generator<DataOf<typeof Download>> {
    const { plan, compress, tools: { clock } } = this.#parts;
    for (let index; (index = plan.take(this.#asker, clock.now())) !== undefined;) {
      const { name, size, root } = plan.file(index);
      const what = root === undefined ? { name: plan.nameAt(index, this.#source.peer) } : { root };
      const packed = compress && size > 0 && mayShrink(name) ? { compression: "gzip" as const } : {};
      yield { ...what, start: 0, end: size, ...packed };
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

  /** Asks for the root of a file that was not hashed when it was listed. */
  async #rootOf(index: number): Promise<string> {
    const { plan, signal } = this.#parts;
    using connection = await this.#connect();
    using _closing = connection.closeOn(signal);
    const question = { name: plan.nameAt(index, this.#source.peer), from: 0, limit: 1 };
    const { data, bodyBytes } = await ask(connection, Pieces, question);
    const file = plan.file(index);
    if (bodyBytes <= DIGEST_BYTES && data.root !== undefined && data.size === file.size) return data.root;
    throw new Failure("file-changed", `"${file.name}" has changed since it was listed`);
  }
}
