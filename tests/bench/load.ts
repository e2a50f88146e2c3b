/**
 * Starts load on an index in processes of its own, and reads what they found. Called by the benches
 * of the index and by its soak test.
 * @module
 */

import { fileURLToPath } from "node:url";
import { Program } from "../support/programs.ts";
import { eventually } from "../support/wait.ts";
import type { CrowdFigures } from "./crowd_load.ts";

const LOAD = fileURLToPath(new URL("./index_load.ts", import.meta.url));
const FIGURES_MS = 600_000;

/** What a load process found, by name. */
export type Figures = Readonly<Record<string, number>>;

/** Starts a load process; index_load.ts says what it takes. */
export function startLoad(port: number, ...args: (string | number)[]): Program {
  return new Program(["run", "--allow-net", "--allow-read", LOAD, String(port), ...args.map(String)]);
}

/** Runs a load process to its end. */
export async function runLoad(port: number, ...args: (string | number)[]): Promise<Figures> {
  await using program = startLoad(port, ...args);
  const [line] = await program.line(/^\{.*\}$/, FIGURES_MS);
  return JSON.parse(line);
}

/** Peers that have joined an index, and come back when it does, in some processes. */
export class Crowd implements AsyncDisposable {
  readonly #programs: readonly Program[];

  private constructor(programs: readonly Program[]) {
    this.#programs = programs;
  }

  /**
   * Starts the processes. `first` is the number of the first peer, which no other has; `spreadMs`
   * is the time over which the peers come.
   */
  static start(
    port: number,
    options: { first?: number; peers: number; filesEach: number; spreadMs: number; processes: number },
  ): Crowd {
    const { first = 0, peers, filesEach, spreadMs, processes } = options;
    const count = Math.ceil(peers / processes);
    const programs = Array.from({ length: processes }, (_, at) => {
      return startLoad(port, "crowd", first + at * count, Math.min(count, peers - at * count), filesEach, spreadMs);
    });
    return new Crowd(programs);
  }

  /**
   * Resolves when all are there (again, in a later round) with all their files.
   *
   * @returns Of the processes' figures the worst.
   */
  async allThere(round: number, waitMs = FIGURES_MS): Promise<CrowdFigures> {
    const all = await Promise.all(this.#programs.map((program) => {
      return eventually(`round ${round} of the crowd`, () => {
        if (program.ended) throw new Error(`A load process ended: ${program.stderr}`);
        const lines = program.stdout.split("\n").filter((line) => line.startsWith("{"));
        return lines.map((line): CrowdFigures => JSON.parse(line)).find((figures) => figures.round === round);
      }, waitMs);
    }));
    const worst = (of: (figures: CrowdFigures) => number): number => Math.max(...all.map(of));
    return {
      round,
      ms: worst(({ ms }) => ms),
      p50: worst(({ p50 }) => p50),
      p99: worst(({ p99 }) => p99),
      p999: worst(({ p999 }) => p999),
      failed: all.reduce((sum, { failed }) => sum + failed, 0),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((program) => program[Symbol.asyncDispose]()));
  }
}
