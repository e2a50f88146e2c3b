/**
 * A peer: shares a folder, searches, downloads. Reads flags, builds the parts, and opens the shell
 * or runs one command.
 *
 * ```
 * deno task peer ./share
 * ```
 * @module
 */

import { formatAddress, parseAddress, parsePort } from "./lib/core/address.ts";
import { systemClock } from "./lib/core/flow/clock.ts";
import { Failure } from "./lib/core/failure.ts";
import { fingerprint } from "./lib/core/fingerprint.ts";
import { INBOX_BYTES_MAX, UPLOAD_SLOTS } from "./lib/core/limits.ts";
import { printable } from "./lib/core/printable.ts";
import { formatCount, parseRate, parseSize } from "./lib/core/quantity.ts";
import { VERSION } from "./lib/core/version.ts";
import { type Room, RoomKey, WEAK_KEY } from "./lib/net/room_key.ts";
import { CONSENT_MODES } from "./lib/peer/serve/consent.ts";
import { Peer, type PeerOptions } from "./lib/peer/peer.ts";
import { classroomHelp } from "./lib/cli/classrooms.ts";
import { ALL_COMMAND_FLAGS, commandReference, findCommand } from "./lib/shell/commands/commands.ts";
import { describeEvent } from "./lib/shell/screen/events.ts";
import { type Facts, greeting } from "./lib/shell/screen/greeting.ts";
import { COMMON_FLAGS, flagHelp, type FlagTable, parseCount, parseFlags } from "./lib/cli/flags.ts";
import { checkFolderArgument } from "./lib/shell/commands/folder_argument.ts";
import { IMAGE_CHOICES, type ImageChoice } from "./lib/shell/screen/inline_image.ts";
import { type Followed, reportStopped, runOnce } from "./lib/shell/one_shot.ts";
import { describeError, EXIT, exitCodeOf } from "./lib/cli/outcome.ts";
import { firstStopSignal } from "./lib/cli/stop.ts";
import { finishResults, printError, printText } from "./lib/cli/streams.ts";
import { Output } from "./lib/shell/screen/output.ts";
import { Shell } from "./lib/shell/shell.ts";
import type { Manifest } from "./lib/store/share/manifest.ts";
import { ManifestFile } from "./lib/store/share/manifest_file.ts";
import { looseMode, requireSecret } from "./lib/store/files/secret_file.ts";

const INDEX_PORT = 1099;
/** How many different bugs a running peer reports. */
const BUGS_REPORTED_MAX = 100;

const FLAGS = {
  index: {
    value: "HOST:PORT[,HOST:PORT...]",
    about: "the index to join; with several, the peer moves to another when one is lost",
    byDefault: `127.0.0.1:${INDEX_PORT}`,
  },
  name: { value: "NAME", about: "the name that others see (default: a name that is made up once and kept)" },
  host: {
    value: "HOST",
    about: "address to listen on; 0.0.0.0 means all interfaces, including IPv6",
    byDefault: "0.0.0.0",
  },
  port: { value: "PORT", about: "port for other peers; 0 means any free one", byDefault: "0" },
  manifest: {
    value: "FILE",
    about:
      "also share the files that FILE lists: lines NAME PATH, with quotes around spaces; read again on each change",
  },
  consent: {
    value: CONSENT_MODES.join("|"),
    about: "requests of others: open allows all, ask asks you each time, deny refuses all",
    byDefault: "open",
  },
  inbox: { words: ["share"], about: "let others put files into FOLDER/inbox; with share, these are shared, too" },
  quota: {
    value: "SIZE",
    about: "limit the inbox to SIZE; one sender gets at most half of it",
    byDefault: `${INBOX_BYTES_MAX / 1024 ** 3}GiB`,
  },
  plain: { about: "turn encryption off, and talk to classroom clients and other peers without encryption" },
  "room-key-file": { value: "FILE", about: "read the key of the room from FILE, for an index that needs one" },
  slots: {
    value: "N",
    about: "run at most N large uploads at once; others wait in line",
    byDefault: String(UPLOAD_SLOTS),
  },
  up: {
    value: "RATE",
    about: "limit all uploads together to RATE, such as 10MB/s; below 1 MB/s for each slot, fewer uploads run at once",
  },
  down: { value: "RATE", about: "limit all downloads together to RATE" },
  images: { value: IMAGE_CHOICES.join("|"), about: "how the shell shows pictures", byDefault: "auto" },
  ...COMMON_FLAGS,
} as const satisfies FlagTable;

const HELP = `Recess ${VERSION}: share a folder with everyone at the same index.

usage: deno task peer FOLDER [FLAG...] [COMMAND ARG...]

Without a command, opens a shell. With a command, runs it, prints its result and ends.

commands, each with its own flags:
${commandReference()}

flags of every command and of the shell:
${flagHelp(FLAGS)}

the five classroom systems, and how Recess covers them:
${classroomHelp()}

exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 refused, 5 index unreachable, 130 interrupted`;

// A bundle is one module, which is also loaded by the workers (lib/store/share/hash_worker.ts and
// lib/store/small/place_worker.ts).
if (import.meta.main && !("WorkerGlobalScope" in globalThis)) {
  try {
    Deno.exit(finishResults(await main()));
  } catch (thrown) {
    const [json, debug] = [Deno.args.includes("--json"), Deno.args.includes("--debug")];
    printError(describeError(thrown, { json, debug }), { json });
    Deno.exit(exitCodeOf(thrown));
  }
}

/** @returns The exit code. */
async function main(): Promise<number> {
  const { flags, words, given } = parseFlags(Deno.args, { ...ALL_COMMAND_FLAGS, ...FLAGS });
  if (flags.help) return print(HELP);
  if (flags.version) return print(`recess ${VERSION}`);
  const [folder, name, ...args] = words;
  if (folder === undefined) {
    throw new Failure("usage", "Which folder do you share?", {
      hint: "write: deno task peer FOLDER, for example ./shared",
    });
  }
  await checkFolderArgument(folder, words.slice(1));
  if (flags.inbox === undefined && given.includes("quota")) {
    throw new Failure("usage", "--quota goes with --inbox", { hint: "write: --inbox --quota SIZE" });
  }
  const output = new Output({ json: flags.json, debug: flags.debug });
  const manifest = flags.manifest === undefined ? undefined : new ManifestFile(flags.manifest);
  const keyFile = flags["room-key-file"];
  const options: PeerOptions = {
    folder,
    elsewhere: manifest && usable(await manifest.read(), manifest.path, output),
    indexes: flags.index.split(",").map((each) => parseAddress(each, { defaultPort: INDEX_PORT })),
    name: flags.name,
    listen: { host: flags.host, port: parsePort(flags.port) },
    slots: parseCount("slots", flags.slots),
    plain: flags.plain,
    consent: parseChoice("consent", flags.consent, CONSENT_MODES),
    inbox: flags.inbox === undefined ? undefined : { share: flags.inbox === "share", quota: parseSize(flags.quota) },
    room: keyFile === undefined ? undefined : await readRoom(keyFile, output),
    up: flags.up === undefined ? undefined : parseRate(flags.up),
    down: flags.down === undefined ? undefined : parseRate(flags.down),
    onPicture: (bytes, type) => output.picture(bytes, type),
    onEvent: (event) => output.note(describeEvent(event), { ...event }),
    onBug: onceEach((thrown) => output.error(bugOf(thrown))),
  };
  const images = parseChoice("images", flags.images, IMAGE_CHOICES);
  const commandFlags = given.filter((each) => !Object.hasOwn(FLAGS, each));
  if (name === undefined) {
    const [foreign] = commandFlags;
    if (foreign !== undefined) throw new Failure("usage", `--${foreign} goes with a command`, { hint: "see --help" });
    return await runShell(options, output, { images, manifest });
  }
  const command = findCommand(name).ready({ words: args, flags, given: commandFlags });
  const followed: Followed = {};
  const run = runOnce(command, output, options, followed);
  return await untilStopped(run, () => reportStopped(output, followed));
}

/** The failure that reports a bug to the owner: it kept this peer from answering another one. */
function bugOf(cause: unknown): Failure {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Failure("internal", `Could not answer another peer: ${why}`, { cause });
}

/** Reports each bug once, however often requests of others cause it. */
function onceEach(report: (thrown: unknown) => void): (thrown: unknown) => void {
  const reported = new Set<string>();
  return (thrown) => {
    const where = thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown);
    if (reported.has(where) || reported.size >= BUGS_REPORTED_MAX) return;
    reported.add(where);
    report(thrown);
  };
}

/**
 * Runs a one-shot command. When a signal ends the program, the bytes that have arrived are kept.
 */
async function untilStopped(run: Promise<void>, onStopped: () => void): Promise<number> {
  const stopped = stopSignalled().then(() => {
    onStopped();
    return EXIT.interrupted;
  });
  return await Promise.race([run.then(() => EXIT.done), stopped]);
}

async function runShell(
  options: PeerOptions,
  output: Output,
  { images, manifest }: { images: ImageChoice; manifest: ManifestFile | undefined },
): Promise<number> {
  const stopped = stopSignalled();
  const starting = Peer.start({ ...options, patient: true });
  const code = await Promise.race([starting.then(() => undefined), stopped]);
  if (code !== undefined) return code;
  await using peer = await starting;
  ready(peer, output);
  if (!output.json) { for (const line of greeting(await factsOf(peer, options))) output.note(line, {}); }
  const ended = new AbortController();
  const following = manifest === undefined ? undefined : follow(manifest, peer, output, ended.signal);
  try {
    return await new Shell(peer, output, { images }).run(stopped);
  } finally {
    ended.abort();
    await following;
  }
}

/** Prints the ready line. */
function ready(peer: Peer, output: Output): void {
  const { name, address } = peer;
  const files = peer.files().length;
  output.result(
    `peer ${name} listening on ${formatAddress(address)}, sharing ${files} ${files === 1 ? "file" : "files"}`,
    {
      event: "ready",
      name,
      host: address.host,
      port: address.port,
      files,
      folder: peer.folderPath,
      id: peer.id,
      version: VERSION,
    },
  );
}

/** Collects the facts for the greeting. */
async function factsOf(peer: Peer, { consent = "open", plain = false }: PeerOptions): Promise<Facts> {
  const files = peer.files();
  const atIndex = peer.isFirstStart ? await peer.queries.peers().catch(() => undefined) : undefined;
  const others = atIndex?.peers.filter(({ name }) => name !== peer.name);
  return {
    folder: printable(peer.folderPath),
    folderIsNew: peer.folderIsNew,
    isFirstStart: peer.isFirstStart,
    files: files.length,
    bytes: files.reduce((sum, { file }) => sum + file.size, 0),
    index: peer.index,
    others: others && { peers: others.length, files: others.reduce((sum, each) => sum + each.files, 0) },
    fingerprint: fingerprint(peer.id),
    consent,
    isPlain: plain,
  };
}

/** Resolves at the first signal to stop, to the exit code. */
async function stopSignalled(): Promise<number> {
  return await firstStopSignal() === "SIGINT" ? EXIT.interrupted : EXIT.done;
}

function parseChoice<T extends string>(flag: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  throw new Failure("usage", `Cannot use "${text}" as --${flag}`, { hint: `write one of ${choices.join(", ")}` });
}

/** Shares the files of the manifest again whenever it changes, and reports that. */
async function follow(manifest: ManifestFile, peer: Peer, output: Output, signal: AbortSignal): Promise<void> {
  const { path } = manifest;
  await manifest.follow({
    clock: systemClock,
    async onChange(changed) {
      const paths = usable(changed, path, output);
      await peer.shareElsewhere(paths);
      output.note(`${path} has changed: it lists ${formatCount(paths.size, "file")}`, {
        event: "manifest",
        manifest: path,
        files: paths.size,
      });
    },
    onUnreadable: ({ message }) => {
      output.note(`${message}; what it listed stays shared`, { event: "manifest", manifest: path, message });
    },
  }, signal);
}

/**
 * Reads the key of the room. Warns about a file that others can read, and about a key that can be
 * guessed.
 */
async function readRoom(path: string, output: Output): Promise<Room> {
  const key = RoomKey.parse(await requireSecret(path, "room key"));
  for (const why of [await looseMode(path, "shared"), key.isWeak ? WEAK_KEY : undefined]) {
    if (why !== undefined) output.note(why, { event: "insecure", why });
  }
  return await key.room();
}

/** Takes the usable files of a manifest, and reports the lines that cannot be used. */
function usable({ paths, bad }: Manifest, path: string, output: Output): ReadonlyMap<string, string> {
  for (const { line, why } of bad) {
    output.note(`Not shared: line ${line} of ${path}: ${why}`, { event: "bad-line", manifest: path, line, why });
  }
  return paths;
}

function print(text: string): number {
  printText(text);
  return EXIT.done;
}
