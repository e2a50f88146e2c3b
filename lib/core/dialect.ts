/**
 * What stands in a peer's row when the peer is a classmate's own program. Such a program speaks one
 * of the two classroom dialects and has no key (lib/protocol/README.md, "Classroom dialects").
 * @module
 */

/** The dialects: JSON objects as in classroom A, words as in classroom B. */
export const DIALECTS = ["json", "words"] as const;
/** One of the classroom dialects. */
export type Dialect = typeof DIALECTS[number];

/** The id of a peer without a key. No certificate has this digest. */
export const NO_ID = "0".repeat(64);

/** The certificate of a peer without a key. */
export const NO_CERTIFICATE = "00";
