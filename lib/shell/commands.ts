/**
 * The commands: one table of name, arguments, flags, help and what to do. Help, completion, the shell and one-shot runs all come from it.
 * @module
 */

import { type Address, formatAddress } from "../core/address.ts";
import { Failure } from "../core/failure.ts";
import { HITS_MAX } from "../core/limits.ts";
import { printable } from "../core/printable.ts";
import { formatCount, formatDuration, formatRate, formatSize } from "../core/quantity.ts";
import type { Directory, FoundRows, Wanted } from "../peer/directory.ts";
import type { Row } from "../peer/last_table.ts";
import type { Peer } from "../peer/peer.ts";
import type { Destination, TransferResult } from "../peer/transfer.ts";
import type { StartedTransfer } from "../peer/transfers.ts";
import { type Flag, flagHelp, type FlagTable } from "./flags.ts";
import type { Output } from "./output.ts";
import { percentDone } from "./progress.ts";
import type { Column } from "./table.ts";

/** What a command works with. */
export interface CommandContext {
  readonly output: Output;
  readonly directory: Directory;
  /** The joined peer. Only there for commands that need one. */
  readonly peer: Peer | undefined;
  /** Shows how a download goes and, when it has ended well, reports it. One-shot runs wait for that; the shell lets it run on. */
  readonly follow: (started: StartedTransfer, report: (result: TransferResult) => void) => Promise<void>;
  /** Standard output as a stream of bytes, for `get --output -`; undefined where the shell has it. */
  readonly stdout: { write(bytes: Uint8Array): Promise<number> } | undefined;
}

/** Flags as a command gets them. */
export type CommandFlags = Readonly<Record<string, string | boolean | undefined>>;

/** One command. */
export interface Command {
  readonly name: string;
  readonly args: string;
  readonly about: string;
  /** More than one sentence, for `help COMMAND`. */
  readonly more?: string;
  readonly flags: FlagTable;
  /** What completion offers as arguments. */
  readonly completes: readonly ("commands" | "files" | "peers")[];
  /** What has to be there: nothing, the index, or a peer that has joined it. */
  readonly needs: "nothing" | "index" | "peer";
  /** How many arguments it takes. */
  readonly count: { readonly min: number; readonly max: number };
  /** Fails as "usage" when a value makes no sense, before anything is opened or asked. */
  check?(flags: CommandFlags): void;
  run(context: CommandContext, args: readonly string[], flags: CommandFlags): Promise<void>;
}

const LIMIT: Flag = { value: "N", about: "how many rows at most", byDefault: "20" };
const ANY = Infinity;

const NUMBERED_COLUMNS: readonly Column[] = [
  { title: "#", align: "right" },
  { title: "name", flexible: true },
  { title: "size", align: "right" },
  { title: "held by", align: "right" },
  { title: "who", flexible: true },
];

/** Every command, in the order in which help lists them. */
export const COMMANDS: readonly Command[] = [
  {
    name: "search",
    args: "[WORDS...]",
    about: "find files by the beginnings of words in their names",
    more:
      "Case and accents do not matter. Without words, lists any files. The numbers in the table go with: get NUMBER",
    flags: { exact: { about: "the whole name, with or without its folders" }, limit: LIMIT },
    completes: ["files"],
    needs: "index",
    count: { min: 0, max: ANY },
    check: (flags) => void parseLimit(flags["limit"]),
    async run({ output, directory }, args, flags) {
      const query = args.join(" ");
      const limit = parseLimit(flags["limit"]);
      const found = await directory.search(query, { exact: flags["exact"] === true, limit, offset: 0 });
      showRows(output, found);
      if (found.rows.length === 0) {
        throw new Failure(
          "not-found",
          query === "" ? "Nobody here shares anything yet" : `Nothing here matches "${query}"`,
          {
            hint: query === "" ? "" : "try fewer words, or only their beginnings",
          },
        );
      }
    },
  },
  {
    name: "get",
    args: "WHAT",
    about: "download a file: a number of the last table, a name, or a content id",
    more:
      "What was interrupted goes on where it stopped. An existing file is never replaced: an equal name becomes (1) name.",
    flags: {
      from: { value: "PEER", about: "only this peer's copy" },
      output: { value: "PATH", about: "where to put it; - streams it to standard output" },
    },
    completes: ["files"],
    needs: "peer",
    count: { min: 1, max: 1 },
    run: get,
  },
  {
    name: "peers",
    args: "",
    about: "who is here",
    flags: {},
    completes: [],
    needs: "index",
    count: { min: 0, max: 0 },
    run: listPeers,
  },
  {
    name: "ls",
    args: "PEER",
    about: "what one peer shares",
    flags: {},
    completes: ["peers"],
    needs: "index",
    count: { min: 1, max: 1 },
    async run({ output, directory }, [peer = ""]) {
      const found = await directory.list(peer);
      showRows(output, found);
      if (found.rows.length === 0) throw new Failure("not-found", `${printable(peer)} shares nothing`, { hint: "" });
    },
  },
  {
    name: "files",
    args: "",
    about: "what you share, and how far it is hashed",
    flags: {},
    completes: [],
    needs: "peer",
    count: { min: 0, max: 0 },
    run: listFiles,
  },
  {
    name: "transfers",
    args: "",
    about: "downloads that run, wait or have ended",
    flags: {},
    completes: [],
    needs: "peer",
    count: { min: 0, max: 0 },
    run: listTransfers,
  },
  {
    name: "cancel",
    args: "N",
    about: "stop download N and throw away what has arrived",
    flags: {},
    completes: [],
    needs: "peer",
    count: { min: 1, max: 1 },
    async run({ output, peer }, [number = ""]) {
      const id = /^\d{1,9}$/.test(number) ? Number(number) : NaN;
      const cancelled = await joined(peer).transfers.cancel(id);
      output.result(`Cancelled ${cancelled.name}`, { event: "cancelled", id, name: cancelled.name });
    },
  },
  {
    name: "help",
    args: "[COMMAND]",
    about: "show what can be done, or how one command works",
    flags: {},
    completes: ["commands"],
    needs: "nothing",
    count: { min: 0, max: 1 },
    run({ output }, [name]) {
      output.text(name === undefined ? commandOverview() : commandHelp(findCommand(name)));
      return Promise.resolve();
    },
  },
];

/** Leaves the shell. It is the shell itself that ends, so this only has a name and a line of help. */
export const QUIT = { name: "quit", args: "", about: "leave" } as const;

/** The flags of all commands together, for a command line that names its command only somewhere in it. */
export const ALL_COMMAND_FLAGS: FlagTable = Object.assign({}, ...COMMANDS.map((command) => command.flags));

/** The command of this name. Fails: "usage". */
export function findCommand(name: string): Command {
  const command = COMMANDS.find((each) => each.name === name);
  if (command !== undefined) return command;
  throw new Failure("usage", `There is no command "${printable(name)}"`, { hint: "see what there is with: help" });
}

/** Checks the number of arguments, and that only the command's own flags were `given`, with values that make sense. Fails: "usage". */
export function checkUsage(
  command: Command,
  args: readonly string[],
  flags: CommandFlags,
  given: readonly string[] = [],
): void {
  const usage = `write: ${[command.name, command.args].join(" ").trim()}`;
  if (args.length < command.count.min) {
    throw new Failure("usage", `${command.name} needs ${command.args}`, { hint: usage });
  }
  if (args.length > command.count.max) {
    const quoted = command.count.max === 1 ? "; names with spaces go in quotes" : "";
    throw new Failure("usage", `${command.name} takes no "${printable(args[command.count.max] ?? "")}"`, {
      hint: usage + quoted,
    });
  }
  const foreign = given.find((name) => !Object.hasOwn(command.flags, name));
  if (foreign !== undefined) throw new Failure("usage", `${command.name} has no flag --${foreign}`, { hint: usage });
  command.check?.(flags);
}

/** All commands, a line each. */
export function commandOverview(): string {
  const lines = [...COMMANDS, QUIT].map(({ name, args, about }) => [`${name} ${args}`.trim(), about] as const);
  const width = Math.max(...lines.map(([usage]) => usage.length));
  return lines.map(([usage, about]) => `  ${usage.padEnd(width)}  ${about}`).join("\n");
}

function commandHelp(command: Command): string {
  const { name, args, about, more, flags } = command;
  const parts = [
    `${name} ${args}`.trim() + `: ${about}`,
    more,
    Object.keys(flags).length === 0 ? undefined : flagHelp(flags),
  ];
  return parts.filter((part) => part !== undefined).join("\n");
}

async function get(context: CommandContext, args: readonly string[], flags: CommandFlags): Promise<void> {
  const { output, stdout, directory } = context;
  const peer = joined(context.peer);
  const [what = ""] = args;
  const { from, output: path } = flags;
  const wanted = await directory.resolve(what, typeof from === "string" ? { from } : {});
  if (wanted.others > 0) {
    const others = formatCount(wanted.others, "other file");
    output.note(
      `Of ${wanted.others + 1} files called ${wanted.name}, taking the one of ${
        formatSize(wanted.size)
      } that most have`,
      { event: "ambiguous", name: wanted.name, others: wanted.others, note: `${others} of this name` },
    );
  }
  const started = peer.transfers.start(wanted, destinationOf(path, stdout));
  await context.follow(started, (result) => reportDone({ output, wanted, result, toStream: path === "-" }));
}

function destinationOf(path: string | boolean | undefined, stdout: CommandContext["stdout"]): Destination {
  if (typeof path !== "string") return { kind: "folder" };
  if (path !== "-") return { kind: "path", path };
  if (stdout !== undefined) return { kind: "stream", stream: stdout };
  throw new Failure("usage", "The shell needs standard output for itself", {
    hint: "run it once: deno task peer FOLDER get WHAT --output -",
  });
}

/** Says how a download ended well. A file that went to standard output leaves that alone. */
function reportDone(
  { output, wanted, result, toStream }: { output: Output; wanted: Wanted; result: TransferResult; toStream: boolean },
): void {
  const fetched = [...result.fetched.values()].reduce((sum, bytes) => sum + bytes, 0);
  const bytesPerSecond = result.tookMs > 0 ? Math.round(fetched / result.tookMs * 1000) : 0;
  const sources = Array.from(result.fetched, ([peer, bytes]) => ({ peer, bytes }));
  const { size, root, path, alreadyHere } = result;
  const object = {
    event: "downloaded",
    name: wanted.name,
    ...(path === undefined ? {} : { path }),
    size,
    root,
    alreadyHere,
    fetched,
    tookMs: Math.round(result.tookMs),
    ...(result.firstMs === undefined ? {} : { firstMs: Math.round(result.firstMs) }),
    bytesPerSecond,
    sources,
  };
  const from = sources.map(({ peer }) => peer).join(", ");
  const speed = `${formatSize(fetched)} in ${formatDuration(result.tookMs)} (${
    formatRate(bytesPerSecond)
  }) from ${from}`;
  const how = fetched === 0
    ? "nothing had to be fetched"
    : fetched < size
    ? `fetched ${speed}; the rest was here`
    : speed;
  const text = alreadyHere ? `${path} is here already` : `${path ?? wanted.name}: ${how}`;
  if (toStream) output.note(text, object);
  else output.result(text, object);
}

function showRows(output: Output, { rows, more }: FoundRows): void {
  output.table(
    NUMBERED_COLUMNS,
    rows.map((row, index) => ({
      cells: [String(index + 1), row.name, formatSize(row.size), String(row.holders), whoHas(row)],
      object: { event: "file", number: index + 1, ...row },
    })),
  );
  if (more) {
    output.note(`More than these ${rows.length} match: add words, or --limit`, { event: "more", shown: rows.length });
  }
}

function whoHas(row: Row): string {
  const names = row.peers.map((peer) => peer.name);
  return names.join(", ") + (row.holders > names.length ? ", …" : "");
}

async function listPeers({ output, directory }: CommandContext): Promise<void> {
  const { peers } = await directory.peers();
  output.table(
    [
      { title: "peer", flexible: true },
      { title: "address" },
      { title: "files", align: "right" },
      { title: "size", align: "right" },
    ],
    peers.map((row) => ({
      cells: [row.name, reachedAt(row), String(row.files), formatSize(row.bytes)],
      object: { event: "peer", ...row },
    })),
  );
  if (peers.length === 0) throw new Failure("not-found", "Nobody is here yet", { hint: "" });
}

function reachedAt({ host, port }: { host: string; port?: number }): string {
  return port === undefined ? `${host}, cannot be reached` : formatAddress({ host, port } satisfies Address);
}

function listFiles({ output, peer }: CommandContext): Promise<void> {
  const files = joined(peer).files();
  output.table(
    [{ title: "name", flexible: true }, { title: "size", align: "right" }, { title: "hashed", align: "right" }],
    files.map(({ file, hashed }) => ({
      cells: [file.name, formatSize(file.size), hashed === undefined ? "waiting" : `${Math.floor(hashed * 100)} %`],
      object: { event: "file", ...file, hashed: hashed ?? 0 },
    })),
  );
  if (files.length === 0) {
    throw new Failure("not-found", "You share nothing yet", { hint: "put files into the folder" });
  }
  return Promise.resolve();
}

function listTransfers({ output, peer }: CommandContext): Promise<void> {
  const views = joined(peer).transfers.views();
  output.table(
    [
      { title: "#", align: "right" },
      { title: "name", flexible: true },
      { title: "size", align: "right" },
      { title: "here", align: "right" },
      { title: "speed", align: "right" },
      { title: "state", flexible: true },
    ],
    views.map((view) => ({
      cells: [
        String(view.id),
        view.name,
        formatSize(view.size),
        `${percentDone(view)} %`,
        view.bytesPerSecond > 0 ? formatRate(view.bytesPerSecond) : "",
        view.failure === undefined ? view.state : `${view.state}: ${view.failure.message}`,
      ],
      object: { event: "transfer", ...view, failure: view.failure?.toWire() },
    })),
  );
  if (views.length === 0) {
    throw new Failure("not-found", "There are no downloads", { hint: "start one with: get WHAT" });
  }
  return Promise.resolve();
}

function joined(peer: Peer | undefined): Peer {
  if (peer === undefined) throw new TypeError("A command that needs a peer was run without one");
  return peer;
}

function parseLimit(text: string | boolean | undefined): number {
  const limit = typeof text === "string" && /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit > 0) return Math.min(limit, 20 * HITS_MAX);
  throw new Failure("usage", `Cannot use "${text}" as a limit`, { hint: "write a number from 1" });
}
