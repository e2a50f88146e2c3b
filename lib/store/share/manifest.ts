/**
 * A list of files that are shared besides those of the folder, wherever they are on the disk. Its
 * lines are `name path`, as in the classroom system that had such a list. Words with spaces go in
 * quotes, and Windows backslashes are understood. Empty lines and lines that begin with `#` are
 * skipped. peer.ts gives the list to the folder, and manifest_file.ts reads it again when it
 * changes.
 * @module
 */

import { dirname, resolve } from "node:path";
import { Failure } from "../../core/failure.ts";
import { FILES_PER_PEER_MAX, MANIFEST_BYTES_MAX } from "../../core/limits.ts";
import { printable } from "../../core/printable.ts";
import { demandPlainFile } from "../files/odd_file.ts";
import { isShareable } from "../files/shareable.ts";

/** A line that cannot be used, and why. Lines count from 1. */
export interface BadLine {
  readonly line: number;
  readonly why: string;
}

/** The files of a manifest: their real paths, without links, by name. */
export interface Manifest {
  readonly paths: ReadonlyMap<string, string>;
  readonly bad: readonly BadLine[];
}

/**
 * One word of a line: in quotes, or up to the next space. A backslash stands for itself, as in the
 * paths of Windows, except before a space that belongs to the word.
 */
const WORD_REGEXP = /\s*(?:"([^"]*)"|'([^']*)'|((?!["'])(?:[^\s\\]|\\ ?)+))(?=\s|$)/y;

/** What a manifest says, before the disk is asked. */
export function parseManifest(
  text: string,
): { entries: { line: number; name: string; path: string }[]; bad: BadLine[] } {
  const entries: { line: number; name: string; path: string }[] = [];
  const bad: BadLine[] = [];
  const lineOf = new Map<string, number>();
  text.split(/\r?\n/).forEach((content, index) => {
    const line = index + 1;
    const trimmed = content.trim();
    if (trimmed === "" || trimmed.startsWith("#")) return;
    try {
      const [written = "", path, ...rest] = splitWords(trimmed);
      const name = written.replaceAll("\\", "/");
      const first = lineOf.get(name);
      if (path === undefined) throw new Failure("usage", "there is no path after the name");
      if (rest.length > 0) {
        throw new Failure("usage", "there is more than a name and a path: words with spaces go in quotes");
      }
      if (!isShareable(name)) throw new Failure("usage", `"${printable(name)}" cannot be shared under that name`);
      if (first !== undefined) throw new Failure("usage", `line ${first} has the name "${printable(name)}" already`);
      lineOf.set(name, line);
      entries.push({ line, name, path });
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      bad.push({ line, why: thrown.message });
    }
  });
  return { entries, bad };
}

/**
 * Reads a manifest and looks for its files. Paths are relative to the folder of the manifest.
 *
 * @throws {Failure} "not-found" or "no-access" when it cannot be read, "too-large".
 */
export async function readManifest(path: string): Promise<Manifest> {
  const { entries, bad } = parseManifest(await readText(path));
  if (entries.length > FILES_PER_PEER_MAX) {
    throw new Failure("too-large", `Cannot share "${printable(path)}": it lists more than ${FILES_PER_PEER_MAX} files`);
  }
  const paths = new Map<string, string>();
  for (const { line, name, path: target } of entries) {
    try {
      const real = realPathOf(dirname(path), target);
      if (Deno.statSync(real).isFile) paths.set(name, real);
      else bad.push({ line, why: `"${printable(target)}" is not a file` });
    } catch {
      bad.push({ line, why: `there is no file "${printable(target)}"` });
    }
  }
  return { paths, bad: bad.sort((a, b) => a.line - b.line) };
}

/** Splits a line without spaces around it into words. */
function splitWords(line: string): string[] {
  const words: string[] = [];
  WORD_REGEXP.lastIndex = 0;
  for (let at = 0; at < line.length; at = WORD_REGEXP.lastIndex) {
    const match = WORD_REGEXP.exec(line);
    if (match === null) throw new Failure("usage", "a quote is not closed, or no space follows it");
    words.push(match[1] ?? match[2] ?? match[3]?.replaceAll("\\ ", " ") ?? "");
  }
  return words;
}

/**
 * The real path of what a line names. When there is no such file, backslashes are read as those of
 * a list from Windows.
 */
function realPathOf(folder: string, target: string): string {
  try {
    return Deno.realPathSync(resolve(folder, target));
  } catch (thrown) {
    if (!target.includes("\\")) throw thrown;
    return Deno.realPathSync(resolve(folder, target.replaceAll("\\", "/")));
  }
}

async function readText(path: string): Promise<string> {
  demandPlainFile(path);
  try {
    if ((await Deno.stat(path)).size <= MANIFEST_BYTES_MAX) return await Deno.readTextFile(path);
  } catch (thrown) {
    const failure = Failure.from(thrown, "not-found", `Cannot read the manifest "${printable(path)}"`);
    throw failure.with({ hint: "check the path" });
  }
  throw new Failure("too-large", `Cannot share "${printable(path)}": it is larger than ${MANIFEST_BYTES_MAX} bytes`);
}
