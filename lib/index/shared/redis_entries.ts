/**
 * The entries of peers in Redis, each with its list as a log of batches. These are typed calls over
 * the scripts; shared_index.ts, own_peers.ts, other_peers.ts and follower.ts decide when to call
 * them.
 * @module
 */

import { failedWith, Failure } from "../../core/failure.ts";
import { NAME_KEPT_MS, REDIS_BATCHES_MAX, REDIS_REWRITE_MS_MAX, REMOTE_PROBE_WAIT_MS } from "../../core/limits.ts";
import { ROOT_REGEXP } from "../../core/content.ts";
import { DIALECTS, NO_ID } from "../../core/dialect.ts";
import { peerNameKey } from "../../core/peer_name.ts";
import { decodeListBatch, encodeListBatch, type ListBatch } from "./list_batch.ts";
import { type RedisKeys, REGISTRY } from "./redis_keys.ts";
import { listOf, type RedisLink, type Reply, textOf } from "./redis_link.ts";
import { APPEND, PUT, READ, REGISTER, REMOVE, UNREGISTER, WRITE_NEXT } from "./redis_scripts.ts";
import type { IndexedPeer } from "../search_index.ts";

/**
 * A position in the log of a peer's list: behind so many batches of a generation. A session writes
 * one log, and each of its generations replaces the one before.
 */
export interface LogPosition {
  readonly session: string;
  readonly generation: number;
  readonly position: number;
}

/** An entry, with batches that its reader did not have. The position is the one behind them. */
export interface ReadEntry extends LogPosition {
  readonly server: string;
  readonly peer: IndexedPeer;
  /** The position where the batches begin. It is 0 when the reader has to load the whole list. */
  readonly start: number;
  readonly batches: readonly ListBatch[];
  /** Whether more batches follow. */
  readonly more: boolean;
  /** When the entry expires, if it does. */
  readonly leftMs: number | undefined;
}

/** An entry to write. Its position is how many batches were written to the next log before. */
export interface PutEntry extends LogPosition {
  readonly peer: IndexedPeer;
  readonly server: string;
  /** The session that has an entry to replace, or "" when there must be none. */
  readonly replaces: string;
  /** Readers at this position of an earlier generation have all that is in the new log. */
  readonly continues: Omit<LogPosition, "session"> | undefined;
}

/** The result of an attempt to write an entry. */
export type PutResult =
  | { readonly kind: "put" }
  /** The name belongs to another key. */
  | { readonly kind: "owned" }
  /** Another session has an entry under this name. */
  | { readonly kind: "held"; readonly session: string; readonly server: string; readonly id: string };

/** The position of a reader that has read nothing yet. */
export const NOTHING_READ: LogPosition = { session: "", generation: 0, position: 0 };

/** Calls on entries. Each names a peer by its `peerNameKey`. All fail as the link does. */
export class RedisEntries {
  readonly #link: RedisLink;
  readonly #keys: RedisKeys;

  constructor(link: RedisLink, keys: RedisKeys) {
    this.#link = link;
    this.#keys = keys;
  }

  /**
   * Puts an entry, with the log that was written with {@linkcode writeNext}.
   *
   * @throws {Failure} "unreachable" also when Redis has lost a part of that log.
   */
  async put(key: string, entry: PutEntry): Promise<PutResult> {
    const { peer, server, session, replaces, generation, position, continues } = entry;
    const keys = this.#keys.of(key);
    const after = [continues?.generation ?? -1, continues?.position ?? -1];
    const args = [peer.id, server, session, JSON.stringify(peer), replaces, generation, ...after, position];
    const keptMs = peer.id === NO_ID ? 0 : NAME_KEPT_MS;
    const all = [keys.entry, keys.list, keys.next(session), keys.owner] as const;
    const [kind, ...held] = listOf(await this.#link.run(PUT, all, [...args, keptMs].map(String))).map(textOf);
    if (kind === "unwritten") {
      throw new Failure("unreachable", "Cannot put a list in Redis: it has lost a part of the list");
    }
    if (kind === "held") return { kind, session: held[0] ?? "", server: held[1] ?? "", id: held[2] ?? "" };
    return { kind: kind === "put" ? "put" : "owned" };
  }

  /** Begins a new log of a session, beside the one that the entry has. */
  async beginNext(key: string, session: string): Promise<void> {
    await this.#link.send("UNLINK", this.#keys.of(key).next(session));
  }

  /** Adds a batch to the new log. */
  async writeNext(key: string, session: string, batch: ListBatch): Promise<void> {
    const next = this.#keys.of(key).next(session);
    await this.#link.run(WRITE_NEXT, [next], [encodeListBatch(batch), String(REDIS_REWRITE_MS_MAX)]);
  }

  /**
   * Adds a batch to the log of an entry.
   *
   * @param written The end of the log.
   * @returns "lost" when another session has the name, "different log" when the log does not end
   * there.
   */
  async append(key: string, written: LogPosition, batch: ListBatch): Promise<"appended" | "lost" | "different log"> {
    const { entry, list } = this.#keys.of(key);
    const { session, generation, position } = written;
    const args = [session, String(generation), String(position), encodeListBatch(batch)];
    const length = Number(textOf(await this.#link.run(APPEND, [entry, list], args)));
    return length === -1 ? "lost" : length === -2 ? "different log" : "appended";
  }

  /**
   * Reads an entry, and batches behind a position of its log.
   *
   * @param batchesMax How many batches. With 0, only the position where they begin is reported.
   * @returns Undefined when there is no entry.
   */
  async read(
    key: string,
    { session, generation, position }: LogPosition,
    batchesMax = REDIS_BATCHES_MAX,
  ): Promise<ReadEntry | undefined> {
    const { entry, list } = this.#keys.of(key);
    const args = [session, generation, position, batchesMax].map(String);
    const fields = listOf(await this.#link.run(READ, [entry, list], args));
    if (fields.length === 0) return undefined;
    const [server, readSession, peer] = fields.map((field) => Array.isArray(field) ? "" : textOf(field));
    const [readGeneration = 0, start = 0, length = 0, leftMs = -1] = fields.slice(3, 7).map((each) =>
      Number(textOf(each))
    );
    const batches = listOf(fields[7]).map((batch) => decodeListBatch(bytesOf(batch)));
    const end = start + batches.length;
    return {
      server: server ?? "",
      session: readSession ?? "",
      peer: peerOf(key, peer ?? ""),
      generation: readGeneration,
      start,
      position: end,
      batches,
      more: end < length,
      leftMs: leftMs < 0 ? undefined : leftMs,
    };
  }

  /**
   * Removes an entry, if it belongs to a server and, unless `session` is "", to that session.
   *
   * @returns Whether it did.
   */
  async remove(key: string, server: string, session = ""): Promise<boolean> {
    const { entry, list } = this.#keys.of(key);
    try {
      return textOf(await this.#link.run(REMOVE, [entry, list], [server, session])) !== "0";
    } catch (thrown) {
      // Another program has written a value of another type.
      if (failedWith(thrown, "malformed")) return false;
      throw thrown;
    }
  }

  /** Reports to the server that asked with this word that a session is alive. */
  async answerProbe(key: string, word: string): Promise<void> {
    await this.#link.send("SET", this.#keys.of(key).alive(word), "1", "PX", String(2 * REMOTE_PROBE_WAIT_MS));
  }

  /** Whether the probe with this word was answered. */
  async isProbeAnswered(key: string, word: string): Promise<boolean> {
    return await this.#text(this.#keys.of(key).alive(word)) !== undefined;
  }

  /** The key to which a name belongs. */
  async owner(key: string): Promise<string | undefined> {
    return await this.#text(this.#keys.of(key).owner);
  }

  /**
   * Registers a name for a time, or renews it with its token.
   *
   * @param token The token of an earlier registration, or "".
   * @param fresh The token of a new one.
   * @returns The token, or why the name was not registered.
   */
  async register(
    key: string,
    entry: { readonly peer: IndexedPeer; readonly session: string; readonly ttlMs: number },
    token: string,
    fresh: string,
  ): Promise<{ readonly token: string } | "owned" | "held" | "refused"> {
    const keys = this.#keys.of(key);
    const { peer, session, ttlMs } = entry;
    const args = [peer.id, REGISTRY, session, JSON.stringify(peer), token, fresh, String(ttlMs)];
    const [kind = "", kept = ""] = listOf(await this.#link.run(REGISTER, [keys.entry, keys.owner], args)).map(textOf);
    if (kind === "registered") return { token: kept };
    return kind === "held" || kind === "refused" ? kind : "owned";
  }

  /** Removes a registered name. */
  async unregister(key: string, token: string): Promise<"removed" | "absent" | "refused"> {
    try {
      const answer = textOf(await this.#link.run(UNREGISTER, [this.#keys.of(key).entry], [token]));
      return answer === "0" ? "absent" : answer === "-1" ? "refused" : "removed";
    } catch (thrown) {
      // Another program has written a value of another type.
      if (failedWith(thrown, "malformed")) return "absent";
      throw thrown;
    }
  }

  async #text(key: string): Promise<string | undefined> {
    const reply = await this.#link.send("GET", key);
    return reply === null ? undefined : textOf(reply);
  }
}

/**
 * Reads the peer of an entry.
 *
 * @throws {Failure} "malformed".
 */
function peerOf(key: string, json: string): IndexedPeer {
  try {
    const { name, id, certificate, plain, host, port, dialect } = JSON.parse(json);
    const isWhole = [name, certificate, host].every((each) => typeof each === "string") && ROOT_REGEXP.test(id) &&
      (port === undefined || Number.isInteger(port) && port > 0 && port < 65_536) &&
      (dialect === undefined || DIALECTS.includes(dialect));
    // Under the key of another peer it would take that peer's place.
    if (isWhole && peerNameKey(name) === key) {
      return { name, id, certificate, plain: plain === true, host, port, dialect };
    }
  } catch {
    // Text that is not JSON is as wrong as other JSON.
  }
  throw new Failure("malformed", "Cannot read a peer in Redis");
}

function bytesOf(reply: Reply): Uint8Array {
  if (reply instanceof Uint8Array) return reply;
  throw new Failure("malformed", "Cannot read a list in Redis");
}
