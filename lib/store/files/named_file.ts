/**
 * Reads a file that the person at the keyboard named: by a path from the current folder, or by its
 * name in the shared folder. Called by lib/peer/pictures/show_picture.ts.
 * @module
 */

import { basename } from "node:path";
import { Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";
import { formatSize } from "../../core/quantity.ts";
import type { Folder } from "./folder.ts";

/** A file that was read whole. */
export interface NamedFile {
  /** Its last component. */
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Reads a file whole.
 *
 * @throws {Failure} "not-found" when it is at neither place, "too-large" beyond `bytesMax`,
 * "no-access".
 */
export async function readNamedFile(path: string, folder: Folder, bytesMax: number): Promise<NamedFile> {
  const doing = `Cannot read "${printable(path)}"`;
  for (const place of [path, folder.pathOf(path)]) {
    try {
      const { isFile, size } = await Deno.stat(place);
      if (!isFile) continue;
      const bytes = size > bytesMax ? undefined : await Deno.readFile(place);
      if (bytes !== undefined && bytes.length <= bytesMax) return { name: basename(place), bytes };
      throw new Failure("too-large", `${doing}: it has ${formatSize(size)}, and may have ${formatSize(bytesMax)}`);
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.NotFound)) throw Failure.from(thrown, "no-access", doing);
    }
  }
  throw new Failure("not-found", `${doing}: there is no such file`, { hint: "name a file by its path" });
}
