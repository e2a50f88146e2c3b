/** The version both programs print and exchange. @module */

import config from "../../deno.json" with { type: "json" };

/** The release, as in CHANGELOG.md. */
export const VERSION: string = config.version;

/** The version of the wire. Peers and indexes of another version refuse each other in words. */
export const PROTOCOL_VERSION = 1;

/** What HELLO says of the program. */
export const SOFTWARE = `recess/${VERSION}`;
