/**
 * The names of the keys in Redis. All keys of one peer have its name as hash tag, so a cluster
 * keeps them on one node and spreads the peers over all nodes. A table of all keys is in
 * lib/index/README.md. Pure.
 * @module
 */

/** The pseudo-server of registered names, which belong to no server and expire. */
export const REGISTRY = "registry";

/** The keys of one namespace. */
export class RedisKeys {
  /** Stream: which peers have changed. */
  readonly news: string;
  /** Set: the servers. */
  readonly servers: string;
  readonly #namespace: string;

  constructor(namespace: string) {
    this.#namespace = namespace;
    this.news = `${namespace}:news`;
    this.servers = `${namespace}:servers`;
  }

  /** Text: exists while the server is alive. */
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
  /** Hash: the peer, its server, and the generation of its list. */
  readonly entry: string;
  /** List: the batches of changes that make up what the peer lists. */
  readonly list: string;
  /**
   * The next generation of the list, while a session writes it. Each session has its own: one may
   * not know yet that it has lost the name.
   */
  readonly next: (session: string) => string;
  /** Text: the id of the key that owns the name. */
  readonly owner: string;
  /**
   * Text: the answer to a server that asked with this word whether the session is alive. Several
   * servers may ask at once.
   */
  readonly alive: (word: string) => string;
}
