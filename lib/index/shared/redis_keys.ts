/**
 * What the keys in Redis are called. All keys of one peer have its name as hash tag, so a cluster keeps them on one node, and the peers
 * spread over all nodes. The picture of all keys is in lib/index/README.md. Pure.
 * @module
 */

/** The pseudo-server whose peers are registered names: they belong to no server, and end with their time. */
export const REGISTRY = "registry";

/** Makes the names of keys. */
export class RedisKeys {
  /** Stream: who has changed. */
  readonly news: string;
  /** Set: the servers there are. */
  readonly servers: string;
  readonly #namespace: string;

  constructor(namespace: string) {
    this.#namespace = namespace;
    this.news = `${namespace}:news`;
    this.servers = `${namespace}:servers`;
  }

  /** Text: there as long as the server lives. */
  lease(server: string): string {
    return `${this.#namespace}:lease:{${server}}`;
  }

  /** Set: the peers that joined at a server. */
  members(server: string): string {
    return `${this.#namespace}:members:{${server}}`;
  }

  /** The keys of one peer, given by its `peerNameKey`. */
  of(peer: string): PeerKeys {
    // A brace would end the hash tag.
    const tag = `{${peer.replaceAll("%", "%25").replaceAll("{", "%7b").replaceAll("}", "%7d")}}`;
    const key = (what: string): string => `${this.#namespace}:${what}:${tag}`;
    const alive = (word: string): string => `${key("alive")}:${word}`;
    const next = (session: string): string => `${key("next")}:${session}`;
    return { entry: key("peer"), list: key("list"), next, owner: key("owner"), alive };
  }
}

/** The keys of one peer. */
export interface PeerKeys {
  /** Hash: who it is, at which server, and which generation of its list this is. */
  readonly entry: string;
  /** List: the batches of changes that make up what the peer lists. */
  readonly list: string;
  /** The next generation of the list, as long as a session writes it: one that has lost the name and does not know it writes its own. */
  readonly next: (session: string) => string;
  /** Text: the id of the key to which the name belongs. */
  readonly owner: string;
  /** Text: the answer to somebody who asked with this word whether its session is alive; others may ask at the same time. */
  readonly alive: (word: string) => string;
}
