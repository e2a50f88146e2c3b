/**
 * Measures the English of comments and documents by the rules of the house: hardly any clauses with
 * `who`, no words that a reader stumbles over, short lines, few semicolons in documents, and no
 * mention of a file that does not exist.
 *
 *     deno run -R tests/support/english.ts            counts of each folder and each document
 *     deno run -R tests/support/english.ts lib/net    one folder, with each offence
 * @module
 */

import { documentPassages, type Passage, sourcePassages } from "./english_passages.ts";

const ROOT = new URL("../../", import.meta.url);

/**
 * What is counted. "strings" are texts within the code (messages, help, names of tests): counted to
 * be seen, not to be bounded.
 */
export const RULES = ["who", "phrases", "over 100", "over 120", "missing", "semicolons", "strings"] as const;
export type Rule = (typeof RULES)[number];

/** One place that breaks a rule. */
export interface Offence {
  readonly rule: Rule;
  /** The path of the file from the project's root. */
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

/** What was found in a folder (or in one document), not counting the folders inside it. */
export interface Measured {
  /** A folder such as "lib/net", a program such as "peer.ts", or a document. */
  readonly place: string;
  readonly isDocument: boolean;
  /** Words of comments, or of a document. */
  words: number;
  /** Sentences of a document; 0 for a folder. */
  sentences: number;
  readonly offences: Offence[];
}

const WHO = /\bwho(?:ever|m|se)?\b/gi;
const PHRASES = /\bif\s+not\s+said\b|\banew\b|\bof\s+which\b/gi;
const TOLD = /\btold\b/gi;
const WORD = /[\p{L}][\p{L}'’-]*/gu;
const COMMENT_COLUMNS_MAX = 100;
const LINE_COLUMNS_MAX = 120;
/** A text of fewer words is a name or a label, not a sentence. */
const SENTENCE_WORDS_MIN = 3;
const SKIPPED = new Set([".git", "node_modules", "dist", "cov"]);

/**
 * Measures the whole project.
 *
 * @returns One entry for each folder with sources, for each program and for each document, in order
 * of name.
 */
export async function measureEnglish(root: URL = ROOT): Promise<Measured[]> {
  const files = await filesBelow(root, "");
  const texts = new Map<string, string>();
  for (const file of files.filter((each) => /\.(?:ts|md)$/.test(each))) {
    texts.set(file, await Deno.readTextFile(new URL(file, root)));
  }
  const mentions = new Mentions(files, texts);
  const places = new Map<string, Measured>();
  for (const [file, text] of texts) {
    const isDocument = file.endsWith(".md");
    const place = isDocument || !file.includes("/") ? file : file.slice(0, file.lastIndexOf("/"));
    const measured = places.get(place) ?? { place, isDocument, words: 0, sentences: 0, offences: [] };
    places.set(place, measured);
    measure(measured, file, text);
    measured.offences.push(...mentions.missing(file, text));
  }
  return [...places.values()].sort((a, b) => a.place < b.place ? -1 : 1);
}

/** The paths of all files below a folder, with "/" between their parts. */
async function filesBelow(root: URL, folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, root))) {
    if (SKIPPED.has(name)) continue;
    if (isDirectory) files.push(...await filesBelow(root, `${folder}${name}/`));
    else files.push(`${folder}${name}`);
  }
  return files;
}

function measure(measured: Measured, file: string, text: string): void {
  const passages = measured.isDocument ? documentPassages(text) : sourcePassages(text);
  for (const passage of passages) {
    const words = passage.text.match(WORD)?.length ?? 0;
    if (passage.kind === "string" && words < SENTENCE_WORDS_MIN) continue;
    if (passage.kind !== "string") measured.words += words;
    for (const { rule, line, what } of wordOffences(file, passage)) {
      measured.offences.push({ rule: passage.kind === "string" ? "strings" : rule, file, line, what });
    }
    if (!measured.isDocument) continue;
    measured.sentences += sentencesOf(passage.text);
    for (const found of passage.text.matchAll(/;/g)) {
      measured.offences.push({ rule: "semicolons", file, ...around(passage, found.index) });
    }
  }
  if (!measured.isDocument) measured.offences.push(...longLines(file, text, passages));
}

function wordOffences(file: string, passage: Passage): Pick<Offence, "rule" | "line" | "what">[] {
  const found = (rule: Rule, pattern: RegExp): Pick<Offence, "rule" | "line" | "what">[] => {
    return [...passage.text.matchAll(pattern)].map(({ index }) => ({ rule, ...around(passage, index) }));
  };
  const isTalk = /(?:^|[/_])talk[/_.]/.test(file);
  return [...found("who", WHO), ...found("phrases", PHRASES), ...(isTalk ? [] : found("phrases", TOLD))];
}

/** The line of a place within a passage, and what stands around it. */
function around(passage: Passage, index: number): { line: number; what: string } {
  const line = passage.line + passage.text.slice(0, index).split("\n").length - 1;
  const what = passage.text.slice(Math.max(0, index - 30), index + 40).replaceAll(/\s+/g, " ").trim();
  return { line, what };
}

function sentencesOf(text: string): number {
  const sentences = text.split(/[.!?:](?=["”’)*_]*(?:\s|$))/);
  return sentences.filter((each) => (each.match(WORD)?.length ?? 0) >= SENTENCE_WORDS_MIN).length;
}

function longLines(file: string, text: string, passages: readonly Passage[]): Offence[] {
  const ofComments = new Set<number>();
  for (const { kind, text: comment, line, isAlone } of passages) {
    if (kind !== "comment") continue;
    comment.split("\n").forEach((_, index) => (isAlone || index > 0) && ofComments.add(line + index));
  }
  return text.split("\n").flatMap((row, index) => {
    const columns = [...row].length;
    const isComment = ofComments.has(index + 1);
    if (columns <= (isComment ? COMMENT_COLUMNS_MAX : LINE_COLUMNS_MAX)) return [];
    const what = `${columns} columns: ${row.trim().slice(0, 50)}`;
    const offences: Offence[] = [{ rule: isComment ? "over 100" : "over 120", file, line: index + 1, what }];
    if (isComment && columns > LINE_COLUMNS_MAX) offences.push({ rule: "over 120", file, line: index + 1, what });
    return offences;
  });
}

/** Checks whether the files and sections that comments and documents mention exist. */
class Mentions {
  readonly #texts: ReadonlyMap<string, string>;
  /** The files that each end of a path may mean: "lib/net/dial.ts", "net/dial.ts" and "dial.ts". */
  readonly #byEnd = new Map<string, string[]>();

  constructor(files: readonly string[], texts: ReadonlyMap<string, string>) {
    this.#texts = texts;
    for (const file of files) {
      const parts = file.split("/");
      for (const index of parts.keys()) {
        const end = parts.slice(index).join("/");
        this.#byEnd.set(end, [...this.#byEnd.get(end) ?? [], file]);
      }
    }
  }

  /**
   * The mentions of files and sections that do not exist. In a source, only those in its comments.
   */
  missing(file: string, text: string): Offence[] {
    const prose = file.endsWith(".md") ? text : onlyComments(text);
    const offence = (index: number, what: string): Offence => {
      return { rule: "missing", file, line: prose.slice(0, index).split("\n").length, what };
    };
    const names = [...prose.matchAll(/(?<![\w/.:*-])(?:\.{1,2}\/)*[\w-]+(?:[/.][\w-]+)*\.(?:ts|md)\b/g)]
      .filter(({ 0: name }) => this.#meant(file, name).length === 0)
      .map(({ index, 0: name }) => offence(index, name));
    const sections = [...prose.matchAll(/([\w/.-]+\.md)[`)]*,[\s*/]*"([^"]+)"/g)]
      .filter(({ 1: name = "", 2: section = "" }) => {
        const meant = this.#meant(file, name);
        return meant.length > 0 && !meant.some((each) => headingsOf(this.#texts.get(each) ?? "").has(section));
      })
      .map(({ index, 1: name = "", 2: section = "" }) => offence(index, `${name}, "${section}"`));
    return [...names, ...sections, ...(file.endsWith(".md") ? this.#deadLinks(file, text, offence) : [])];
  }

  #deadLinks(file: string, text: string, offence: (index: number, what: string) => Offence): Offence[] {
    return [...text.matchAll(/\]\(([^)\s]+)\)/g)].filter(({ 1: target = "" }) => {
      const [path = "", anchor] = target.split("#");
      if (/^\w+:/.test(target)) return false;
      const meant = path === "" ? [file] : this.#meant(file, path);
      const anchors = meant.flatMap((each) => [...headingsOf(this.#texts.get(each) ?? "")].map(anchorOf));
      return meant.length === 0 || (anchor !== undefined && !anchors.includes(anchor));
    }).map(({ index, 1: target = "" }) => offence(index, target));
  }

  /** The files that a name in a file may mean. */
  #meant(file: string, name: string): readonly string[] {
    const parts = file.split("/").slice(0, -1);
    for (const part of name.split("/")) {
      if (part === "..") parts.pop();
      else if (part !== ".") parts.push(part);
    }
    const beside = parts.join("/");
    return (this.#byEnd.get(beside) ?? []).includes(beside) ? [beside] : this.#byEnd.get(name) ?? [];
  }
}

/** A source in which all that is no comment is blanked out. */
function onlyComments(source: string): string {
  const rows = source.split("\n").map(() => "");
  const from = source.split("\n");
  for (const { kind, text, line } of sourcePassages(source)) {
    if (kind !== "comment") continue;
    for (const index of text.split("\n").keys()) {
      rows[line - 1 + index] = from[line - 1 + index]?.replace(/^.*?(?=\/[/*])/, "") ?? "";
    }
  }
  return rows.join("\n");
}

/** The headings of a document, and the bold words that begin its paragraphs. */
function headingsOf(document: string): Set<string> {
  return new Set(
    [...document.matchAll(/^#+ (.+)$|^\*\*([^*]+?)[.:]?\*\*/gm)].map(([, heading, bold]) => heading ?? bold ?? ""),
  );
}

/** The anchor that a heading has on a page. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\d\s-]/gu, "").replaceAll(/\s/g, "-");
}

/** How many offences against each rule a place has. */
export function countsOf(measured: Measured): Record<Rule, number> {
  const counts = Object.fromEntries(RULES.map((rule) => [rule, 0])) as Record<Rule, number>;
  for (const { rule } of measured.offences) counts[rule] += 1;
  return counts;
}

/** The counts as a table, one row a place, with the sums of sources and of documents at its end. */
function tableOf(all: readonly Measured[]): string {
  const sum = (title: string, some: readonly Measured[]): Measured => ({
    place: title,
    isDocument: some.every(({ isDocument }) => isDocument),
    words: some.reduce((words, each) => words + each.words, 0),
    sentences: some.reduce((sentences, each) => sentences + each.sentences, 0),
    offences: some.flatMap(({ offences }) => offences),
  });
  const sums = [
    sum("ALL SOURCES", all.filter(({ isDocument }) => !isDocument)),
    sum("ALL DOCUMENTS", all.filter(({ isDocument }) => isDocument)),
  ];
  const rows = [...all, ...sums.filter(({ words }) => words > 0)].map((each) => {
    const counts = countsOf(each);
    const perThousand = (1000 * counts.who / Math.max(1, each.words)).toFixed(1);
    const perHundred = each.isDocument ? (100 * counts.semicolons / Math.max(1, each.sentences)).toFixed(0) : "";
    return [each.place, each.words, ...RULES.map((rule) => counts[rule]), perThousand, perHundred].map(String);
  });
  const table = [["place", "words", ...RULES, "who/1000", "semi/100"], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string => {
    return row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd();
  };
  return table.map(line).join("\n");
}

if (import.meta.main) {
  const [folder] = Deno.args;
  const all = await measureEnglish();
  const chosen = all.filter(({ place }) => folder === undefined || place === folder || place.startsWith(`${folder}/`));
  if (folder !== undefined) {
    for (const { rule, file, line, what } of chosen.flatMap(({ offences }) => offences)) {
      console.log(`${file}:${line}: ${rule}: ${what}`);
    }
  }
  console.log(tableOf(chosen));
}
