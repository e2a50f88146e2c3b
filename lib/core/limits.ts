/**
 * The one list of bounds. Everything that comes from a network, and every wait, has its bound here.
 * A name ends in its unit, and the comment above it gives the reason. README.md shows the table,
 * which `deno task docs` makes from these files and a test checks.
 * @module
 */

export * from "./limits/wire.ts";
export * from "./limits/server.ts";
export * from "./limits/shared_index.ts";
export * from "./limits/peer.ts";
export * from "./limits/waits.ts";
