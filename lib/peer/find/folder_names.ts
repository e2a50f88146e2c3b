/**
 * Compares the names of folders as people do: ignoring case, accents and the form in which a system
 * encodes characters. Pure; called by directory.ts for the folder that a person typed.
 * @module
 */

import { fold } from "../../core/words.ts";

/**
 * The folder at the beginning of a file's name, if it may be the wanted one.
 *
 * @param wanted The folder that a person typed, with a slash at its end.
 * @returns Undefined when the file lies elsewhere.
 */
export function folderLike(file: string, wanted: string): string | undefined {
  const depth = wanted.split("/").length - 1;
  const components = file.split("/");
  if (components.length <= depth) return undefined;
  const folder = `${components.slice(0, depth).join("/")}/`;
  return fold(folder) === fold(wanted) ? folder : undefined;
}

/** The folder with the name that differs least from what was typed. */
export function mostLike(folders: Iterable<string>, wanted: string): string | undefined {
  return [...folders].toSorted((a, b) => difference(a, wanted) - difference(b, wanted))[0];
}

/**
 * How much two names differ: 0 not at all, then in the form of the characters, in case, in accents.
 */
function difference(folder: string, wanted: string): number {
  const forms: ((text: string) => string)[] = [
    (text) => text,
    (text) => text.normalize("NFC"),
    (text) => text.normalize("NFC").toLowerCase(),
  ];
  const same = forms.findIndex((form) => form(folder) === form(wanted));
  return same === -1 ? forms.length : same;
}
