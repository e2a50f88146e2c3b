/**
 * Programs that are bound by the permissions of files, also when the tests run as root, which could
 * write in any folder.
 * @module
 */

import { withComponent } from "./components.ts";

/** What lets root read and write whatever the permissions say. */
const WITHOUT = ["--bounding-set", "-dac_override,-dac_read_search"];

/**
 * Registers a test that runs programs as an ordinary user: it is given the command within which
 * they run.
 */
export function testAsOrdinaryUser(name: string, run: (within: readonly string[]) => Promise<void>): void {
  if (Deno.uid() !== 0) Deno.test(name, () => run([]));
  else withComponent("setpriv", [...WITHOUT, "true"])(name, () => run(["setpriv", ...WITHOUT]));
}
