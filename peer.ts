/**
 * A peer: shares a folder, searches, downloads. Reads flags, builds the parts, opens the shell or runs one command.
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
import { STOP_SIGNALS } from "./lib/core/flow/stop_signals.ts";
import { VERSION } from "./lib/core/version.ts";
import { type Room, RoomKey, WEAK_KEY } from "./lib/net/room_key.ts";
import { CONSENT_MODES } from "./lib/peer/serve/consent.ts";
import { Peer, type PeerOptions } from "./lib/peer/peer.ts";
import { classroomHelp } from "./lib/cli/classrooms.ts";
import { ALL_COMMAND_FLAGS, checkUsage, commandOverview, findCommand } from "./lib/shell/commands/commands.ts";
import { describeEvent } from "./lib/shell/screen/events.ts";
import { type Facts, greeting } from "./lib/shell/screen/greeting.ts";
import { COMMON_FLAGS, flagHelp, type FlagTable, parseCount, parseFlags } from "./lib/cli/flags.ts";
import { checkFolderArgument } from "./lib/shell/commands/folder_argument.ts";
import { IMAGE_CHOICES, type ImageChoice } from "./lib/shell/screen/inline_image.ts";
import { type Followed, type Invocation, reportStopped, runOnce } from "./lib/shell/one_shot.ts";
import { describeError, EXIT, exitCodeOf } from "./lib/cli/outcome.ts";
import { finishResults, Output, printError, printText } from "./lib/shell/screen/output.ts";
import { Shell } from "./lib/shell/shell.ts";
import type { Manifest } from "./lib/store/share/manifest.ts";
import { ManifestFile } from "./lib/store/share/manifest_file.ts";
import { looseMode, requireSecret } from "./lib/store/files/secret_file.ts";

const INDEX_PORT = 1099;
/** Different bugs that a running peer reports. */
const BUGS_REPORTED_MAX = 100;

const FLAGS = {
  index: {
    value: "HOST:PORT[,HOST:PORT...]",
    about: "the index to join; with several, the peer moves to another when one is lost",
    byDefault: `127.0.0.1:${INDEX_PORT}`,
  },
  name: { value: "NAME", about: "what others call you (default: a name that is made up once and kept)" },
  host: {
    value: "HOST",
    about: "address to listen on; 0.0.0.0 is every interface, IPv6 included",
    byDefault: "0.0.0.0",
  },
  port: { value: "PORT", about: "port for other peers; 0 takes any free one", byDefault: "0" },
  manifest: {
    value: "FILE",
    about: "also share the files it lists: lines NAME PATH, with quotes around spaces; read again when it changes",
  },
  consent: {
    value: CONSENT_MODES.join("|"),
    about: "requests of others: open allows all, ask asks you each time, deny refuses all",
    byDefault: "open",
  },
  inbox: { words: ["share"], about: "let others put files into FOLDER/inbox; with share, these are shared on" },
  quota: {
    value: "SIZE",
    about: "how much the inbox may hold; one sender gets at most half of it",
    byDefault: `${INBOX_BYTES_MAX / 1024 ** 3}GiB`,
  },
  plain: { about: "turn encryption off, and talk to other peers without it, such as classroom clients" },
  "room-key-file": { value: "FILE", about: "the key of the room, for an index that needs one" },
  slots: {
    value: "N",
    about: "at most this many large uploads run at once; others wait in line",
    byDefault: String(UPLOAD_SLOTS),
  },
  up: {
    value: "RATE",
    about: "upload no faster than this in all, such as 10MB/s; below 1 MB/s for each slot, fewer uploads run at once",
  },
  down: { value: "RATE", about: "download no faster than this in all" },
  images: { value: IMAGE_CHOICES.join("|"), about: "how the shell shows pictures", byDefault: "auto" },
  ...COMMON_FLAGS,
} as const satisfies FlagTable;

const HELP = `Recess ${VERSION}: share a folder with everyone at the same index.

usage: deno task peer FOLDER [FLAG...] [COMMAND ARG...]

Without a command, opens a shell. With one, runs it, prints its result and ends.

${commandOverview()}

flags:
${flagHelp(FLAGS)}

flags of single commands (help COMMAND lists those of one):
${flagHelp(ALL_COMMAND_FLAGS)}

the five classroom systems, and what they are here:
${classroomHelp()}

exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 refused, 5 index unreachable, 130 interrupted`;

// A bundle is one module, which also runs as the worker that hashes (lib/store/share/hash_worker.ts).
if (import.meta.main && !("WorkerGlobalScope" in globalThis)) {
  try {
    const code = await main();
    finishResults();
    Deno.exit(code);
  } catch (thrown) {
    const [json, debug] = [Deno.args.includes("--json"), Deno.args.includes("--debug")];
    printError(describeError(thrown, { json, debug }), { json });
    Deno.exit(exitCodeOf(thrown));
  }
}

/** Shape: the exit code. */
async function main(): Promise<number> {
  const { flags, words, given } = parseFlags(Deno.args, { ...ALL_COMMAND_FLAGS, ...FLAGS });
  if (flags.help) return say(HELP);
  if (flags.version) return say(`recess ${VERSION}`);
  const [folder, name, ...args] = words;
  if (folder === undefined) {
    throw new Failure("usage", "Which folder do you share?", {
      hint: "write: deno task peer FOLDER, for example ./share",
    });
  }
  await checkFolderArgument(folder, words.slice(1));
  if (flags.inbox === undefined && given.includes("quota")) {
    throw new Failure("usage", "--quota goes with --inbox", { hint: "write: --inbox --quota SIZE" });
  }
  const output = new Output({ json: flags.json, debug: flags.debug });
  const manifest = flags.manifest === undefined ? undefined : new ManifestFile(flags.manifest);
  const options: PeerOptions = {
    folder,
    ...(manifest === undefined ? {} : { elsewhere: usable(await manifest.read(), manifest.path, output) }),
    indexes: flags.index.split(",").map((each) => parseAddress(each, { defaultPort: INDEX_PORT })),
    ...(flags.name === undefined ? {} : { name: flags.name }),
    listen: { host: flags.host, port: parsePort(flags.port) },
    slots: parseCount("slots", flags.slots),
    plain: flags.plain,
    consent: parseChoice("consent", flags.consent, CONSENT_MODES),
    ...(flags.inbox === undefined ? {} : { inbox: { share: flags.inbox === "share", quota: parseSize(flags.quota) } }),
    ...(flags["room-key-file"] === undefined ? {} : { room: await readRoom(flags["room-key-file"], output) }),
    ...(flags.up === undefined ? {} : { up: parseRate(flags.up) }),
    ...(flags.down === undefined ? {} : { down: parseRate(flags.down) }),
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
  const command = findCommand(name);
  checkUsage(command, args, flags, commandFlags);
  const followed: Followed = {};
  const run = runOnce({ command, args, flags } satisfies Invocation, output, options, followed);
  return await untilStopped(run, () => reportStopped(output, followed));
}

/** A bug that kept this peer from answering another one. */
function bugOf(cause: unknown): Failure {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Failure("internal", `Could not answer another peer: ${why}`, { cause });
}

/** Reports each bug once, however often others come upon it. */
function onceEach(report: (thrown: unknown) => void): (thrown: unknown) => void {
  const reported = new Set<string>();
  return (thrown) => {
    const where = thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown);
    if (reported.has(where) || reported.size >= BUGS_REPORTED_MAX) return;
    reported.add(where);
    report(thrown);
  };
}

/** Runs a one-shot command; a signal ends the program, and what has arrived until then is kept. */
async function untilStopped(run: Promise<void>, onStopped: () => void): Promise<number> {
  const stopped = signalled().then(() => {
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
  const stopped = signalled();
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

/** The ready line. */
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

/** What a greeting tells. */
async function factsOf(peer: Peer, { consent = "open", plain = false }: PeerOptions): Promise<Facts> {
  const files = peer.files();
  const here = peer.isFirstStart ? await peer.directory.peers().catch(() => undefined) : undefined;
  const others = here?.peers.filter(({ name }) => name !== peer.name);
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

/** Resolves at the first signal to stop, to the exit code. A second signal ends the program at once. */
function signalled(): Promise<number> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (code: number) => (): void => {
      if (stopping) Deno.exit(EXIT.interrupted);
      stopping = true;
      resolve(code);
    };
    for (const signal of STOP_SIGNALS) {
      Deno.addSignalListener(signal, stop(signal === "SIGINT" ? EXIT.interrupted : EXIT.done));
    }
  });
}

function parseChoice<T extends string>(flag: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  throw new Failure("usage", `Cannot use "${text}" as --${flag}`, { hint: `write one of ${choices.join(", ")}` });
}

/** Shares what the manifest lists whenever it has changed, and reports that. */
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

/** The key of the room. A file that others can read, or a key that can be guessed, is remarked on. */
async function readRoom(path: string, output: Output): Promise<Room> {
  const key = RoomKey.parse(await requireSecret(path, "room key"));
  for (const why of [await looseMode(path, "shared"), key.isWeak ? WEAK_KEY : undefined]) {
    if (why !== undefined) output.note(why, { event: "insecure", why });
  }
  return await key.room();
}

/** The files of a manifest. Lines that cannot be used are reported, and the others are shared. */
function usable({ paths, bad }: Manifest, path: string, output: Output): ReadonlyMap<string, string> {
  for (const { line, why } of bad) {
    output.note(`Not shared: line ${line} of ${path}: ${why}`, { event: "bad-line", manifest: path, line, why });
  }
  return paths;
}

function say(text: string): number {
  printText(text);
  return EXIT.done;
}
