/**
 * Compares names of folders as people do: without case, accents or the form in which a system stores its characters. Pure; called by
 * directory.ts for the folder that a person typed.
 * @module
 */

import { fold } from "../../core/words.ts";

/** The folder at the beginning of a file's name that may be the wanted one, which ends in a slash; undefined when the file lies elsewhere. */
export function folderLike(file: string, wanted: string): string | undefined {
  const depth = wanted.split("/").length - 1;
  const components = file.split("/");
  if (components.length <= depth) return undefined;
  const folder = `${components.slice(0, depth).join("/")}/`;
  return fold(folder) === fold(wanted) ? folder : undefined;
}

/** Of the folders that may be meant, the one whose name differs least from what was typed. */
export function mostLike(folders: Iterable<string>, wanted: string): string | undefined {
  return [...folders].toSorted((a, b) => difference(a, wanted) - difference(b, wanted))[0];
}

/** How much differs: nothing, the form of the characters, case, accents. */
function difference(folder: string, wanted: string): number {
  const forms: ((text: string) => string)[] = [
    (text) => text,
    (text) => text.normalize("NFC"),
    (text) => text.normalize("NFC").toLowerCase(),
  ];
  const same = forms.findIndex((form) => form(folder) === form(wanted));
  return same === -1 ? forms.length : same;
}
