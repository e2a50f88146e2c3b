/**
 * The identity that belongs to a folder. It is made at the first start and kept in
 * `.recess/identity.pem`.
 * @module
 */

import { failedWith, type Failure } from "../../core/failure.ts";
import { Identity } from "../../net/identity.ts";
import { looseMode, readSecret, writeSecret } from "../../store/files/secret_file.ts";

/** Callbacks for problems with a kept identity. */
export interface IdentityHandlers {
  /** Called when it cannot be written, so that it lasts for this run only. */
  onNotKept(failure: Failure): void;
  /** Called when other users of this machine can read it. */
  onLoose(why: string): void;
}

/**
 * Reads the identity at a path, or makes it.
 *
 * @throws {Failure} "no-access" when the file cannot be read or is damaged. A person has to decide
 * about a new key.
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
