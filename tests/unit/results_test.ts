import { assert, assertEquals } from "@std/assert";
import type { SectionResult } from "../bench/section.ts";
import { versionIn } from "../bench/machine.ts";
import { renderPage } from "../bench/page.ts";
import { runSection } from "../bench/section.ts";
import { SECTIONS } from "../bench/sections.ts";
import { PROJECT } from "../support/programs.ts";
import { figuresIn, lostQuotes, RESULTS, speedTable } from "../support/results.ts";

/** A figure of speed, CPU time or memory, as a sentence has it. */
const QUOTED = /(\d[\d,.]*)\s(?:(?:MB|GB|files|searches|joins)(?:\/s|\sa\ssecond)|ms\b|CPU\ss\b|MB\sof\smemory)/g;
const SCALE = { size: 1, rounds: 1, names: 1 };

function pageOf(...results: SectionResult[]): string {
  return renderPage(results, { machine: [["cores", "2"]], versions: [], command: "x", missing: [] });
}

Deno.test("README quotes only figures of speed that stand in RESULTS.md", async () => {
  const readme = (await Deno.readTextFile(`${PROJECT}/README.md`)).replaceAll(/^```[^]*?^```/gm, "");
  const page = await Deno.readTextFile(RESULTS);
  const cells = new Set(
    [...figuresIn(page).values()].flatMap((rows) => [...rows.values()].flatMap((row) => Object.values(row))),
  );
  const quoted = [...readme.matchAll(QUOTED)].map(([, figure = ""]) => figure);
  assertEquals(quoted.filter((figure) => !cells.has(figure)), []);
});

Deno.test("every table of RESULTS.md belongs to a section of the bench", async () => {
  const names = SECTIONS.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  const measured = [...figuresIn(await Deno.readTextFile(RESULTS)).keys()].filter((name) => name !== "");
  assertEquals(measured.filter((name) => !names.includes(name)), []);
});

Deno.test("README's table finds the figures of every section that was measured", async () => {
  assertEquals(lostQuotes(figuresIn(await Deno.readTextFile(RESULTS))), []);
  const rows = [{ what: "renamed", figures: { "MB/s": 1 } }];
  const page = pageOf({ name: "sources", about: "About.", scale: SCALE, seconds: 1, rows });
  assertEquals(lostQuotes(figuresIn(page)), ["a file from 8 peers with a limit each"]);
});

Deno.test("figuresIn() reads what renderPage() has written", () => {
  const rows = [
    { what: "curl | openssl", figures: { "MB/s": 1234, "ratio": undefined } },
    { what: "recess", figures: { "MB/s": 12.34, "ratio": 0.5 } },
  ];
  const page = pageOf({ name: "one", about: "About.", scale: SCALE, seconds: 1, rows });
  const figures = figuresIn(page);
  assertEquals(figures.get("one")?.get("curl | openssl"), { "MB/s": "1,234", "ratio": "" });
  assertEquals(figures.get("one")?.get("recess"), { "MB/s": "12.3", "ratio": "0.50" });
  assertEquals(figures.get("")?.get("cores"), { "": "2" });
});

Deno.test("speedTable() quotes the figures of the page, and leaves out rows without one", () => {
  const rows = [{ what: "recess get", figures: { "files/s": 1234 } }];
  const figures = figuresIn(pageOf({ name: "many files", about: "About.", scale: SCALE, seconds: 1, rows }));
  const [, , ...quoted] = speedTable(figures).split("\n");
  assertEquals(quoted, ["| 10,000 files of 4 KiB, encrypted and verified | 1,234 files/s |  |"]);
});

Deno.test("runSection() writes the scale into what a section says of itself", async () => {
  const about = "A file of {size}, {names} names.";
  const scale = { size: 3 * 2 ** 30, rounds: 1, names: 1_000_000 };
  const result = await runSection({ name: "one", about, run: () => Promise.resolve([]) }, scale);
  assertEquals(result.about, "A file of 3 GiB, 1,000,000 names.");
});

Deno.test("runSection() makes a failure a part of the page", async () => {
  const run = (): Promise<never> => Promise.reject(new Error("nobody\nanswers"));
  const page = pageOf(await runSection({ name: "one", about: "About.", run }, SCALE));
  assert(page.includes("**This section failed:** `nobody answers`"), page);
});

Deno.test("versionIn() finds the version in what a program prints", () => {
  assertEquals(versionIn("rsync  version 3.2.7  protocol version 31"), "3.2.7");
  assertEquals(versionIn("nginx version: nginx/1.22.1"), "1.22.1");
  assertEquals(versionIn("OpenSSH_9.2p1 Debian-2+deb12u10"), "9.2p1");
  assertEquals(versionIn("curl"), "unknown");
  assertEquals(versionIn(undefined), undefined);
});
