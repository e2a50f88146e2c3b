/**
 * The commands: one table of name, arguments, flags, help and what to do. Help, completion, the
 * shell, one-shot runs and the README's table all come from it.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { SEARCH_ROWS_MAX } from "../../core/limits.ts";
import { printable } from "../../core/printable.ts";
import type { TransferView } from "../../peer/get/transfer.ts";
import type { Transfers } from "../../peer/get/transfers.ts";
import { describedFlags, flagHelp, type FlagTable, helpLines, parseCount } from "../../cli/flags.ts";
import { bareCommand, type Command, indexCommand, peerCommand, textAfterOf, usageOf } from "./command.ts";
import { answerInWords, CONSENT_COMMANDS } from "./consent_commands.ts";
import { GET } from "./get.ts";
import { INBOX_COMMANDS } from "./inbox_commands.ts";
import { likelyCommand } from "./likely_command.ts";
import { listFiles, listPeers, listTransfers, showRows } from "./listings.ts";
import { PEOPLE_COMMANDS } from "./people_commands.ts";
import { PICTURE_COMMANDS } from "./picture_commands.ts";
import { TALK_COMMANDS } from "./talk_commands.ts";

const SEARCH = indexCommand({
  name: "search",
  args: [{ name: "WORDS", takes: "many", completes: "files" }],
  about: "find files by the beginnings of words in their names",
  more: "Case and accents do not matter. Without words, lists any files. The numbers in the table go with: get NUMBER",
  flags: {
    exact: { about: "match the whole name, with or without its folders" },
    limit: { value: "N", about: "show at most N rows", byDefault: "20" },
  },
  check: ({ limit }) => void parseCount("limit", limit),
  async run(context, [words], flags) {
    const query = words.join(" ");
    const limit = Math.min(parseCount("limit", flags.limit), SEARCH_ROWS_MAX);
    const found = await context.finding.directory.search(query, { exact: flags.exact, limit, offset: 0 });
    showRows(context, found);
    if (found.rows.length > 0) return;
    if (query === "") throw new Failure("not-found", "No peer here shares anything yet", { hint: "" });
    throw new Failure("not-found", `Nothing here matches "${query}"`, {
      hint: "try fewer words, or only their beginnings",
    });
  },
});

const LS = indexCommand({
  name: "ls",
  args: [{ name: "PEER", takes: "optional", completes: "peers" }],
  about: "list the files of PEER; without PEER, list the peers and how much each shares",
  flags: {},
  async run(context, [peer]) {
    if (peer === undefined) {
      await listPeers(context);
      return context.output.note("To list the files of one of them: ls PEER", {});
    }
    const found = await context.finding.directory.list(peer);
    showRows(context, found);
    if (found.rows.length === 0) context.output.nothing(`${peer} shares nothing`);
  },
});

const HELP = bareCommand({
  name: "help",
  args: [{ name: "COMMAND", takes: "optional", completes: "commands" }],
  about: "list the commands, or explain one; also: ajuda",
  flags: {},
  run({ output }, [name]) {
    output.text(name === undefined ? commandOverview() : helpOf(name));
    return Promise.resolve();
  },
});

/** Every command, in the order in which help and README list them. */
export const COMMANDS: readonly Command[] = [
  SEARCH,
  GET,
  ...INBOX_COMMANDS,
  indexCommand({ name: "peers", args: [], about: "list the peers at the index", flags: {}, run: listPeers }),
  LS,
  peerCommand({
    name: "files",
    args: [],
    about: "list your own files, and how far each is hashed",
    flags: {},
    run: listFiles,
  }),
  peerCommand({
    name: "transfers",
    args: [],
    about: "list the downloads: running, waiting and ended",
    flags: {},
    run: listTransfers,
  }),
  transferCommand("pause", "paused", "stop download N until it is resumed", (transfers, id) => transfers.pause(id)),
  transferCommand("resume", "resumed", "continue download N", (transfers, id) => transfers.resume(id)),
  transferCommand(
    "cancel",
    "cancelled",
    "stop download N and delete what has arrived",
    (transfers, id) => transfers.cancel(id),
  ),
  ...CONSENT_COMMANDS,
  ...PEOPLE_COMMANDS,
  ...PICTURE_COMMANDS,
  ...TALK_COMMANDS,
  HELP,
];

/** Words that stand for a command, from the programs of the classroom systems. */
const OTHER_WORDS: Readonly<Record<string, string>> = { ajuda: "help", sair: "quit", exit: "quit" };

/**
 * Finds the name of the command that a word stands for.
 *
 * @returns The word itself, in lower case, when it does not stand for another one.
 */
export function commandName(word: string): string {
  const lower = word.toLowerCase();
  const name = Object.hasOwn(OTHER_WORDS, lower) ? OTHER_WORDS[lower] : undefined;
  return name ?? lower;
}

/** Leaves the shell. The shell carries it out itself, so it has only a name and a line of help. */
export const QUIT = { name: "quit", args: [], about: "leave; also: exit, sair", flags: {} } as const;

/**
 * The flags of all commands together, for a command line that names its command only somewhere in
 * it.
 */
export const ALL_COMMAND_FLAGS: FlagTable = Object.assign({}, ...COMMANDS.map((command) => command.flags));

/**
 * Finds a command by its name.
 *
 * @throws {Failure} "usage" when there is none of this name, and for `quit`, which only the shell
 * carries out.
 */
export function findCommand(name: string): Command {
  const command = COMMANDS.find((each) => each.name === commandName(name));
  if (command !== undefined) return command;
  if (commandName(name) === QUIT.name) {
    throw new Failure("usage", `"${printable(name)}" works only in the shell: one command ends by itself`, {
      hint: "open the shell with: deno task peer FOLDER",
    });
  }
  const likely = likelyCommand(name, [...COMMANDS, QUIT].map((each) => each.name));
  throw new Failure("usage", `There is no command "${printable(name)}"`, {
    hint: likely === undefined ? "list the commands with: help" : `did you mean: ${likely}`,
  });
}

/** Whether a word is a command, in any case, or stands for one. */
export function isCommand(word: string): boolean {
  return [...COMMANDS, QUIT].some(({ name }) => name === commandName(word));
}

/**
 * Where the text of a typed line begins.
 *
 * @returns After how many words; undefined when the line's command takes no text.
 */
export function textAfter(line: string): number | undefined {
  const [name = ""] = line.trimStart().split(/\s/, 1);
  const command = COMMANDS.find((each) => each.name === commandName(name));
  return command === undefined ? undefined : textAfterOf(command);
}

/** All commands, a line each, in the shell. */
export function commandOverview(): string {
  return helpLines([...COMMANDS, QUIT].map((each) => [usageOf(each), each.about]));
}

/** All commands, each with its flags below it, for `--help`. */
export function commandReference(): string {
  return helpLines([...COMMANDS, QUIT].flatMap((each) => [[usageOf(each), each.about], ...flagRows(each.flags)]));
}

/**
 * The help for one command.
 *
 * @param word Its name, or a word that stands for it, such as `yes`.
 * @throws {Failure} "usage" when it stands for no command.
 */
export function helpOf(word: string): string {
  const [name = word] = answerInWords([word]);
  return commandHelp(commandName(name) === QUIT.name ? QUIT : findCommand(name));
}

function flagRows(flags: FlagTable): [usage: string, about: string][] {
  return describedFlags(flags).map(([usage, about]) => [`    ${usage}`, about]);
}

function commandHelp(command: Omit<Command, "ready">): string {
  const { about, more, flags } = command;
  const parts = [
    `${usageOf(command)}: ${about}`,
    more,
    Object.keys(flags).length === 0 ? undefined : flagHelp(flags),
  ];
  return parts.filter((part) => part !== undefined).join("\n");
}

/** A command that changes the state of the download with a given number. */
function transferCommand(
  name: string,
  event: string,
  about: string,
  change: (transfers: Transfers, id: number) => TransferView | Promise<TransferView>,
): Command {
  return peerCommand({
    name,
    args: [{ name: "N", completes: "transfers" }],
    about,
    flags: {},
    async run({ output, peer }, [number]) {
      if (!/^\d{1,9}$/.test(number)) {
        throw new Failure("usage", `Cannot use "${printable(number)}" as the number of a transfer`, {
          hint: "see their numbers with: transfers",
        });
      }
      const id = Number(number);
      const changed = await change(peer.transfers, id);
      output.result(`${event.charAt(0).toUpperCase()}${event.slice(1)} ${changed.name}`, {
        event,
        id,
        name: changed.name,
      });
    },
  });
}
