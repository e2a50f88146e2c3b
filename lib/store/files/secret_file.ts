/**
 * A small file that only its owner may read: the identity of a folder, the key of a room. Called by
 * lib/peer and by both programs.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { PIPE_WAIT_MS } from "../../core/limits.ts";
import { printable } from "../../core/printable.ts";
import { demandPlainFile, isThere, oddKindAt } from "./odd_file.ts";

/** Readable and writable by the owner alone. */
const MODE = 0o600;

/**
 * What others may not do with a secret. An identity belongs to one person. A group may read a key
 * that a room or several servers share.
 */
const LOOSE_BITS = { own: 0o077, shared: 0o027 } as const;

/**
 * A sentence that warns when others on this machine may read or change a secret. Undefined when
 * they may not, when there is no such file, and on Windows, which has no such modes.
 */
export async function looseMode(path: string, kind: keyof typeof LOOSE_BITS): Promise<string | undefined> {
  const mode = await Deno.stat(path).then((info) => info.mode, () => null);
  if (mode === null || Deno.build.os === "windows" || (mode & LOOSE_BITS[kind]) === 0) return undefined;
  const modes = (mode & 0o777).toString(8).padStart(3, "0");
  return `Others on this machine can read or change "${printable(path)}" (mode ${modes}); close it with: chmod 600`;
}

/**
 * The text of the file, or undefined when there is none.
 *
 * @throws {Failure} "no-access", also for a pipe or a device, which may never end.
 */
export async function readSecret(path: string): Promise<string | undefined> {
  demandPlainFile(path);
  try {
    return await Deno.readTextFile(path);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw Failure.from(thrown, "no-access", `Cannot read "${printable(path)}"`);
  }
}

/**
 * The text of the file that a person named for `what`. A pipe is also read, since programs that
 * keep secrets hand them out this way.
 *
 * @throws {Failure} "not-found", "no-access", or "timeout" when nothing is written into the pipe.
 */
export async function requireSecret(path: string, what: string): Promise<string> {
  const text = oddKindAt(path) === "a pipe" ? await readPipe(path) : await readSecret(path);
  if (text !== undefined) return text;
  throw new Failure("not-found", `There is no ${what} in "${printable(path)}"`, { hint: "check the path" });
}

/** The text that another program writes into a pipe. */
async function readPipe(path: string): Promise<string> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(
      new Failure("timeout", `Cannot read "${printable(path)}": it is a pipe, and nobody writes into it`, {
        hint: "name a file",
      }),
    );
  }, PIPE_WAIT_MS);
  try {
    return await Promise.race([Deno.readTextFile(path), promise]);
  } catch (thrown) {
    throw Failure.from(thrown, "no-access", `Cannot read "${printable(path)}"`);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Writes the file again, if another program removed it: whole, or not at all.
 *
 * @throws {Failure} "no-access", "disk-full".
 */
export function restoreSecret(path: string, text: string): void {
  if (isThere(path)) return;
  const beside = `${path}.new`;
  try {
    demandPlainFile(beside);
    Deno.writeTextFileSync(beside, text, { mode: MODE });
    Deno.renameSync(beside, path);
  } catch (thrown) {
    throw Failure.from(thrown, "no-access", `Cannot write "${printable(path)}"`);
  }
}

/**
 * Writes the file, never over an existing one: whole, or not at all.
 *
 * @throws {Failure} "no-access", "disk-full".
 */
export async function writeSecret(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  try {
    if (await readSecret(path) !== undefined) throw new Deno.errors.AlreadyExists("it is there already");
    demandPlainFile(beside);
    await Deno.writeTextFile(beside, text, { mode: MODE });
    await Deno.rename(beside, path);
  } catch (thrown) {
    await Deno.remove(beside).catch(() => {});
    throw Failure.from(thrown, "no-access", `Cannot write "${printable(path)}"`);
  }
}
