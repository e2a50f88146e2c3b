/**
 * A small file that only its owner may read: the identity of a folder, the key of a room. Called by lib/peer and by both programs.
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

/** The text of a file in which a person said that `what` is. Fails: "not-found", "no-access". */
export async function requireSecret(path: string, what: string): Promise<string> {
  const text = await readSecret(path);
  if (text !== undefined) return text;
  throw new Failure("not-found", `There is no ${what} in "${printable(path)}"`, { hint: "check the path" });
}

/**
 * Writes the file, never over one that is there: whole, or not at all.
 *
 * @throws {Failure} "no-access", "disk-full".
 */
export async function writeSecret(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  try {
    if (await readSecret(path) !== undefined) throw new Deno.errors.AlreadyExists("it is there already");
    await Deno.writeTextFile(beside, text, { mode: MODE });
    await Deno.rename(beside, path);
  } catch (thrown) {
    await Deno.remove(beside).catch(() => {});
    throw Failure.from(thrown, "no-access", `Cannot write "${printable(path)}"`);
  }
}
