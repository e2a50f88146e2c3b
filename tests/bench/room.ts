/**
 * An index, peers that share the same files, and receivers, all as real programs, for the benches
 * of many at once.
 * @module
 */

import {
  PEER_FLAGS,
  PROJECT,
  runCommand,
  type RunningIndex,
  type RunningPeer,
  startIndex,
  startPeer,
} from "../support/programs.ts";
import { TempFolder, writeRandomFile } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const HASHED_WAIT_MS = 300_000;
const DONE_WAIT_MS = 600_000;

/** What `get --json` says at the end. */
export interface Report {
  readonly event: string;
  readonly name: string;
  readonly size: number;
  readonly fetched: number;
  readonly tookMs: number;
  readonly firstMs?: number;
  readonly files?: number;
  readonly sources: readonly { readonly peer: string; readonly bytes: number }[];
}

/** A room with some files that peers share. */
export class BenchRoom implements AsyncDisposable {
  readonly index: RunningIndex;
  readonly names: readonly string[];
  /** The most memory that a receiver has taken. */
  receiverBytes = 0;
  readonly #temp: TempFolder;
  readonly #stack: AsyncDisposableStack;
  #receivers = 0;

  private constructor(index: RunningIndex, names: readonly string[], temp: TempFolder, stack: AsyncDisposableStack) {
    this.index = index;
    this.names = names;
    this.#temp = temp;
    this.#stack = stack;
  }

  /** Makes the files and starts the index. */
  static async open(size: number, count = 1): Promise<BenchRoom> {
    await using stack = new AsyncDisposableStack();
    const temp = stack.use(await TempFolder.make());
    await temp.folder("original");
    const names = Array.from({ length: count }, (_, number) => `film ${number}.bin`);
    for (const [number, name] of names.entries()) await writeRandomFile(temp.at("original", name), size, number + 1);
    const index = stack.use(await startIndex());
    return new BenchRoom(index, names, temp, stack.move());
  }

  /** Starts a peer that has all files: as links to the same bytes, or as copies of its own. */
  async source(name: string, args: readonly string[], options: { copies?: boolean } = {}): Promise<RunningPeer> {
    const folder = await this.folder(name);
    const take = options.copies === true ? Deno.copyFile : Deno.link;
    for (const file of this.names) await take(this.#temp.at("original", file), `${folder}/${file}`);
    return this.#stack.use(await startPeer({ folder, index: this.index, name, args }));
  }

  /** A peer's folder, made if it is missing. */
  folder(name: string): Promise<string> {
    return this.#temp.folder(name);
  }

  /** Waits until this many peers list every file with its root. */
  async hashed(count: number): Promise<void> {
    for (const name of this.names) {
      await eventually(`${count} have hashed ${name}`, async () => {
        const { stdout } = await runCommand(
          { folder: this.#temp.at("asker"), index: this.index },
          "search",
          name,
          "--json",
        );
        const [hit] = stdout.trim().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
        return hit?.root !== undefined && hit.holders === count;
      }, HASHED_WAIT_MS);
    }
  }

  /** Gets one file to nowhere, as a command that runs once. */
  async get(args: readonly string[] = []): Promise<Report> {
    const [name = ""] = this.names;
    const { success, stderr } = await new Deno.Command("/usr/bin/time", {
      args: [
        "-f",
        "%M",
        Deno.execPath(),
        ...PEER_FLAGS,
        "peer.ts",
        this.#temp.at("taker"),
        ...this.#flags(),
        ...args,
        "get",
        name,
        "--output",
        "-",
      ],
      cwd: PROJECT,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    const lines = new TextDecoder().decode(stderr).trim().split("\n");
    if (!success) throw new Error(lines.join("\n"));
    this.receiverBytes = Math.max(this.receiverBytes, Number(lines.pop()) * 1024);
    return reportsIn(lines.join("\n"))[0] ?? fail(lines);
  }

  /** Starts peers with empty folders, ready to run `get`. */
  async receivers(count: number, args: readonly string[]): Promise<RunningPeer[]> {
    return await Promise.all(Array.from({ length: count }, async () => {
      const name = `receiver ${this.#receivers++}`;
      const folder = await this.#temp.folder(name);
      return this.#stack.use(
        await startPeer({ folder, index: this.index, name, args: [...args, "--json"], stdin: "piped" }),
      );
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  #flags(): string[] {
    return ["--host", "127.0.0.1", "--index", `127.0.0.1:${this.index.port}`, "--json"];
  }
}

/** Tells a receiver to get files, and waits for them. */
export async function getInShell(
  { program }: RunningPeer,
  names: readonly string[],
  flags = "",
): Promise<Report[]> {
  await program.type(...names.map((name) => `get "${name}" ${flags}`));
  return await eventually(`${names.length} files are there`, () => {
    const reports = reportsIn(program.stdout);
    if (program.ended) throw new Error(program.stderr);
    return reports.length >= names.length && reports;
  }, DONE_WAIT_MS);
}

function reportsIn(text: string): Report[] {
  return text.split("\n").filter((line) => line.startsWith('{"event":"downloaded"')).map((line) => JSON.parse(line));
}

function fail(lines: readonly string[]): never {
  throw new Error(`There is no report: ${lines.join("\n")}`);
}
