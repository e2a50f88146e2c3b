/**
 * The servers that share one Redis: which of them are alive, which peers each has, and the news
 * that they report to each other. Called by shared_index.ts, own_peers.ts and follower.ts.
 * @module
 */

import { BATCH_FILES_MAX, REDIS_NEWS_MAX, SERVER_LEASE_MS } from "../../core/limits.ts";
import type { RedisKeys } from "./redis_keys.ts";
import { listOf, type RedisLink, type Reply, textOf } from "./redis_link.ts";

/** What one server reports to all others. */
export interface Note {
  readonly server: string;
  /** The peers that have changed entries. */
  readonly changed: readonly string[];
  /**
   * A peer wants to join at that server: the server asks whether the session that has the name is
   * alive.
   */
  readonly probe?: { readonly key: string; readonly session: string; readonly word: string } | undefined;
}

/** Calls on servers and news. All fail as the link does. */
export class RedisServers {
  readonly #link: RedisLink;
  readonly #keys: RedisKeys;

  constructor(link: RedisLink, keys: RedisKeys) {
    this.#link = link;
    this.#keys = keys;
  }

  /** Adds a server, with a lease. */
  async announce(server: string): Promise<void> {
    await this.#link.send("SET", this.#keys.lease(server), "1", "PX", String(SERVER_LEASE_MS));
    await this.#link.send("SADD", this.#keys.servers, server);
  }

  /**
   * Renews the lease of a server, and adds the server again if Redis has lost it.
   *
   * @returns Whether it still had a lease.
   */
  async renew(server: string): Promise<boolean> {
    await this.#link.send("SADD", this.#keys.servers, server);
    const answer = await this.#link.send("SET", this.#keys.lease(server), "1", "PX", String(SERVER_LEASE_MS), "XX");
    return answer !== null;
  }

  /** Whether a server has a lease. */
  async isAlive(server: string): Promise<boolean> {
    return textOf(await this.#link.send("EXISTS", this.#keys.lease(server))) === "1";
  }

  /** Removes a server that has no peers left. */
  async forget(server: string): Promise<void> {
    await this.#link.send("UNLINK", this.#keys.members(server));
    await this.#link.send("UNLINK", this.#keys.lease(server));
    await this.#link.send("SREM", this.#keys.servers, server);
  }

  /** The servers that were not removed. */
  async all(): Promise<string[]> {
    return listOf(await this.#link.send("SMEMBERS", this.#keys.servers)).map(textOf);
  }

  /** Notes that a peer has joined a server, or is about to. */
  async addMember(server: string, key: string): Promise<void> {
    await this.#link.send("SADD", this.#keys.members(server), key);
  }

  /** Notes that a peer has left a server. */
  async removeMember(server: string, key: string): Promise<void> {
    await this.#link.send("SREM", this.#keys.members(server), key);
  }

  /** The peers at a server, in batches. A peer may come twice. */
  async *members(server: string): AsyncGenerator<string[]> {
    let cursor = "0";
    do {
      const reply = await this.#link.send(
        "SSCAN",
        this.#keys.members(server),
        cursor,
        "COUNT",
        String(BATCH_FILES_MAX),
      );
      const [next, members] = listOf(reply);
      yield listOf(members).map(textOf);
      cursor = textOf(next);
    } while (cursor !== "0");
  }

  /** Reports something to all servers. */
  async report({ server, changed, probe }: Note): Promise<void> {
    const fields = ["server", server, "changed", JSON.stringify(changed)];
    if (probe !== undefined) fields.push("probe", JSON.stringify(probe));
    await this.#link.send("XADD", this.#keys.news, "MAXLEN", "~", String(REDIS_NEWS_MAX), "*", ...fields);
  }

  /** The place of the last news. */
  async lastNews(): Promise<string> {
    const [last] = listOf(await this.#link.send("XREVRANGE", this.#keys.news, "+", "-", "COUNT", "1"));
    return last === undefined ? "0-0" : textOf(listOf(last)[0]);
  }

  /**
   * The news after a place and the place of the last one. `gap` reports that some may already have
   * been trimmed.
   */
  async newsSince(place: string): Promise<{ notes: Note[]; place: string; gap: boolean }> {
    const { news } = this.#keys;
    const [[stream], [first]] = await Promise.all([
      this.#link.sendTo(news, ["XREAD", "COUNT", String(BATCH_FILES_MAX), "STREAMS", news, place]),
      this.#link.send("XRANGE", news, "-", "+", "COUNT", "1"),
    ]).then((replies) => replies.map(listOf)) as [readonly Reply[], readonly Reply[]];
    const entries = listOf(listOf(stream)[1]).map((entry) => {
      const [id, fields] = listOf(entry);
      return { id: textOf(id), fields: listOf(fields).map(textOf) };
    });
    const gap = first !== undefined && place !== "0-0" && isBefore(place, textOf(listOf(first)[0]));
    return { notes: entries.map(({ fields }) => noteOf(fields)), place: entries.at(-1)?.id ?? place, gap };
  }
}

/** Whether one place in a stream (milliseconds, then a number) comes before another. */
function isBefore(one: string, other: string): boolean {
  const [[a = 0, b = 0], [c = 0, d = 0]] = [one, other].map((place) => place.split("-").map(Number)) as [
    number[],
    number[],
  ];
  return a < c || (a === c && b < d);
}

/** Reads a note. One that cannot be read counts as a note without content. */
function noteOf(fields: readonly string[]): Note {
  const field = (name: string): string => fields[fields.indexOf(name) + 1] ?? "";
  try {
    const changed: unknown = JSON.parse(field("changed"));
    const probe = fields.includes("probe") ? { probe: JSON.parse(field("probe")) } : {};
    const keys = Array.isArray(changed) ? changed.filter((key) => typeof key === "string") : [];
    return { server: field("server"), changed: keys, ...probe };
  } catch {
    return { server: "", changed: [] };
  }
}
