/**
 * Reads the figures of tests/bench/RESULTS.md. Called by documents.ts, which quotes some of them in
 * README.md, and by the test that looks for the others there.
 * @module
 */

import { PROJECT } from "./programs.ts";

/** The page with all figures that were measured. */
export const RESULTS = `${PROJECT}/tests/bench/RESULTS.md`;

/** The tables of the page: the rows of each section, and the cells of each row by their titles. */
export type Figures = ReadonlyMap<string, ReadonlyMap<string, Readonly<Record<string, string>>>>;

/** Reads all tables of a page; the facts above the first section have an empty name. */
export function figuresIn(page: string): Figures {
  const sections = new Map<string, Map<string, Record<string, string>>>();
  let rows = new Map<string, Record<string, string>>();
  sections.set("", rows);
  let titles: string[] | undefined;
  for (const line of page.split("\n")) {
    if (line.startsWith("## ")) {
      rows = new Map();
      sections.set(line.slice(3), rows);
    }
    if (!line.startsWith("|")) titles = undefined;
    else if (titles === undefined) titles = cellsOf(line);
    else if (!/^[|\s:-]+$/.test(line)) {
      const [what = "", ...cells] = cellsOf(line);
      rows.set(what, Object.fromEntries(cells.map((cell, at) => [titles?.[at + 1] ?? "", cell])));
    }
  }
  return sections;
}

function cellsOf(line: string): string[] {
  return line.slice(1).split(/(?<!\\)\|/).slice(0, -1).map((cell) => cell.trim().replaceAll("\\|", "|"));
}
