/**
 * The files of a folder while its pages arrive from an index. Called by finder.ts.
 *
 * A folder may have a hundred thousand files, and the same few peers have all of them. So files
 * with the same holders share one list of them.
 * @module
 */

import type { Hit, PeerRef } from "../../protocol/shapes.ts";
import type { Content } from "../../transfer/content/content.ts";
import type { Source } from "../../transfer/content/source.ts";
import { sourceOf } from "./peer_refs.ts";
import type { FolderFile } from "./wanted.ts";

/** The holders of a file in both forms. */
type Holders = Pick<FolderFile, "peers" | "sources">;

/** Lists of holders, each once. */
export class SharedHolders {
  readonly #peers: PeerRef[] = [];
  /** By everything that is said about a peer. An index may name any number of them. */
  readonly #numbers = new Map<string, number>();
  /** By the numbers of the peers. */
  readonly #lists = new Map<string, Holders>();

  /** These holders of a file. */
  of({ name, root }: Content, given: readonly PeerRef[]): Holders {
    const numbers = given.map((peer) => this.#numberOf(peer));
    const key = numbers.join();
    const known = this.#lists.get(key);
    const peers = known?.peers ?? numbers.flatMap((number) => this.#peers[number] ?? []);
    // A file without a root is asked for by its name.
    if (root === undefined) return { peers, sources: sourcesOf(peers, name) };
    const holders = known ?? { peers, sources: sourcesOf(peers) };
    this.#lists.set(key, holders);
    return holders;
  }

  #numberOf(peer: PeerRef): number {
    const { id, name, host, port, plain, dialect = "" } = peer;
    // A name has no NUL.
    const key = [id, host, port, plain, dialect, name].join("\0");
    const number = this.#numbers.get(key) ?? this.#peers.push(peer) - 1;
    this.#numbers.set(key, number);
    return number;
  }
}

/** The files of a folder while its pages arrive. */
export class FolderFiles {
  /** One content for each name. */
  readonly chosen = new Map<string, FolderFile>();
  /** The chosen root again, listed with other sizes. */
  readonly doubtful = new Map<string, FolderFile[]>();
  readonly #self: string | undefined;
  readonly #seen = new Set<string>();
  readonly #holders = new SharedHolders();

  constructor(self: string | undefined) {
    this.#self = self;
  }

  /** How many names have arrived. */
  get names(): number {
    return this.#seen.size;
  }

  /** Adds a hit. Of several with one name, the first that somebody can verify is chosen. */
  add({ name, size, root, peers, holders }: Hit): void {
    this.#seen.add(name);
    const others = peers.filter((peer) => peer.name !== this.#self);
    const verifying = others.filter(({ dialect }) => dialect === undefined);
    const known = this.chosen.get(name);
    if (others.length === 0 || (known !== undefined && verifying.length === 0)) return;
    const content = { name, size, root };
    const file = { ...content, ...this.#holders.of(content, verifying), moreHolders: holders > peers.length };
    if (known === undefined || known.peers.length === 0) this.chosen.set(name, file);
    else if (known.root !== undefined && known.root === file.root) {
      this.doubtful.set(name, [...this.doubtful.get(name) ?? [], file]);
    }
  }
}

function sourcesOf(peers: readonly PeerRef[], file?: string): Source[] {
  return peers.map((peer) => sourceOf(peer, file));
}
