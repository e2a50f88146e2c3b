/**
 * Bounds of what an index accepts and does at once.
 * @module
 */
/** Connections that an index serves at once. */
export const INDEX_CONNECTIONS_MAX = 12_000;
/**
 * Connections to an index that have not proven a key yet: thousands may come back within a second.
 */
export const INDEX_STRANGERS_MAX = 4_096;
/**
 * Proofs that an index checks for one address in a second: each takes about a millisecond of CPU
 * time.
 */
export const PROOFS_PER_SECOND_MAX = 200;
/** Questions that an index answers on one connection in a second: others wait. */
export const QUESTIONS_PER_SECOND_MAX = 200;
/** Peers that an index dials back at once: others wait for their turn. */
export const DIAL_BACKS_MAX = 64;
/** Names that an index keeps for the keys that joined under them. */
export const NAMES_BOUND_MAX = 100_000;
/** Files that one peer may list. */
export const FILES_PER_PEER_MAX = 250_000;
/** Characters in all names that one peer lists: the index keeps each word of them in memory. */
export const NAME_CHARACTERS_PER_PEER_MAX = 32_000_000;
/** Words of one name that are indexed, so that a hostile name costs no more than a long one. */
export const NAME_WORDS_MAX = 64;
/**
 * Memory for the names of all lists, as lib/index/local/list_room.ts estimates it: about 1.7
 * million names of common length, or 120,000 of the longest.
 */
export const INDEX_LIST_BYTES_MAX = 800_000_000;
/**
 * One address may use this many times the memory that is still free for names: all but a ninth when
 * it is alone.
 */
export const LIST_SHARE_OF_FREE = 8;
/** Downloads that one peer may announce as partial copies. */
export const PARTIALS_PER_PEER_MAX = 1_000;
/** Copies that one search compares to put its hits in order: more would take too long. */
export const COPIES_RANKED_MAX = 10_000;
/**
 * Names that a search for one exact name looks at, since names that differ in case or accents count
 * as one.
 */
export const EXACT_NAMES_MAX = 2_000;
/** Copies that one question for a folder looks at. */
export const FOLDER_COPIES_MAX = 50_000;
/** Holders of one content that are counted: a higher number helps nobody. */
export const HOLDERS_COUNTED_MAX = 50_000;
/**
 * Time between two lines of the log about the same peer's list, so that a large list is one line.
 */
export const LISTED_PAUSE_MS = 1_000;
/**
 * Peers of classroom dialects that an index lists. When all places are taken, the address with most
 * of them loses one.
 */
export const DIALECT_PEERS_MAX = 2_000;
/** Files that one peer of a classroom dialect may list: a folder of homework. */
export const DIALECT_FILES_MAX = 5_000;
/** Files that all peers of classroom dialects at one index list together. */
export const DIALECT_FILES_IN_ALL_MAX = 200_000;
/** Names that are registered over HTTP at once. */
export const REGISTRATIONS_MAX = 10_000;
/**
 * Names that one address may register over HTTP at one server: enough for a lab's whole row behind
 * one machine.
 */
export const REGISTRATIONS_PER_ADDRESS_MAX = 64;
/**
 * Seconds for which a name may be registered over HTTP, so that programs that never return are
 * dropped after a day.
 */
export const REGISTRATION_SECONDS_MAX = 86_400;
/** Seconds for which a name is registered over HTTP by default: a lesson. */
export const REGISTRATION_SECONDS = 3_600;
/** HTTP connections that are open at once. */
export const HTTP_CONNECTIONS_MAX = 1_000;
/** HTTP requests that are answered at once. */
export const HTTP_REQUESTS_MAX = 1_000;
/** HTTP requests that are answered at once for one address. Further ones are refused. */
export const HTTP_REQUESTS_PER_ADDRESS_MAX = 32;
/** HTTP requests that are answered for one address in a second: others wait. */
export const HTTP_REQUESTS_PER_SECOND_MAX = 100;
