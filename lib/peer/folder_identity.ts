/**
 * The identity that belongs to a folder: made at the first start, kept in `.recess/identity.pem`.
 * @module
 */

import { Identity } from "../net/identity.ts";
import { readSecret, writeSecret } from "../store/secret_file.ts";

/** Reads the identity at a path, or makes it. Fails: "no-access", also when the file is damaged: nobody gets a new key unasked. */
export async function folderIdentity(path: string): Promise<Identity> {
  const kept = await readSecret(path);
  if (kept !== undefined) return await Identity.fromPem(kept);
  const made = await Identity.make();
  await writeSecret(path, made.toPem());
  return made;
}
