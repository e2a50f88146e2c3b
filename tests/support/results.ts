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

/** A figure of the page, and how README names it. */
interface Quote {
  readonly row: string;
  readonly column: string;
  /** Text around the figure, which stands where the `#` is. */
  readonly as: string;
}

/** A row of README's table: one section, what Recess did, and what others did in the same run. */
interface QuotedRow {
  readonly what: string;
  readonly section: string;
  readonly own: Quote;
  readonly beside: readonly Quote[];
}

const RSYNC = "rsync from its daemon, not encrypted";
const LIBTORRENT = "libtorrent, not encrypted";
const LONG_LINE = "50 ms, 200 Mbit/s, 0 % lost: 60 MB";

const QUOTED: readonly QuotedRow[] = [
  {
    what: "a large file into a file, encrypted and verified",
    section: "download",
    own: { row: "recess get, to disk", column: "MB/s", as: "# MB/s" },
    beside: [
      {
        row: "nginx, TLS 1.3, curl | tee | openssl",
        column: "MB/s",
        as: "`curl`, TLS, `tee` and `openssl dgst`: # MB/s",
      },
    ],
  },
  {
    what: "10,000 files of 4 KiB, encrypted and verified",
    section: "many files",
    own: { row: "recess get", column: "files/s", as: "# files/s" },
    beside: [
      { row: RSYNC, column: "files/s", as: "rsync: # files/s" },
      { row: LIBTORRENT, column: "files/s", as: "libtorrent: # files/s" },
    ],
  },
  {
    what: "500 files of 1 MiB, encrypted and verified",
    section: "medium files",
    own: { row: "recess get", column: "MB/s", as: "# MB/s" },
    beside: [
      { row: RSYNC, column: "MB/s", as: "rsync: # MB/s" },
      { row: LIBTORRENT, column: "MB/s", as: "libtorrent: # MB/s" },
    ],
  },
  {
    what: "60 MB over 200 Mbit/s with a delay of a twentieth of a second",
    section: "long lines",
    own: { row: LONG_LINE, column: "own s", as: "# s" },
    beside: [{ row: LONG_LINE, column: "its s", as: "`curl`: # s" }],
  },
  {
    what: "a file from 8 peers with a limit each",
    section: "sources",
    own: { row: "8 × 40 MB/s", column: "MB/s", as: "# MB/s" },
    beside: [{ row: "8 × 40 MB/s", column: "ratio", as: "the sum of their rates, times #" }],
  },
  {
    what: "most memory for 100,000 files of 4 KiB",
    section: "memory",
    own: { row: "recess get, 100,000 files", column: "receiver MB", as: "# MB" },
    beside: [{ row: `${LIBTORRENT}, 100,000 files`, column: "receiver MB", as: "libtorrent: # MB" }],
  },
];

/** The rows of README's table that lack their figure, although their section was measured. */
export function lostQuotes(figures: Figures): string[] {
  return QUOTED.filter(({ section, own }) => {
    const rows = figures.get(section);
    return rows !== undefined && rows.size > 0 && rows.get(own.row)?.[own.column] === undefined;
  }).map(({ what }) => what);
}

/** README's table of figures. A row without its figure on the page is left out. */
export function speedTable(figures: Figures): string {
  const quote = (section: string, { row, column, as }: Quote): string | undefined => {
    const cell = figures.get(section)?.get(row)?.[column];
    return cell === undefined || cell === "" ? undefined : as.replace("#", cell);
  };
  const rows = QUOTED.flatMap(({ what, section, own, beside }) => {
    const quoted = quote(section, own);
    if (quoted === undefined) return [];
    const others = beside.map((each) => quote(section, each)).filter((each) => each !== undefined);
    return [`| ${what} | ${quoted} | ${others.join(" · ")} |`];
  });
  const facts = figures.get("");
  const title = `on ${facts?.get("cores")?.[""] ?? "?"} cores, ${facts?.get("date")?.[""] ?? "?"}`;
  return [`| ${title} | Recess | beside it, in the same run |`, "| --- | --- | --- |", ...rows].join("\n");
}
