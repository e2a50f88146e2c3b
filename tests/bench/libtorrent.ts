/**
 * libtorrent as a reference, through Debian's package `python3-libtorrent`: one process seeds a
 * folder, another one downloads it. Where the package is not installed, there is nothing to compare
 * with.
 * @module
 */

import { fileURLToPath } from "node:url";
import { answers } from "../support/components.ts";
import { Program } from "../support/programs.ts";
import { type Cost, timed } from "./measure.ts";

const SCRIPT = fileURLToPath(new URL("./libtorrent_peer.py", import.meta.url));
/** The second is the one of Debian's packages, where the first is another one. */
const PYTHONS = ["python3", "/usr/bin/python3"];
const MADE_MS = 300_000;

/** The Python that has libtorrent, if there is one. */
export function pythonWithLibtorrent(): string | undefined {
  return PYTHONS.find((python) => answers(python, [SCRIPT, "version"]));
}

/** The version of libtorrent, if it is installed. */
export async function libtorrentVersion(): Promise<string | undefined> {
  const python = pythonWithLibtorrent();
  if (python === undefined) return undefined;
  const { stdout } = await new Deno.Command(python, { args: [SCRIPT, "version"] }).output();
  return new TextDecoder().decode(stdout).trim();
}

/** A process that seeds a folder. */
export class Seeder implements AsyncDisposable {
  readonly #python: string;
  readonly #program: Program;
  readonly #torrent: string;
  readonly #port: number;

  private constructor(python: string, program: Program, torrent: string, port: number) {
    this.#python = python;
    this.#program = program;
    this.#torrent = torrent;
    this.#port = port;
  }

  /** Makes a torrent of a folder, as the file `torrent`, and seeds it. */
  static async start(folder: string, torrent: string): Promise<Seeder | undefined> {
    const python = pythonWithLibtorrent();
    if (python === undefined) return undefined;
    await using stack = new AsyncDisposableStack();
    const program = stack.use(new Program([SCRIPT, "seed", folder, torrent], { runtime: python }));
    const [, port] = await program.line(/^listening (\d+)$/, MADE_MS);
    stack.move();
    return new Seeder(python, program, torrent, Number(port));
  }

  get pid(): number {
    return this.#program.pid;
  }

  /**
   * Downloads the torrent into a folder.
   *
   * @returns What the process took, and the milliseconds until every file was there.
   */
  async get(folder: string): Promise<{ cost: Cost; tookMs: number }> {
    const args = [SCRIPT, "get", this.#torrent, folder, String(this.#port)];
    const cost = await timed(this.#python, args, { keepsOutput: true });
    return { cost, tookMs: JSON.parse(cost.stdout).tookMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}
