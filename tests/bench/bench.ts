/**
 * `deno task bench [--only SECTION] [--all] [--size 4GiB] [--rounds 3] [--json]`: speed, CPU and
 * memory, each beside a reference in the same run. `--all` also writes tests/bench/RESULTS.md.
 * @module
 */

import { type FlagTable, parseFlags } from "../../lib/cli/flags.ts";
import { quoteWord } from "../../lib/core/line.ts";
import { parseSize } from "../../lib/core/quantity.ts";
import { PROJECT } from "../support/programs.ts";
import { benchFolder, machineFacts, versionFacts } from "./machine.ts";
import { renderPage } from "./page.ts";
import { report } from "./report.ts";
import { runSection, type Scale, type Section, type SectionResult } from "./section.ts";
import { SECTIONS } from "./sections.ts";

const FLAGS = {
  only: { value: "SECTION", about: "only sections whose name begins like this" },
  all: { about: "write the page, with a scale for each section that keeps the whole run short" },
  size: { value: "SIZE", about: "size of the file that is moved; default: 4GiB" },
  rounds: { value: "N", about: "rounds of which the median is shown; default: 3" },
  names: { value: "N", about: "names the large index holds; default: 1000000" },
  json: { about: "print one JSON object a row" },
} as const satisfies FlagTable;

const USUAL_SIZE = "4GiB";
const USUAL: Scale = { size: parseSize(USUAL_SIZE), rounds: 3, names: 1_000_000 };
const PAGE = `${PROJECT}/tests/bench/RESULTS.md`;

const { flags } = parseFlags(Deno.args, FLAGS);
const folder = benchFolder();
const chosen = SECTIONS.filter(({ name }) => name.startsWith(flags.only ?? ""));
const results: SectionResult[] = [];
if (chosen.length === 0) throw new RangeError(`No section begins with "${flags.only}"`);
for (const section of chosen) {
  const result = await runSection(section, scaleOf(section));
  if (result.failure !== undefined) console.error(`${section.name} failed: ${result.failure}`);
  report(section.name, result.rows, { json: flags.json });
  results.push(result);
  // After each section, so that a run that is ended leaves what it found.
  if (flags.all) await writePage();
}
if (results.some(({ failure }) => failure !== undefined)) Deno.exitCode = 1;

/** What a flag sets counts most, then what the section wants on the page. */
function scaleOf({ onPage }: Section): Scale {
  const usual = flags.all ? { ...USUAL, ...onPage } : USUAL;
  return {
    size: flags.size === undefined ? usual.size : parseSize(flags.size),
    rounds: Number(flags.rounds ?? usual.rounds),
    names: Number(flags.names ?? usual.names),
  };
}

async function writePage(): Promise<void> {
  const measured = new Set(results.map(({ name }) => name));
  const text = renderPage(results, {
    machine: await machineFacts(folder),
    versions: await versionFacts(),
    command: ["deno task bench", ...Deno.args.map(quoteWord)].join(" "),
    missing: SECTIONS.filter(({ name }) => !measured.has(name)).map(({ name }) => name),
  });
  await Deno.writeTextFile(PAGE, text);
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", PAGE] }).output();
}
