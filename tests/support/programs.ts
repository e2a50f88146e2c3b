/**
 * The real programs as real processes: started on free ports, watched, ended by their id. Nothing
 * here knows how they are made.
 * @module
 */

import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { formatAddress } from "../../lib/core/address.ts";
import { eventually } from "./wait.ts";

/** The project's folder. */
export const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

const READY_MS = 60_000;
/** Exactly what an index is allowed. */
export const SERVER_FLAGS = ["run", "--no-prompt", "--allow-net", "--allow-read"];
/**
 * As `deno task peer` runs it: what a peer is allowed, and with a heap that stays small. Only not
 * quiet, since Deno then would not say where its debugger listens.
 */
export const PEER_FLAGS = config.tasks.peer.split(" ").slice(1, -1).filter((flag) => flag !== "--quiet");

/** A running program with everything it has printed. */
export class Program implements AsyncDisposable {
  stdout = "";
  stderr = "";
  readonly #child: Deno.ChildProcess;
  readonly #drained: Promise<unknown>;
  #ended = false;

  /**
   * `inspected` lets a test look into it with {@linkcode collectGarbage}; `within` is a command
   * that runs it; `runtime` is what runs it in place of Deno.
   */
  constructor(
    args: readonly string[],
    options: {
      cwd?: string;
      stdin?: "null" | "piped";
      inspected?: boolean;
      within?: readonly string[];
      runtime?: string;
    } = {},
  ) {
    const { cwd = PROJECT, stdin = "null", inspected = false, within = [], runtime = Deno.execPath() } = options;
    const env = { NO_COLOR: "1" };
    const [command = "", ...before] = [...within, runtime];
    this.#child = new Deno.Command(command, {
      args: [...before, ...(inspected ? args.toSpliced(1, 0, "--inspect=127.0.0.1:0") : args)],
      cwd,
      env,
      stdin,
      stdout: "piped",
      stderr: "piped",
    })
      .spawn();
    this.#drained = Promise.all([
      gather(this.#child.stdout, (text) => this.stdout += text),
      gather(this.#child.stderr, (text) => this.stderr += text),
      this.#child.status.then(() => this.#ended = true),
    ]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Types lines into it. */
  async type(...lines: string[]): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
    writer.releaseLock();
  }

  /** Ends its standard input. */
  async endInput(): Promise<void> {
    await this.#child.stdin.close();
  }

  /**
   * Resolves to the first line of standard output that matches, or fails when the program ends or
   * takes too long.
   */
  async line(pattern: RegExp, waitMs = READY_MS): Promise<RegExpExecArray> {
    return await eventually(`${pattern} in the output`, () => {
      for (const line of this.stdout.split("\n")) {
        const match = pattern.exec(line);
        if (match !== null) return match;
      }
      if (this.#ended) throw new Error(`The program ended: ${this.stderr}${this.stdout}`);
      return undefined;
    }, waitMs);
  }

  /**
   * Has it give back all memory that nothing refers to any more, which V8 does when it sees fit. It
   * has to be `inspected`.
   */
  async collectGarbage(): Promise<void> {
    const address = await eventually("the inspector's address", () => /ws:\/\/\S+/.exec(this.stderr)?.[0]);
    const socket = new WebSocket(address);
    await new Promise((resolve) => socket.onopen = resolve);
    const collected = new Promise((resolve) => socket.onmessage = resolve);
    socket.send(JSON.stringify({ id: 1, method: "HeapProfiler.collectGarbage" }));
    await collected;
    const closed = new Promise((resolve) => socket.onclose = resolve);
    socket.close();
    await closed;
  }

  /** Sends a signal, if it still runs. */
  kill(signal: Deno.Signal): void {
    if (!this.#ended) this.#child.kill(signal);
  }

  /**
   * Resolves to the exit code (128 and the signal's number, when a signal ended it), with all
   * output there.
   */
  async exit(): Promise<number> {
    await this.#drained;
    return (await this.#child.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.#drained;
  }
}

/** An index that listens. */
export interface RunningIndex extends AsyncDisposable {
  readonly program: Program;
  readonly port: number;
  readonly httpPort: number;
}

/** Starts an index with exactly the permissions it is to need, and waits for its ready line. */
export async function startIndex(...args: string[]): Promise<RunningIndex> {
  return await listening(new Program(indexArgs(args)));
}

/** Starts an index at another host than 127.0.0.1, by a command that runs it. */
export async function startIndexAt(host: string, within: readonly string[]): Promise<RunningIndex> {
  return await listening(new Program(indexArgs([], host), { within }));
}

/** Starts an index into which a test can look. */
export async function startInspectedIndex(...args: string[]): Promise<RunningIndex> {
  return await listening(new Program(indexArgs(args), { inspected: true }));
}

function indexArgs(args: readonly string[], host = "127.0.0.1"): string[] {
  return [...SERVER_FLAGS, "server.ts", "--port", "0", "--http-port", "0", "--host", host, ...args];
}

async function listening(program: Program): Promise<RunningIndex> {
  const [, port, httpPort] = await program.line(/^index listening on \S+:(\d+), http on \S+:(\d+)$/);
  return {
    program,
    port: Number(port),
    httpPort: Number(httpPort),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** A peer that serves. */
export interface RunningPeer extends AsyncDisposable {
  readonly program: Program;
  readonly name: string;
  readonly files: number;
}

/** Where a peer is and what it is given. */
export interface PeerArgs {
  readonly folder: string;
  /** Where the index is; its default host is the peer's. */
  readonly index: { readonly port: number; readonly host?: string };
  readonly name?: string;
  /** Where it listens; default: 127.0.0.1. */
  readonly host?: string;
  readonly stdin?: "piped";
  readonly inspected?: boolean;
  readonly args?: readonly string[];
  /** A command that runs it. */
  readonly within?: readonly string[];
}

/** Starts a peer's shell, and waits for its ready line. Without input it just serves. */
export async function startPeer(options: PeerArgs): Promise<RunningPeer> {
  const { stdin = "null", inspected = false, within = [] } = options;
  const program = new Program(peerArgs(options), { stdin, inspected, within });
  const [line, name = "", files] = await program.line(
    /^peer (.+) listening on \S+:\d+, sharing (\d+) files?$|^\{"event":"ready".*\}$/,
  );
  const ready = line.startsWith("{") ? JSON.parse(line) : { name, files: Number(files) };
  return { program, name: ready.name, files: ready.files, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

/** Starts a one-shot command without waiting for its end. */
export function startCommand(options: PeerArgs, ...command: string[]): Program {
  return new Program([...peerArgs(options), ...command], { within: options.within ?? [] });
}

/** What a program that has ended left behind. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a one-shot command to its end. */
export async function runCommand(options: PeerArgs, ...command: string[]): Promise<Ended> {
  return await ended(startCommand(options, ...command));
}

/** Runs any program to its end. */
export async function ended(program: Program): Promise<Ended> {
  await using running = program;
  const code = await running.exit();
  return { code, stdout: running.stdout, stderr: running.stderr };
}

/** Runs a peer with these arguments and nothing else, to its end. */
export async function runPeer(...args: string[]): Promise<Ended> {
  return await ended(new Program([...PEER_FLAGS, "peer.ts", ...args]));
}

/** Runs an index with these arguments and nothing else, to its end. */
export async function runIndex(...args: string[]): Promise<Ended> {
  return await ended(new Program([...SERVER_FLAGS, "server.ts", ...args]));
}

/** The arguments that start a peer under Deno. */
export function peerArgs({ folder, index, name, host = "127.0.0.1", args = [] }: PeerArgs): string[] {
  return [
    ...PEER_FLAGS,
    "peer.ts",
    folder,
    "--host",
    host,
    "--index",
    formatAddress({ host, ...index }),
    ...(name === undefined ? [] : ["--name", name]),
    ...args,
  ];
}

async function gather(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
}
