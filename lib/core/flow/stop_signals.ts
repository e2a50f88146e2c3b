/**
 * The signals that end a program in order. Called by server.ts and peer.ts.
 * @module
 */

/**
 * The signals by which the system or a person asks a program to end.
 *
 * Windows has no SIGTERM. There, SIGBREAK is Ctrl-Break, and SIGHUP says that the console window
 * was closed.
 */
export const STOP_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK", "SIGHUP"]
  : ["SIGINT", "SIGTERM"];
