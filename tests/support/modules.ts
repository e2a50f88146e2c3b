/**
 * Reads the modules of `lib/` as text: what each imports, circles among them, and how long their
 * functions are. Called by the tests of the layers and of the sizes.
 * @module
 */

import { posix } from "node:path";
import { PROJECT } from "./programs.ts";

/** For each node of a graph the nodes to which its arrows point. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/** A function or method, and the lines from its head to its closing brace. */
export interface FunctionSize {
  readonly name: string;
  readonly lines: number;
}

/**
 * Lists the modules of `lib/`, also those of folders inside folders.
 *
 * @returns Paths below `lib/`.
 */
export function modules(folder = ""): string[] {
  return Array.from(Deno.readDirSync(`${PROJECT}/lib/${folder}`)).flatMap(({ name, isDirectory }) => {
    const path = `${folder}${name}`;
    return isDirectory ? modules(`${path}/`) : path.endsWith(".ts") ? [path] : [];
  });
}

/** The text of a module of `lib/`. */
export function textOf(module: string): string {
  return Deno.readTextFileSync(`${PROJECT}/lib/${module}`);
}

/** The text of a module without its comments, which hold examples. */
export function codeOf(module: string): string {
  return withoutComments(textOf(module));
}

/** A text without its comments. */
export function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, "");
}

/**
 * Lists what a module imports of the project, types included, also where it does so while it runs.
 *
 * @returns Paths below `lib/`.
 */
export function importsOf(module: string): string[] {
  return Array.from(codeOf(module).matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g), ([, imported = ""]) => {
    return posix.join(posix.dirname(module), imported);
  });
}

/** The same graph with one node for each folder, without arrows from a folder to itself. */
export function foldersOf(graph: Graph): Graph {
  const folders = new Map<string, string[]>();
  for (const [module, imports] of graph) {
    const folder = posix.dirname(module);
    const others = imports.filter((each) => graph.has(each)).map(posix.dirname).filter((each) => each !== folder);
    folders.set(folder, [...new Set([...(folders.get(folder) ?? []), ...others])]);
  }
  return folders;
}

/**
 * Finds the nodes that can be reached from themselves.
 *
 * @returns For each such node the shortest way back to it, beginning and ending with it.
 */
export function circlesOf(graph: Graph): string[][] {
  return [...graph.keys()].map((start) => wayBack(graph, start)).filter((way) => way.length > 0);
}

function wayBack(graph: Graph, start: string): string[] {
  const from = new Map<string, string>();
  const waiting = [start];
  for (const node of waiting) {
    for (const next of graph.get(node) ?? []) {
      if (next === start) return [...wayTo(from, start, node), start];
      if (from.has(next)) continue;
      from.set(next, node);
      waiting.push(next);
    }
  }
  return [];
}

function wayTo(from: ReadonlyMap<string, string>, start: string, end: string): string[] {
  const way = [end];
  while (way[0] !== start) way.unshift(from.get(way[0] ?? "") ?? start);
  return way;
}

const MODIFIERS = "(?:export |default |async |static |override |private |protected |get |set |\\*)*";
const NAME = "(?<name>#?[\\w$]+|\\[Symbol\\.\\w+\\])";
/** The head of a function or method, as `deno fmt` sets it: at the start of a line. */
const HEAD = new RegExp(`^(?<indent> *)${MODIFIERS}(?:function\\*? *)?${NAME}(?:<.*>)?\\(`);
/** Words that are followed by a parenthesis and are no names of functions. */
const WORDS = new Set(["if", "for", "while", "switch", "catch", "return", "await", "using", "super", "throw"]);

/**
 * Measures the functions and methods of a text that `deno fmt` has set: each ends with the first
 * brace that stands as far to the right as its head.
 */
export function functionsOf(text: string): FunctionSize[] {
  const lines = text.split("\n");
  return lines.flatMap((line, at) => {
    const { indent = "", name = "" } = HEAD.exec(line)?.groups ?? {};
    if (name === "" || WORDS.has(name)) return [];
    const closing = `${indent})`;
    const headEnd = line.endsWith("(") ? lines.findIndex((each, below) => below > at && each.startsWith(closing)) : at;
    if (!/^.*\)(: .+)? \{$/.test(lines[headEnd] ?? "") || lines[headEnd]?.endsWith("=> {")) return [];
    const end = lines.findIndex((each, below) => below > headEnd && each.startsWith(`${indent}}`));
    return [{ name, lines: end - at + 1 }];
  });
}
