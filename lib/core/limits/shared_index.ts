/**
 * Bounds of servers that share an index over Redis.
 * @module
 */
/**
 * Batches of a list that Redis gives in one reply: some hundred kilobytes, which occupy it for a
 * millisecond.
 */
export const REDIS_BATCHES_MAX = 2;
/**
 * The largest batch of a list, inflated: a thousand names of the longest kind, with each character
 * escaped.
 */
export const REDIS_BATCH_BYTES_MAX = 8 * 1024 ** 2;
/** Commands that wait for Redis at once. */
export const REDIS_COMMANDS_MAX = 20_000;
/**
 * Changes that Redis keeps for servers that are late. A server that is even later loads all entries
 * again.
 */
export const REDIS_NEWS_MAX = 100_000;
/** Entries that a server loads from Redis at once. */
export const REDIS_LOADING_MAX = 16;
/**
 * Changes of one peer that are kept while Redis is unreachable. With more, the other servers load
 * its whole list later.
 */
export const REDIS_PENDING_MAX = 64;
/** How long to wait for Redis to answer one command. */
export const REDIS_WAIT_MS = 2_000;
/** The longest pause before a server tries to reach Redis again. */
export const REDIS_RECONNECT_MS_MAX = 500;
/**
 * How often a server exchanges changes with Redis, and thus how late the other servers know them.
 */
export const REDIS_NEWS_EVERY_MS = 100;
/** How long a list may take to be written to Redis before it is dropped as unfinished. */
export const REDIS_REWRITE_MS_MAX = 120_000;
/** How long Redis takes a silent server for alive. */
export const SERVER_LEASE_MS = 10_000;
/** How often a server renews its lease and checks those of the others. */
export const SERVER_LEASE_EVERY_MS = 3_000;
/**
 * How long a server is missing before its peers are forgotten. When Redis returns empty, all
 * servers are missing until they announce themselves.
 */
export const SERVER_MISSED_MS = 10_000;
/**
 * How long to wait for a sign of life from a peer's session at another server when the peer joins
 * here.
 */
export const REMOTE_PROBE_WAIT_MS = 1_500;
/** How long Redis keeps a name for a key that does not join under it. */
export const NAME_KEPT_MS = 30 * 24 * 3_600_000;
