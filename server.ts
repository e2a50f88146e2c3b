/**
 * The index server. Reads flags, builds the parts, waits for a signal.
 *
 * ```
 * deno run --allow-net --allow-read server.ts
 * ```
 * @module
 */

import { type Address, formatAddress, parsePort } from "./lib/core/address.ts";
import { Failure } from "./lib/core/failure.ts";
import { INDEX_CONNECTIONS_MAX } from "./lib/core/limits.ts";
import { LineStream } from "./lib/core/flow/line_stream.ts";
import { printable, printableJson } from "./lib/core/printable.ts";
import { VERSION } from "./lib/core/version.ts";
import type { SearchIndex } from "./lib/index/search_index.ts";
import { LocalIndex } from "./lib/index/local/local_index.ts";
import { type Room, RoomKey, WEAK_KEY } from "./lib/net/room_key.ts";
import { watchEventLoop } from "./lib/server/event_loop.ts";
import { IndexHttp } from "./lib/server/http/index_http.ts";
import { HTTP_ROUTES } from "./lib/server/http/routes.ts";
import { IndexMetrics } from "./lib/server/index_metrics.ts";
import { IndexServer } from "./lib/server/index_server.ts";
import {
  isWritten,
  type Journal,
  type JournalEvent,
  journalJson,
  journalLine,
  LOG_LEVELS,
  parseLogLevel,
} from "./lib/server/journal.ts";
import { parseRates, RATES } from "./lib/server/rates.ts";
import { SESSION_ROUTES } from "./lib/server/session_routes.ts";
import { classroomHelp } from "./lib/cli/classrooms.ts";
import { COMMON_FLAGS, flagHelp, type FlagTable, parseCount, parseFlags } from "./lib/cli/flags.ts";
import { describeError, EXIT, exitCodeOf } from "./lib/cli/outcome.ts";
import { firstStopSignal } from "./lib/cli/stop.ts";
import { describeErrorStream, streamFile } from "./lib/cli/stream_place.ts";
import { finishResults, printError, printText } from "./lib/cli/streams.ts";
import { looseMode, requireSecret } from "./lib/store/files/secret_file.ts";

/**
 * How long a line of the log waits for others, so that they are written together: a write takes
 * longer than a search.
 */
const LOG_PAUSE_MS = 50;

const FLAGS = {
  host: {
    value: "HOST",
    about: "address to listen on; 0.0.0.0 is every interface, including IPv6",
    byDefault: "0.0.0.0",
  },
  port: { value: "PORT", about: "port for peers; 0 is any free one", byDefault: "1099" },
  "http-port": {
    value: "PORT",
    about: "port for HTTP; 0 is any free one; /openapi.json describes the API",
    byDefault: "8031",
  },
  "http-host": {
    value: "HOST",
    about: "address for HTTP (default: the one of --host; in a room with a key, 127.0.0.1)",
  },
  "no-http": { about: "turn HTTP off" },
  redis: {
    value: "URL",
    about: "share the index with other servers over this Redis; separate the URLs of a cluster with commas",
  },
  "redis-url-file": {
    value: "FILE",
    about: "read the URL of --redis from a file: everybody on a machine can see the arguments of its programs",
  },
  "room-key-file": { value: "FILE", about: "the key of the room: peers need it to join, search and download" },
  "new-room-key": { about: "print a new room key for --room-key-file" },
  "max-peers": {
    value: "N",
    about: "most connections at once; further peers are rejected and try again",
    byDefault: String(INDEX_CONNECTIONS_MAX),
  },
  rates: {
    value: "CLASS=N,...",
    about:
      "requests a second before callers wait: of an address, proofs, requests and http; of a connection, questions",
    byDefault: Object.entries(RATES).map((pair) => pair.join("=")).join(","),
  },
  "log-level": { value: "LEVEL", about: `how much is logged: ${LOG_LEVELS.join(", ")}`, byDefault: "info" },
  ...COMMON_FLAGS,
} as const satisfies FlagTable;

/** The flags of the command line. */
type Flags = ReturnType<typeof parseFlags<typeof FLAGS>>["flags"];

const HELP = `Recess ${VERSION}: the index, which knows which peer has which file.

usage: deno run --allow-net --allow-read server.ts [FLAG...]

${flagHelp(FLAGS)}

Without a room key, the index also answers classroom clients (JOIN, SEARCH, UPDATE in JSON or in words), on the same
port. A person can try it: nc HOST PORT, then HELP.

the five classroom systems; the help of peer.ts has the rest of them:
${classroomHelp()}

To share files, start a peer: deno task peer FOLDER --index HOST:PORT
Ctrl-C says goodbye to all peers and ends the index.`;

if (import.meta.main) {
  const json = Deno.args.includes("--json");
  try {
    await main();
    Deno.exitCode = finishResults(EXIT.done);
  } catch (thrown) {
    const before = { time: new Date().toISOString(), level: "error" };
    printError(describeError(thrown, { json, debug: Deno.args.includes("--debug"), before }), { json });
    Deno.exit(exitCodeOf(thrown));
  }
}

async function main(): Promise<void> {
  const { flags, words } = parseFlags(Deno.args, FLAGS);
  if (flags.help) return printText(HELP);
  if (flags.version) return printText(`recess ${VERSION}`);
  if (flags["new-room-key"]) return printText(RoomKey.makeText());
  if (words.length > 0) {
    throw new Failure("usage", `The index takes no "${words[0]}"`, { hint: "see --help" });
  }
  await serve(flags);
  Deno.exit(EXIT.done);
}

/** Runs the index until a signal stops it. */
async function serve(flags: Flags): Promise<void> {
  const level = parseLogLevel(flags["log-level"]);
  const rates = parseRates(flags.rates);
  const connectionsMax = parseCount("max-peers", flags["max-peers"]);
  const keyFile = flags["room-key-file"];
  const stopped = firstStopSignal();
  const results = new LineStream(Deno.stdout);
  using log = openLog(flags, results);
  const operations = HTTP_ROUTES.map(({ operation }) => operation);
  const metrics = new IndexMetrics({ methods: SESSION_ROUTES.keys(), operations });
  using _watch = watchEventLoop((ms) => metrics.delayed(ms));
  const journal: Journal = (event) => {
    metrics.note(event);
    if (isWritten(event, level)) log.write(logged(event, flags));
  };
  const room = keyFile === undefined ? undefined : await readRoom(keyFile, journal);
  const redis = await redisUrl(flags.redis, flags["redis-url-file"], journal);
  await using index = await openIndex(redis, journal);
  const address = { host: flags.host, port: parsePort(flags.port) };
  const parts = { index, journal, metrics, rates };
  await using server = await IndexServer.listen(address, { ...parts, room, connectionsMax });
  rekeyOnHangup(server, keyFile, journal);
  const httpPort = parsePort(flags["http-port"]);
  // HTTP is not encrypted, and clients send the key: it does not leave the machine unless
  // --http-host allows that.
  const httpHost = flags["http-host"] ?? (keyFile === undefined ? flags.host : "127.0.0.1");
  await using http = flags["no-http"] ? null : await IndexHttp.listen({ host: httpHost, port: httpPort }, {
    ...parts,
    state: () => server.state,
    roomKey: () => server.roomKey,
  });
  results.write(readyLine(server.address, http?.address, flags));
  await stopped;
  await server.close("the index was stopped");
}

/** The line by which a program that started the index learns that it is ready. */
function readyLine({ host, port }: Address, http: Address | undefined, { json }: Pick<Flags, "json">): string {
  if (json) {
    return printableJson({
      event: "listening",
      host,
      port,
      httpHost: http?.host,
      httpPort: http?.port,
      version: VERSION,
    });
  }
  const httpAt = http === undefined ? "off" : `on ${formatAddress(http)}`;
  return `index listening on ${formatAddress({ host, port })}, http ${httpAt}`;
}

/**
 * Opens the log on standard error. While it cannot be written, standard output reports that, and
 * the log reports it afterwards.
 */
function openLog(flags: Pick<Flags, "json">, results: LineStream): LineStream {
  return new LineStream(Deno.stderr, {
    pauseMs: LOG_PAUSE_MS,
    name: `the log (${describeErrorStream()})`,
    onHeld: ({ message }) => {
      if (isOneFile()) return;
      const text = `${message}; the index goes on, and writes the log when there is room`;
      results.write(flags.json ? printableJson({ event: "log-held", why: message }) : printable(text));
    },
    afterwards: ({ message }, lost) => logged({ event: "log-lost", lines: lost, why: message }, flags),
  });
}

/** An event as a line of the log. */
function logged(event: JournalEvent, { json }: Pick<Flags, "json">): string {
  return json ? journalJson(event, new Date()) : journalLine(event, new Date());
}

/** Whether standard output and standard error are redirected to the same file. */
function isOneFile(): boolean {
  const [output, errors] = [streamFile(1), streamFile(2)];
  return output !== undefined && output.ino === errors?.ino && output.dev === errors.dev;
}

/**
 * Opens the index of this server alone or, with Redis, one that it shares. The code of that one is
 * loaded only then.
 */
async function openIndex(redis: string | undefined, journal: Journal): Promise<SearchIndex> {
  if (redis === undefined) return new LocalIndex();
  const { parseRedisPlace, SharedIndex } = await import("./lib/index/shared/shared_index.ts");
  return await SharedIndex.open(parseRedisPlace(redis), { onEvent: journal });
}

/**
 * Reads the key of the room. The journal notes a file that others can read, and a key that others
 * can guess.
 */
async function readRoom(keyFile: string, journal: Journal): Promise<Room> {
  const key = RoomKey.parse(await requireSecret(keyFile, "room key"));
  await remarkOnMode(keyFile, journal);
  if (key.isWeak) journal({ event: "insecure", why: WEAK_KEY });
  return await key.room();
}

/**
 * The URL of Redis, from the flag or from a file. The journal notes a password among the arguments.
 */
async function redisUrl(
  argument: string | undefined,
  file: string | undefined,
  journal: Journal,
): Promise<string | undefined> {
  if (file === undefined) {
    const why =
      "Everybody on this machine can see the password of Redis among the arguments; use --redis-url-file FILE";
    if (argument !== undefined && /:[^/@]+@/.test(argument)) journal({ event: "insecure", why });
    return argument;
  }
  if (argument !== undefined) {
    throw new Failure("usage", "--redis and --redis-url-file are two URLs", { hint: "use one of them" });
  }
  const url = (await requireSecret(file, "URL of Redis")).trim();
  await remarkOnMode(file, journal);
  return url;
}

async function remarkOnMode(path: string, journal: Journal): Promise<void> {
  const why = await looseMode(path, "shared");
  if (why !== undefined) journal({ event: "insecure", why });
}

/** Reads the room's key again at every SIGHUP. A file that cannot be read changes nothing. */
function rekeyOnHangup(server: IndexServer, keyFile: string | undefined, journal: Journal): void {
  if (Deno.build.os === "windows") return;
  let last = Promise.resolve();
  const rekey = async (): Promise<void> => {
    try {
      if (keyFile === undefined) throw new Failure("usage", "there is no --room-key-file to read");
      server.rekey(await readRoom(keyFile, journal));
    } catch (thrown) {
      journal({ event: "not-rekeyed", why: Failure.from(thrown, "no-access", "Cannot use the room key").message });
    }
  };
  Deno.addSignalListener("SIGHUP", () => last = last.then(rekey));
}
