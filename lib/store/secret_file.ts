/**
 * A small file that only its owner may read, in the state of a folder. Called by lib/peer for the identity.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { printable } from "../core/printable.ts";

/** Readable and writable by the owner alone. */
const MODE = 0o600;

/** The text of the file, or undefined when there is none. Fails: "no-access". */
export async function readSecret(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw Failure.from(thrown, "no-access", `Cannot read "${printable(path)}"`);
  }
}

/** Writes the file, never over one that is there. Fails: "no-access", "disk-full". */
export async function writeSecret(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text, { createNew: true, mode: MODE });
  } catch (thrown) {
    throw Failure.from(thrown, "no-access", `Cannot write "${printable(path)}"`);
  }
}
