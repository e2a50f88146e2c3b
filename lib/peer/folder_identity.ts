/**
 * The identity that belongs to a folder: made at the first start, kept in `.recess/identity.pem`.
 * @module
 */

import { failedWith, type Failure } from "../core/failure.ts";
import { Identity } from "../net/identity.ts";
import { readSecret, writeSecret } from "../store/secret_file.ts";

/**
 * Reads the identity at a path, or makes it. One that cannot be written lasts for this run, and `onNotKept` is told why.
 *
 * @throws {Failure} "no-access" when the file cannot be read or is damaged: nobody gets a new key unasked.
 */
export async function folderIdentity(path: string, onNotKept: (failure: Failure) => void): Promise<Identity> {
  const kept = await readSecret(path);
  if (kept !== undefined) return await Identity.fromPem(kept);
  const made = await Identity.make();
  try {
    await writeSecret(path, made.toPem());
  } catch (thrown) {
    if (!failedWith(thrown, "disk-full", "no-access")) throw thrown;
    onNotKept(thrown);
  }
  return made;
}
