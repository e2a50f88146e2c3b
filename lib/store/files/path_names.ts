/**
 * Finds paths that begin like one that a person is typing. Called by lib/peer/inbox/puts.ts for
 * completion.
 * @module
 */

/**
 * Finds what lies in the folder that the typed path names, up to its last slash.
 *
 * @param typed What was typed so far, relative to the folder where the program runs.
 * @returns At most `limit` paths that begin as typed, in order. Folders end in a slash. Hidden ones
 * are left out until a dot is typed. Empty where nothing can be read.
 */
export async function pathsLike(typed: string, limit: number): Promise<string[]> {
  const cut = typed.lastIndexOf("/") + 1;
  const [folder, beginning] = [typed.slice(0, cut), typed.slice(cut)];
  const found: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder === "" ? "." : folder)) {
      if (name.startsWith(".") && !beginning.startsWith(".")) continue;
      if (name.toLowerCase().startsWith(beginning.toLowerCase())) found.push(folder + name + (isDirectory ? "/" : ""));
    }
  } catch {
    // The folder is missing or cannot be read: there is nothing to offer.
  }
  return found.sort().slice(0, limit);
}
