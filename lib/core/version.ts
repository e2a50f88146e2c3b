/** The version that both programs print and exchange. @module */

import config from "../../deno.json" with { type: "json" };

/** The release, as in CHANGELOG.md. */
export const VERSION: string = config.version;

/**
 * The version of the wire. Peers and indexes of another version reject each other with a sentence.
 */
export const PROTOCOL_VERSION = 1;

/** The name and version that the program gives in HELLO. */
export const SOFTWARE = `recess/${VERSION}`;
