/**
 * A million files at a server that shares them over Redis, and another server that starts.
 * @module
 */

import { assertLess } from "@std/assert";
import { measureShared } from "../bench/shared.ts";

const FILES = 1_000_000;
const FOLLOW_MS_MAX = 60_000;
const SEARCH_P99_MS_MAX = 20;
const SCRIPT_MS_MAX = 1;
/**
 * Commands that took more than a few milliseconds, although the machine did something else nearly
 * all of that time.
 */
const SLOW_SHARE_MAX = 0.005;

Deno.test("a new server follows a million files within a minute, and no command blocks Redis for long", async () => {
  const found = await measureShared(FILES);
  console.log(JSON.stringify(found));
  assertLess(found.followMs, FOLLOW_MS_MAX);
  assertLess(found.searchP99Ms, SEARCH_P99_MS_MAX);
  assertLess(found.scriptMs, SCRIPT_MS_MAX);
  assertLess(found.slow / found.commands, SLOW_SHARE_MAX);
});
