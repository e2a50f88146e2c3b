/**
 * The page of all measurements, tests/bench/RESULTS.md. Pure: results in, Markdown out. Called by
 * bench.ts. tests/support/results.ts reads the figures back.
 * @module
 */

import type { Fact } from "./machine.ts";
import { cellsOf } from "./report.ts";
import type { SectionResult } from "./section.ts";

/** What stands above the tables. */
export interface PageFacts {
  readonly machine: readonly Fact[];
  readonly versions: readonly Fact[];
  /** The command that made the page. */
  readonly command: string;
  /** Sections that were not measured. */
  readonly missing: readonly string[];
}

/** The page as Markdown; `deno fmt` aligns its tables. */
export function renderPage(results: readonly SectionResult[], facts: PageFacts): string {
  const { machine, versions, command, missing } = facts;
  const allSeconds = results.reduce((sum, { seconds }) => sum + seconds, 0);
  const took = allSeconds < 120 ? `${Math.round(allSeconds)} seconds` : `${Math.round(allSeconds / 60)} minutes`;
  return [
    "# What was measured",
    `\`${command}\` made this page in ${took}. Do not edit it. All programs run on one machine, and ` +
    "all figures of a section are from the same run: in each round, every program has its turn. A figure is the " +
    "median of all rounds, and a range is the worst and the best round. CPU time is that of both sides together, and " +
    "both sides share the cores. Encrypted transfers of Recess are verified. To repeat a section, name it: " +
    '`deno task bench --only "many files"`.',
    ...(missing.length === 0 ? [] : [`This run left out: ${missing.join(", ")}.`]),
    table(["machine", ""], machine),
    table(["program", "version"], versions),
    ...results.map(renderSection),
  ].join("\n\n") + "\n";
}

function renderSection({ name, about, scale, seconds, rows, failure }: SectionResult): string {
  const took = `Rounds: ${scale.rounds}. Took ${Math.round(seconds)} s.`;
  const lines = [`## ${name}`, `${about} ${took}`];
  if (failure !== undefined) return [...lines, `**This section failed:** \`${oneLine(failure)}\``].join("\n\n");
  if (rows.length === 0) return [...lines, "Nothing was measured: a program is not installed."].join("\n\n");
  const [titles, cells] = cellsOf(rows);
  return [...lines, table(["", ...titles], cells, "right")].join("\n\n");
}

function table(titles: readonly string[], rows: readonly (readonly string[])[], align?: "right"): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(" | ")} |`;
  const rule = titles.map((_, at) => align === "right" && at > 0 ? "---:" : "---");
  return [line(titles), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

function escaped(cell: string): string {
  return oneLine(cell).replaceAll("|", "\\|");
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll("`", "'").trim().slice(0, 500);
}
