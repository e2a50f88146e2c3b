/**
 * The programs of classrooms A and B (tests/classrooms), run with python3, and the words that they
 * expect. Called by tests/system/classroom_programs_test.ts.
 * @module
 */

import { fileURLToPath } from "node:url";
import { Program } from "./programs.ts";
import type { TempFolder } from "./temp.ts";
import { eventually } from "./wait.ts";

/** A server of a classroom that listens. */
export interface PythonServer extends AsyncDisposable {
  readonly port: number;
}

/** A peer of a classroom that listens, with an owner that answers. */
export interface PythonPeer extends AsyncDisposable {
  readonly program: Program;
  readonly port: number;
  /** What it serves, below the test's folder. */
  readonly folder: string;
  /**
   * Joins with all files that are in its folder now, and resolves when the server has answered
   * `JOIN_OK`.
   */
  join(): Promise<void>;
  /** Waits until its owner is asked once more, and answers. */
  answer(word: "SIM" | "NAO"): Promise<void>;
}

/** The programs of one classroom. */
export interface PythonClassroom {
  readonly letter: string;
  server(temp: TempFolder): Promise<PythonServer>;
  peer(temp: TempFolder, indexPort: number): Promise<PythonPeer>;
  /**
   * Runs the client once. Its files are in the folder that is called like its port.
   *
   * @returns The lines that it printed.
   * @throws {Error} when it ended with an error of Python.
   */
  client(temp: TempFolder, indexPort: number, ownPort: number, ...words: string[]): Promise<string[]>;
  /** The request that lists one file. */
  joins(name: string, port: number): string;
  searches(name: string): string;
  /** The request that our programs send to its peer. */
  asks(name: string, port: number): string;
  /** The answer to a search with hits, in order of joining. */
  found(...ports: number[]): string;
  readonly foundNothing: string;
  /** What the client prints last. */
  received(bytes: number): string;
  readonly refused: string;
  readonly absent: string;
  /** What our `get` says when the owner has answered NAO. */
  readonly refusal: string;
}

/** Both classrooms. */
export const PYTHON_CLASSROOMS: readonly PythonClassroom[] = [
  {
    letter: "A",
    server: (temp) => startServer("a_server.py", temp),
    peer: (temp, indexPort) => startPeer(temp, ["a_peer.py", String(indexPort)]),
    client: (temp, indexPort, ownPort, ...words) =>
      runClient(temp, ["a_client.py", String(indexPort), String(ownPort), ...words]),
    joins: (name, port) => JSON.stringify({ method: "JOIN", data: { files: [name], port } }),
    searches: (name) => JSON.stringify({ method: "SEARCH", data: { query: name } }),
    asks: (name, port) => JSON.stringify({ method: "DOWNLOAD_REQUEST", data: { filename: name, port: String(port) } }),
    found: (...ports) => `[${ports.map((port) => `"127.0.0.1:${port}"`).join(", ")}]`,
    foundNothing: "[]",
    received: (bytes) => `recebido ${bytes} de ${bytes}`,
    refused: "recusado",
    absent: "arquivo não existe",
    refusal: "The owner refused to send",
  },
  {
    letter: "B",
    server: (temp) => startServer("b_server.py", temp),
    peer: async (temp, indexPort) => {
      await temp.folder("aulas");
      return await startPeer(temp, ["b_peer.py", String(indexPort), "aulas"], "aulas");
    },
    client: (temp, indexPort, ownPort, ...words) =>
      runClient(temp, ["b_client.py", String(indexPort), String(ownPort), String(ownPort), ...words]),
    joins: (name, port) => `JOIN 127.0.0.1:${port} ['${name}']`,
    searches: (name) => `SEARCH 127.0.0.1:5001 ${name}`,
    asks: (name) => `DOWNLOAD ${name}`,
    found: (...ports) => ports.map((port) => `127.0.0.1:${port}`).join(" "),
    foundNothing: "",
    received: (bytes) => `recebido ${bytes}`,
    refused: "falhou",
    absent: "falhou",
    refusal: 'answered "Download recusado"',
  },
];

const FOLDER = fileURLToPath(new URL("../classrooms/", import.meta.url));

function run([script = "", ...args]: readonly string[], temp: TempFolder, stdin: "null" | "piped" = "null"): Program {
  return new Program(["-B", FOLDER + script, ...args], { runtime: "python3", cwd: temp.path, stdin });
}

async function startServer(script: string, temp: TempFolder): Promise<PythonServer> {
  const program = run([script, "0"], temp);
  const [, port] = await program.line(/^port (\d+)$/);
  return { port: Number(port), [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

async function startPeer(temp: TempFolder, args: readonly string[], folder?: string): Promise<PythonPeer> {
  const program = run(args, temp, "piped");
  const [, port = ""] = await program.line(/^port (\d+)$/);
  const asked = (): number => program.stdout.split("(SIM/NAO)").length - 1;
  let answered = 0;
  return {
    program,
    port: Number(port),
    folder: folder ?? port,
    async join() {
      await program.type("");
      await program.line(/^> JOIN_OK$/);
    },
    async answer(word) {
      await eventually("the owner is asked", () => asked() > answered, 60_000);
      answered += 1;
      await program.type(word);
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

async function runClient(temp: TempFolder, args: readonly string[]): Promise<string[]> {
  await using program = run(args, temp);
  if (await program.exit() !== 0) throw new Error(`${args.join(" ")} ended with an error: ${program.stderr}`);
  return program.stdout.trimEnd().split("\n");
}
