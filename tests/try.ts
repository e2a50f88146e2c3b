/**
 * Shows Recess on one machine: an index and two peers as real programs, on temporary folders and
 * free ports. One makes a file, the other searches half its name and downloads it; the copy is
 * compared, and everything is cleaned up. `deno task try [--size 1GiB]`
 * @module
 */

import { Failure } from "../lib/core/failure.ts";
import { formatDuration, formatRate, formatSize, parseSize } from "../lib/core/quantity.ts";
import { flagHelp, type FlagTable, parseFlags } from "../lib/cli/flags.ts";
import { describeError, EXIT, exitCodeOf } from "../lib/cli/outcome.ts";
import { stylerFor } from "../lib/cli/style.ts";
import { peakBytes } from "./support/memory.ts";
import { PEER_FLAGS, type Program, PROJECT, type RunningIndex, startIndex, startPeer } from "./support/programs.ts";
import { sameFiles, TempFolder, writeRandomFile } from "./support/temp.ts";
import { eventually } from "./support/wait.ts";

const FLAGS = {
  size: { value: "SIZE", about: "size of the file", byDefault: "1GiB" },
  help: { about: "show this" },
} as const satisfies FlagTable;

const NAME = "A film about peer-to-peer.mp4";
const WORDS = ["film", "peer"];
const MEMORY_EVERY_MS = 50;

const style = stylerFor(Deno.stdout.isTerminal());
let stepNumber = 0;

try {
  const { flags } = parseFlags(Deno.args, FLAGS);
  if (flags.help) console.log(`usage: deno task try [FLAG...]\n\n${flagHelp(FLAGS)}`);
  else await show(parseSize(flags.size));
} catch (thrown) {
  console.error(describeError(thrown, { json: false, debug: !(thrown instanceof Failure) }));
  Deno.exit(exitCodeOf(thrown));
}

async function show(size: number): Promise<void> {
  await using temp = await TempFolder.make();
  const started: Program[] = [];
  Deno.addSignalListener("SIGINT", () => {
    for (const program of started) program.kill("SIGKILL");
    Deno.removeSync(temp.path, { recursive: true });
    Deno.exit(EXIT.interrupted);
  });

  step("somebody starts the index", "deno run --allow-net --allow-read server.ts");
  await using index = await startIndex();
  started.push(index.program);
  tell(index.program.stdout);

  step(`ana shares a folder with a new file of ${formatSize(size)}`, "deno task peer ./ana");
  await writeRandomFile(`${await temp.folder("ana")}/${NAME}`, size, Date.now());
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
  started.push(ana.program);
  tell(ana.program.stdout);

  step("rui searches half its name", `deno task peer ./rui search ${WORDS.join(" ")}`);
  await eventually("the index lists the file", () => /ana lists/.test(index.program.stderr));
  await runShown(temp, index, ["search", ...WORDS]);

  step("and downloads it", `deno task peer ./rui get 1`);
  const start = performance.now();
  const peak = await runShown(temp, index, ["get", "1"]);
  const tookMs = performance.now() - start;

  step("the two files are compared, byte for byte");
  if (!await sameFiles(temp.at("ana", NAME), temp.at("rui", NAME))) throw new Error("The copy is not the same file");
  tell("identical");

  step("what it took");
  tell(
    `${formatSize(size)} in ${formatDuration(tookMs)}, verified and on the disk: ${formatRate(size / tookMs * 1000)}`,
  );
  const memory = [["index", await peakOf(index.program.pid)], ["ana", await peakOf(ana.program.pid)], [
    "rui",
    peak,
  ]] as const;
  tell(
    `memory at most: ${
      memory.map(([who, bytes]) => `${who} ${bytes === undefined ? "?" : formatSize(bytes)}`).join(", ")
    }`,
  );
}

/**
 * Runs a one-shot command of rui's with its output in sight.
 *
 * @returns The most memory it held, where the system tells.
 */
async function runShown(
  temp: TempFolder,
  index: RunningIndex,
  command: readonly string[],
): Promise<number | undefined> {
  const address = ["--host", "127.0.0.1", "--index", `127.0.0.1:${index.port}`];
  const child = new Deno.Command(Deno.execPath(), {
    args: [...PEER_FLAGS, "peer.ts", temp.at("rui"), "--name", "rui", ...address, ...command],
    cwd: PROJECT,
    stdin: "null",
  }).spawn();
  let peak: number | undefined;
  const timer = setInterval(async () => peak = await peakOf(child.pid) ?? peak, MEMORY_EVERY_MS);
  const { code } = await child.status;
  clearInterval(timer);
  if (code !== EXIT.done) throw new Error(`The command ended with exit code ${code}`);
  return peak;
}

async function peakOf(pid: number): Promise<number | undefined> {
  try {
    return await peakBytes(pid);
  } catch {
    return undefined;
  }
}

function step(what: string, command?: string): void {
  stepNumber += 1;
  console.log(`\n${style(`${stepNumber}. ${what}`, "bold")}`);
  if (command !== undefined) console.log(style(`   $ ${command}`, "dim"));
}

function tell(text: string): void {
  console.log(text.trimEnd());
}
