/**
 * The peers in Redis, one entry each, with the list as a log of batches. Typed calls over the scripts; who calls what when is the business
 * of shared_index.ts and follower.ts.
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

/** How far somebody has read an entry: so many batches of a generation of the list of a session. */
export interface Reading {
  readonly session: string;
  readonly generation: number;
  readonly position: number;
}

/** An entry, and what its reader lacked. */
export interface ReadEntry extends Reading {
  readonly server: string;
  readonly peer: IndexedPeer;
  /** Where the batches begin: 0, where the reader has to begin anew. */
  readonly start: number;
  readonly batches: readonly ListBatch[];
  /** Whether there are more batches behind these. */
  readonly more: boolean;
  /** The time it has left, if it ends by itself. */
  readonly leftMs: number | undefined;
}

/** An entry that is to be put. */
export interface PutEntry {
  readonly peer: IndexedPeer;
  readonly server: string;
  readonly session: string;
  /** The session whose entry may be replaced; "" if none is to be there. */
  readonly replaces: string;
  readonly generation: number;
  /** The generation that its readers know, and the length of that, if this one says the same; -1 if not. */
  readonly after: number;
  readonly from: number;
  /** How many batches were written to the next list. */
  readonly base: number;
}

/** What became of an attempt to take a name. */
export type PutResult =
  | { readonly kind: "put" }
  /** The name belongs to another key. */
  | { readonly kind: "owned" }
  /** Somebody has it. */
  | { readonly kind: "held"; readonly session: string; readonly server: string; readonly id: string };

/** Nobody has read anything yet. */
export const NOTHING_READ: Reading = { session: "", generation: 0, position: 0 };

/** Calls on entries; each names a peer by its `peerNameKey`. All fail as the link does. */
export class RedisEntries {
  readonly #link: RedisLink;
  readonly #keys: RedisKeys;

  constructor(link: RedisLink, keys: RedisKeys) {
    this.#link = link;
    this.#keys = keys;
  }

  /** Puts an entry, with the list that was written with {@linkcode writeNext}. Fails: "unreachable", too, when Redis has lost that. */
  async put(key: string, entry: PutEntry): Promise<PutResult> {
    const { peer, server, session, replaces, generation, after, from, base } = entry;
    const keys = this.#keys.of(key);
    const args = [peer.id, server, session, JSON.stringify(peer), replaces, generation, after, from, base];
    const keptMs = peer.id === NO_ID ? 0 : NAME_KEPT_MS;
    const all = [keys.entry, keys.list, keys.next(session), keys.owner] as const;
    const [kind, ...held] = listOf(await this.#link.run(PUT, all, [...args, keptMs].map(String))).map(textOf);
    if (kind === "unwritten") throw new Failure("unreachable", "Cannot put a list in Redis: it has lost a part of it");
    if (kind === "held") return { kind, session: held[0] ?? "", server: held[1] ?? "", id: held[2] ?? "" };
    return { kind: kind === "put" ? "put" : "owned" };
  }

  /** Begins a new list of a session beside the one that is there. */
  async beginNext(key: string, session: string): Promise<void> {
    await this.#link.send("UNLINK", this.#keys.of(key).next(session));
  }

  /** Adds a batch to it. */
  async writeNext(key: string, session: string, batch: ListBatch): Promise<void> {
    const next = this.#keys.of(key).next(session);
    await this.#link.run(WRITE_NEXT, [next], [encodeListBatch(batch), String(REDIS_REWRITE_MS_MAX)]);
  }

  /** Adds a batch to the list, which has been written as far as `written` says. Shape: "lost" when somebody else has the name. */
  async append(key: string, written: Reading, batch: ListBatch): Promise<"appended" | "lost" | "out of step"> {
    const { entry, list } = this.#keys.of(key);
    const { session, generation, position } = written;
    const args = [session, String(generation), String(position), encodeListBatch(batch)];
    const length = Number(textOf(await this.#link.run(APPEND, [entry, list], args)));
    return length === -1 ? "lost" : length === -2 ? "out of step" : "appended";
  }

  /** Reads an entry on from where somebody is, some batches at a time, or only where it stands. Undefined when there is none. */
  async read(key: string, { session, generation, position }: Reading, batchesMax = REDIS_BATCHES_MAX): Promise<
    ReadEntry | undefined
  > {
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

  /** Removes an entry, if it is that of a server, and of a session where one is named. Shape: whether it was. */
  async remove(key: string, server: string, session = ""): Promise<boolean> {
    const { entry, list } = this.#keys.of(key);
    try {
      return textOf(await this.#link.run(REMOVE, [entry, list], [server, session])) !== "0";
    } catch (thrown) {
      // What is no entry is nobody's.
      if (failedWith(thrown, "malformed")) return false;
      throw thrown;
    }
  }

  /** Says that a session is alive, to the server that asked with this word. */
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

  /** Registers a name for a time, or renews it with its token. Shape: its token, or why not. */
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
      // What is no entry is nobody's.
      if (failedWith(thrown, "malformed")) return "absent";
      throw thrown;
    }
  }

  async #text(key: string): Promise<string | undefined> {
    const reply = await this.#link.send("GET", key);
    return reply === null ? undefined : textOf(reply);
  }
}

/** A peer as it was put under a key. Fails: "malformed". */
function peerOf(key: string, json: string): IndexedPeer {
  try {
    const { name, id, certificate, plain, host, port, dialect } = JSON.parse(json);
    const isWhole = [name, certificate, host].every((each) => typeof each === "string") && ROOT_REGEXP.test(id) &&
      (port === undefined || Number.isInteger(port) && port > 0 && port < 65_536) &&
      (dialect === undefined || DIALECTS.includes(dialect));
    // Under the key of somebody else it would take that one's place.
    if (isWhole && peerNameKey(name) === key) {
      const kind = dialect === undefined ? {} : { dialect };
      return { name, id, certificate, plain: plain === true, host, port, ...kind };
    }
  } catch {
    // No JSON is as wrong as other JSON.
  }
  throw new Failure("malformed", "Cannot read a peer in Redis");
}

function bytesOf(reply: Reply): Uint8Array {
  if (reply instanceof Uint8Array) return reply;
  throw new Failure("malformed", "Cannot read a list in Redis");
}
