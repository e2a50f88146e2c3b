/**
 * The identity that belongs to a folder: made at the first start, kept in `.recess/identity.pem`.
 * @module
 */

import { failedWith, type Failure } from "../../core/failure.ts";
import { Identity } from "../../net/identity.ts";
import { looseMode, readSecret, writeSecret } from "../../store/files/secret_file.ts";

/** Callbacks for what is wrong with a kept identity. */
export interface IdentityHandlers {
  /** It cannot be written, so it lasts for this run. */
  onNotKept(failure: Failure): void;
  /** Others on this machine can read it. */
  onLoose(why: string): void;
}

/**
 * Reads the identity at a path, or makes it.
 *
 * @throws {Failure} "no-access" when the file cannot be read or is damaged: nobody gets a new key unasked.
 */
export async function folderIdentity(path: string, { onNotKept, onLoose }: IdentityHandlers): Promise<Identity> {
  const kept = await readSecret(path);
  const loose = await looseMode(path, "own");
  if (loose !== undefined) onLoose(loose);
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
