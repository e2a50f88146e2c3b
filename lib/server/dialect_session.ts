/**
 * Answers one connection in a classroom dialect: of a classmate's own client, or of a person with
 * `nc` or telnet. Called by index_server.ts.
 *
 * As with our own peers, the index believes only the host that it observes. A client may name the
 * port at which it serves, but no other host.
 * @module
 */

import { type Address, formatAddress } from "../core/address.ts";
import type { Clock } from "../core/flow/clock.ts";
import { failedWith, Failure } from "../core/failure.ts";
import {
  CLOSE_WAIT_MS,
  DIALECT_LINES_MAX,
  DIALECT_SILENCE_MS_MAX,
  HITS_MAX,
  MALFORMED_LINES_MAX,
  PAGE_ROWS_MAX,
} from "../core/limits.ts";
import { printable } from "../core/printable.ts";
import { formatCount, formatSize } from "../core/quantity.ts";
import type { IndexedPeer, SearchIndex, WantedContent } from "../index/search_index.ts";
import type { CallerPaces } from "../net/caller_paces.ts";
import type { DialectReader, RawRequest } from "../net/dialect_reader.ts";
import {
  decodeDialect,
  DIALECT_ANSWERS,
  type DialectRequest,
  encodeAddresses,
  encodeDialectFailure,
} from "../protocol/dialect_requests.ts";
import type { ClassroomPeers } from "./classroom_peers.ts";
import type { IndexMetrics } from "./index_metrics.ts";
import { bugEvent, type Journal } from "./journal.ts";
import { hostFor, viewpointOf } from "./peer_ref.ts";

/** What all sessions in classroom dialects share. */
export interface DialectSessionParts {
  readonly index: SearchIndex;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly metrics: IndexMetrics;
  readonly peers: ClassroomPeers;
  /** The pace of each address, over all its connections. */
  readonly paces: CallerPaces;
}

const HELP = `This is a Recess index. Type one of these, then Enter:
  PEERS                        lists the peers
  SEARCH word word             finds files with these words in their names
  HELP                         prints this help
A program sends these (put quotes around names with spaces):
  JOIN 10.0.0.5:8776 a.mp4     shares these files at this port
  UPDATE 10.0.0.5:8776 b.mp4   shares one more file; its name may have spaces without quotes
  SEARCH 10.0.0.5:8776 a.mp4   finds the peers with this file; the answer is ip:port ip:port
  LEAVE 10.0.0.5:8776          leaves
The same in JSON: {"method": "JOIN", "data": {"files": ["a.mp4"], "port": 8776}}
To share and download yourself: deno task peer FOLDER --index THIS-HOST:PORT
`;

/** Answers requests until the connection ends or breaks. */
export async function serveDialect(reader: DialectReader, parts: DialectSessionParts): Promise<void> {
  const { connection, dialect } = reader;
  // A client that has disconnected does not get it. The next read notices that.
  const say = (answer: string): Promise<void> => connection.send(new TextEncoder().encode(answer)).catch(() => {});
  const session = new DialectSession(reader, parts);
  for (let malformed = 0; malformed < MALFORMED_LINES_MAX;) {
    let raw: RawRequest | null;
    try {
      raw = await reader.next(DIALECT_SILENCE_MS_MAX);
    } catch (thrown) {
      // The start of the next request is unknown.
      await say(encodeDialectFailure(Failure.from(thrown, "closed", "Cannot read that")));
      break;
    }
    if (raw === null) break;
    const ending = raw.isLine ? "\n" : "";
    await parts.paces.wait(connection.remote.host);
    const startedMs = parts.clock.now();
    try {
      const answer = await session.answer(decodeDialect(dialect, raw.bytes), raw);
      if (answer === undefined) break;
      await say(answer.endsWith("\n") ? answer : answer + ending);
    } catch (thrown) {
      const failure = Failure.from(thrown, "internal", "Cannot answer");
      parts.metrics.refused(failure.code);
      if (!(thrown instanceof Failure)) parts.journal(bugEvent(thrown));
      if (failedWith(failure, "malformed")) {
        malformed += 1;
        parts.journal({ event: "refused", peer: session.label, code: failure.code, message: failure.message });
      }
      await say(encodeDialectFailure(failure) + ending);
      if (failedWith(failure, "unsupported")) break;
    } finally {
      parts.metrics.answeredDialect(dialect, parts.clock.now() - startedMs);
    }
  }
  await connection.closeInOrder(CLOSE_WAIT_MS);
}

/** The session of one connection. */
class DialectSession {
  readonly #reader: DialectReader;
  readonly #parts: DialectSessionParts;
  /** The address at which the client serves, once it has named its port. */
  #serving: Address | undefined;

  constructor(reader: DialectReader, parts: DialectSessionParts) {
    this.#reader = reader;
    this.#parts = parts;
  }

  /** The name of this connection in the journal. */
  get label(): string {
    return formatAddress(this.#serving ?? this.#reader.connection.remote);
  }

  /**
   * Answers one request.
   *
   * @param isLine Whether the request ended with a line feed, as those that people type do.
   * @returns The answer without a line feed; undefined where the connection has to end without a
   * byte.
   * @throws {Failure} for what cannot be answered.
   */
  async answer(request: DialectRequest, { isLine }: { isLine: boolean }): Promise<string | undefined> {
    const { peers } = this.#parts;
    const { dialect, connection: { remote } } = this.#reader;
    const port = "port" in request ? request.port : this.#serving?.port;
    peers.heard(remote.host, port);
    switch (request.kind) {
      case "join":
        await peers.join(this.#serve(port), dialect, request.files);
        return DIALECT_ANSWERS.joined;
      case "update":
        await peers[request.isWhole ? "join" : "add"](this.#serve(port), dialect, request.files);
        return DIALECT_ANSWERS.updated;
      case "leave":
        await peers.leave(this.#serve(port), "said goodbye");
        return DIALECT_ANSWERS.left;
      case "search": {
        const holders = await this.#search(request.name);
        // A program of classroom B reads any answer as addresses. Its own server closes when no
        // peer has the file.
        return holders.length === 0 && dialect === "words" && !isLine ? undefined : encodeAddresses(dialect, holders);
      }
      case "confirm":
        return await this.#confirm(request.name, port);
      case "find":
        return await this.#find(request.query);
      case "peers":
        return await this.#listPeers();
      case "help":
        return HELP;
      case "download":
        throw new Failure("malformed", "Cannot send files: this is an index", {
          hint: "SEARCH lists the peers that have them",
        });
    }
  }

  /**
   * Notes where the client serves: at the observed host, and at the port that it names, or else the
   * port of its connection.
   */
  #serve(port: number | undefined): Address {
    const { remote } = this.#reader.connection;
    return this.#serving = { host: remote.host, port: port ?? remote.port };
  }

  async #search(name: string): Promise<Address[]> {
    const holders = await this.#holders(name);
    this.#parts.journal({ event: "searched", peer: this.label, query: name, hits: holders.length });
    return holders;
  }

  async #confirm(name: string, port: number | undefined): Promise<string> {
    const found = (await this.#holders(name)).find((holder) => port === undefined || holder.port === port);
    const owner = found === undefined ? `port ${port ?? "unknown"}` : formatAddress(found);
    this.#parts.journal({ event: "asked", peer: this.label, owner, file: name, found: found !== undefined });
    return found === undefined ? DIALECT_ANSWERS.notFound : DIALECT_ANSWERS.confirmed;
  }

  /** The addresses of the peers that have a file of this name and serve without encryption. */
  async #holders(name: string): Promise<Address[]> {
    const { index, peers } = this.#parts;
    const viewpoint = viewpointOf(this.#reader.connection);
    const found = new Map<string, Address>();
    const add = ({ host, port }: { readonly host: string; readonly port: number | undefined }): void => {
      if (port === undefined) return;
      const address = { host: hostFor(viewpoint, host), port };
      found.set(formatAddress(address), address);
    };
    for (const address of peers.holders(name)) add(address);
    const { hits } = await index.search({ query: name, exact: true, limit: HITS_MAX, offset: 0 });
    for (const hit of hits.filter((each) => isNamed(each.name, name))) {
      if (found.size >= PAGE_ROWS_MAX) break;
      const holders = hit.root === undefined
        ? hit.peers
        : await this.#holdersOf({ root: hit.root, size: hit.size }, name);
      holders.filter(({ plain }) => plain).forEach(add);
    }
    return [...found.values()];
  }

  /** The peers that have a content under this name. */
  async #holdersOf(content: WantedContent, name: string): Promise<IndexedPeer[]> {
    const { holders } = await this.#parts.index.find(content, { limit: PAGE_ROWS_MAX, offset: 0 });
    return holders.filter((holder) => !holder.partial && isNamed(holder.name, name)).map(({ peer }) => peer);
  }

  async #find(query: string): Promise<string> {
    const { hits, more } = await this.#parts.index.search({ query, exact: false, limit: DIALECT_LINES_MAX, offset: 0 });
    this.#parts.journal({ event: "searched", peer: this.label, query, hits: hits.length });
    if (hits.length === 0) return `Nothing here matches "${printable(query)}"\n`;
    const lines = hits.map(({ name, size, peers, holders }) => {
      const known = peers.some(({ dialect }) => dialect === undefined);
      const others = holders > peers.length ? ", …" : "";
      return `${name}  ${known ? formatSize(size) : "size unknown"}  ${
        peers.map((peer) => peer.name).join(", ")
      }${others}`;
    });
    return linesOf(more ? [...lines, `There are more matches than the ${hits.length} shown: add words`] : lines);
  }

  async #listPeers(): Promise<string> {
    const { peers, more } = await this.#parts.index.peers({ limit: PAGE_ROWS_MAX, offset: 0 });
    if (peers.length === 0) return "Nobody is here yet\n";
    const lines = peers.map(({ name, host, port, files, bytes, dialect }) => {
      const at = port === undefined ? "cannot be reached" : this.#shownAt(host, port);
      return `${name}  ${at}  ${formatCount(files, "file")}${dialect === undefined ? `, ${formatSize(bytes)}` : ""}`;
    });
    return linesOf(more ? [...lines, "and others"] : lines);
  }

  #shownAt(host: string, port: number): string {
    return formatAddress({ host: hostFor(viewpointOf(this.#reader.connection), host), port });
  }
}

/** Whether a listed name is this one, with or without its folders. */
function isNamed(listed: string, name: string): boolean {
  return listed === name || listed.endsWith(`/${name}`);
}

function linesOf(lines: readonly string[]): string {
  return lines.map((line) => `${printable(line)}\n`).join("");
}
