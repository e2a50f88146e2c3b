/**
 * The commands: one table of name, arguments, flags, help and what to do. Help, completion, the shell and one-shot runs all come from it.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { SEARCH_ROWS_MAX } from "../../core/limits.ts";
import { printable } from "../../core/printable.ts";
import type { TransferView } from "../../peer/get/transfer.ts";
import type { Transfers } from "../../peer/get/transfers.ts";
import { type Command, type CommandContext, type CommandFlags, joined } from "./command.ts";
import { CONSENT_COMMANDS } from "./consent_commands.ts";
import { type Flag, flagHelp, type FlagTable } from "../../cli/flags.ts";
import { get } from "./get.ts";
import { INBOX_COMMANDS } from "./inbox_commands.ts";
import { likelyCommand } from "./likely_command.ts";
import { listFiles, listPeers, listTransfers, showRows } from "./listings.ts";
import { PEOPLE_COMMANDS } from "./people_commands.ts";
import { PICTURE_COMMANDS } from "./picture_commands.ts";
import { TALK_COMMANDS } from "./talk_commands.ts";

const LIMIT: Flag = { value: "N", about: "how many rows at most", byDefault: "20" };
const ANY = Infinity;

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
    async run(context, args, flags) {
      const { directory } = context;
      const query = args.join(" ");
      const limit = parseLimit(flags["limit"]);
      const found = await directory.search(query, { exact: flags["exact"] === true, limit, offset: 0 });
      showRows(context, found);
      if (found.rows.length === 0) {
        throw new Failure(
          "not-found",
          query === "" ? "No peer here shares anything yet" : `Nothing here matches "${query}"`,
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
    about: "download WHAT: a number of the last table, a name, FOLDER/, or a content id",
    more:
      "From all peers that have it. An interrupted download goes on where it stopped. An existing file is never replaced: a second file of the same name becomes (1) name.",
    flags: {
      compress: { about: "have it compressed on the way: for text and the like over a slow network" },
      from: { value: "PEER", about: "only this peer's copy" },
      output: { value: "PATH", about: "a file, or a folder when it exists or ends in /; - streams to standard output" },
    },
    completes: ["files"],
    needs: "peer",
    count: { min: 1, max: 1 },
    run: get,
  },
  ...INBOX_COMMANDS,
  {
    name: "peers",
    args: "",
    about: "list the peers at the index",
    flags: {},
    completes: [],
    needs: "index",
    count: { min: 0, max: 0 },
    run: listPeers,
  },
  {
    name: "ls",
    args: "[PEER]",
    about: "list the files of PEER; without PEER, list the peers and how much each shares",
    flags: {},
    completes: ["peers"],
    needs: "index",
    count: { min: 0, max: 1 },
    async run(context, [peer]) {
      if (peer === undefined) {
        await listPeers(context);
        return context.output.note("To list the files of one of them: ls PEER", {});
      }
      const found = await context.directory.list(peer);
      showRows(context, found);
      if (found.rows.length === 0) context.output.nothing(`${peer} shares nothing`);
    },
  },
  {
    name: "files",
    args: "",
    about: "list your own files, and how far each is hashed",
    flags: {},
    completes: [],
    needs: "peer",
    count: { min: 0, max: 0 },
    run: listFiles,
  },
  {
    name: "transfers",
    args: "",
    about: "list the downloads: running, waiting and ended",
    flags: {},
    completes: [],
    needs: "peer",
    count: { min: 0, max: 0 },
    run: listTransfers,
  },
  {
    name: "pause",
    args: "N",
    about: "stop download N until it is resumed",
    flags: {},
    completes: ["transfers"],
    needs: "peer",
    count: { min: 1, max: 1 },
    run: (context, args) => changeTransfer(context, args, "paused", (transfers, id) => transfers.pause(id)),
  },
  {
    name: "resume",
    args: "N",
    about: "go on with download N",
    flags: {},
    completes: ["transfers"],
    needs: "peer",
    count: { min: 1, max: 1 },
    run: (context, args) => changeTransfer(context, args, "resumed", (transfers, id) => transfers.resume(id)),
  },
  {
    name: "cancel",
    args: "N",
    about: "stop download N and throw away what has arrived",
    flags: {},
    completes: ["transfers"],
    needs: "peer",
    count: { min: 1, max: 1 },
    run: (context, args) => changeTransfer(context, args, "cancelled", (transfers, id) => transfers.cancel(id)),
  },
  ...CONSENT_COMMANDS,
  ...PEOPLE_COMMANDS,
  ...PICTURE_COMMANDS,
  ...TALK_COMMANDS,
  {
    name: "help",
    args: "[COMMAND]",
    about: "list the commands, or explain one; also: ajuda",
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

/** Words that stand for a command; the programs of the classroom systems had them. */
const OTHER_WORDS: Readonly<Record<string, string>> = { ajuda: "help", sair: "quit", exit: "quit" };

/** The name of the command that a word stands for: the word itself, in small letters, where it is no other word for one. */
export function commandName(word: string): string {
  const lower = word.toLowerCase();
  const name = Object.hasOwn(OTHER_WORDS, lower) ? OTHER_WORDS[lower] : undefined;
  return name ?? lower;
}

/** Leaves the shell. It is the shell itself that ends, so this only has a name and a line of help. */
export const QUIT = { name: "quit", args: "", about: "leave; also: exit, sair" } as const;

/** The flags of all commands together, for a command line that names its command only somewhere in it. */
export const ALL_COMMAND_FLAGS: FlagTable = Object.assign({}, ...COMMANDS.map((command) => command.flags));

/** The command of this name. Fails: "usage". */
export function findCommand(name: string): Command {
  const command = COMMANDS.find((each) => each.name === commandName(name));
  if (command !== undefined) return command;
  const likely = likelyCommand(name, [...COMMANDS, QUIT].map((each) => each.name));
  throw new Failure("usage", `There is no command "${printable(name)}"`, {
    hint: likely === undefined ? "see what there is with: help" : `did you mean: ${likely}`,
  });
}

/** Whether a word is a command, in whatever case, or stands for one. */
export function isCommand(word: string): boolean {
  return [...COMMANDS, QUIT].some(({ name }) => name === commandName(word));
}

/** After how many words of a typed line the rest is text; undefined for a line that is all words. */
export function textAfter(line: string): number | undefined {
  const [name = ""] = line.trimStart().split(/\s/, 1);
  return COMMANDS.find((each) => each.name === commandName(name))?.textAfter;
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

/** Does something to the transfer whose number a person wrote. */
async function changeTransfer(
  { output, peer }: CommandContext,
  [number = ""]: readonly string[],
  event: string,
  change: (transfers: Transfers, id: number) => TransferView | Promise<TransferView>,
): Promise<void> {
  if (!/^\d{1,9}$/.test(number)) {
    throw new Failure("usage", `Cannot use "${printable(number)}" as the number of a transfer`, {
      hint: "see their numbers with: transfers",
    });
  }
  const id = Number(number);
  const { name } = await change(joined(peer).transfers, id);
  output.result(`${event.charAt(0).toUpperCase()}${event.slice(1)} ${name}`, { event, id, name });
}

function parseLimit(text: string | boolean | undefined): number {
  const limit = typeof text === "string" && /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit > 0) return Math.min(limit, SEARCH_ROWS_MAX);
  throw new Failure("usage", `Cannot use "${text}" as a limit`, { hint: "write a number from 1" });
}
