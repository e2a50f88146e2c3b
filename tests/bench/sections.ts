/**
 * The sections of the bench, in their order. A section that is added here is measured by `deno task
 * bench`, and has a table on the page. Called by bench.ts.
 * @module
 */

import { LocalIndex } from "../../lib/index/local/local_index.ts";
import { benchFiles, benchPeers, benchRequests, LOCAL } from "./capacity.ts";
import { benchDownload, benchFirstByte } from "./download.ts";
import { benchHttp } from "./http.ts";
import { benchIndex, benchStart } from "./index.ts";
import { benchInside } from "./inside.ts";
import { benchLongLines } from "./long_lines.ts";
import { benchMemory } from "./memory.ts";
import { benchOneFile } from "./one_file.ts";
import { benchPictures } from "./pictures.ts";
import { redisReference } from "./redis_reference.ts";
import type { Section } from "./section.ts";
import { benchInsideRedis, benchShared, overRedis } from "./shared.ts";
import { benchClass, benchEnd, benchLosses, benchRates, benchSources, benchSwarm } from "./swarm.ts";
import { benchTree } from "./trees.ts";
import { benchVersions } from "./versions.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** How many files the indexes of a section have: two sizes, and the largest. */
function fileCounts({ names }: { names: number }): number[] {
  return [...new Set([10_000, 100_000, names])];
}

export const SECTIONS: readonly Section[] = [
  {
    name: "start",
    about: "The time from the start of an index until it is ready, and what it takes without work.",
    run: benchStart,
  },
  {
    name: "download",
    about: 'A file of {size} from one program to another on this machine, to nowhere, or in rows with "to disk" to a ' +
      "file. The references are a bare copy by Deno (with SHA-256, and with TLS), curl from nginx, and scp. " +
      '"ratio" compares Recess with the bare copy that does the same work, and "to tools" with curl and OpenSSL, ' +
      "round by round.",
    onPage: { size: GIB },
    run: benchDownload,
  },
  {
    name: "small download",
    about: "The same with 64 MiB, where the start of the programs counts.",
    run: ({ rounds }) => benchDownload({ size: 64 * MIB, rounds }),
  },
  {
    name: "first byte",
    about:
      "The time from `get` until the first verified byte of {size} has arrived: of a file that its owner has hashed, " +
      "and of one that it has not. There is no reference.",
    onPage: { size: GIB, rounds: 2 },
    run: benchFirstByte,
  },
  {
    name: "sources",
    about: "One receiver of a file from 1, 2, 4 and 8 sources that each send at most 40 MB/s. The reference is the " +
      "sum of these rates.",
    onPage: { rounds: 2 },
    run: benchSources,
  },
  {
    name: "end of a download",
    about: "A short download from four sources that each send at most 40 MB/s, by a peer that already runs. The " +
      "reference is what their rates allow, and the time that syncing as many bytes takes.",
    onPage: { rounds: 2 },
    run: benchEnd,
  },
  {
    name: "swarm",
    about: "Eight receivers that start together, and one owner, each with at most 40 MB/s. The reference is one " +
      "receiver alone.",
    onPage: { rounds: 2 },
    run: benchSwarm,
  },
  {
    name: "class",
    about:
      "30 and 60 receivers of a lecture that start together, with an upload limit. The reference is one receiver " +
      "alone.",
    onPage: { rounds: 1 },
    run: benchClass,
  },
  {
    name: "losses",
    about: "A download from four sources: one is killed, one falls silent, and one sends wrong bytes. The " +
      "reference is what the source that is left can send.",
    onPage: { rounds: 2 },
    run: benchLosses,
  },
  {
    name: "rates",
    about: "Whether `--up` and `--down` hold. The reference is the rate that was set.",
    onPage: { rounds: 1 },
    run: benchRates,
  },
  {
    name: "one file",
    about:
      "A file of {size} into a folder, with programs that people use for that. scp and Recess encrypt. Recess and " +
      'libtorrent verify. A column such as "of rsync" compares Recess with that program: above 1, Recess was faster.',
    onPage: { size: GIB, rounds: 2 },
    run: benchOneFile,
  },
  {
    name: "new version",
    about:
      "A file of {size} for a receiver that has parts of it: its older version in which every twentieth mebibyte " +
      "differs, or half of it in another file. The references are a receiver that has nothing, and rsync. `sent MB` " +
      "is what the sender sent of the file.",
    onPage: { size: GIB },
    run: benchVersions,
  },
  {
    name: "many files",
    about: "10,000 files of 4 KiB in 100 folders, with new folders in each round. Recess encrypts and verifies. The " +
      "references do not encrypt: rsync from its daemon, and libtorrent between two processes that connect directly. " +
      "Files and megabytes a second leave out the start of the receiving program, except for rsync. CPU time and the " +
      "time of the command include it.",
    run: ({ rounds }) => benchTree({ files: 10_000, bytes: 4096, rounds }),
  },
  {
    name: "medium files",
    about: "500 files of 1 MiB in 100 folders, otherwise like many files. One file with as many bytes is one more " +
      "reference.",
    run: ({ rounds }) => benchTree({ files: 500, bytes: MIB, rounds, besideOne: true }),
  },
  {
    name: "memory",
    about:
      "The most memory that each side took, for a file of {size} and for 100,000 files of 4 KiB. libtorrent maps " +
      "files into its memory, and Linux counts these bytes. Of rsync, which has several processes, the largest one " +
      "counts.",
    onPage: { rounds: 1 },
    run: ({ size }) => benchMemory({ size, files: 100_000 }),
  },
  {
    name: "long lines",
    about: "A file of 60 MB and 500 files of 4 KiB over lines of 200 Mbit/s with a delay and with losses. The index " +
      "is beside the receiver, whose program runs already. The references are curl from nginx and rsync from its " +
      "daemon over the same line, without encryption, with the start of their programs.",
    onPage: { rounds: 2 },
    run: benchLongLines,
  },
  {
    name: "http",
    about:
      "One GiB over HTTP from the server of the page and the API. The reference is `Deno.serve`. The CPU time is " +
      "that of the server alone.",
    run: ({ rounds }) => benchHttp({ size: GIB, rounds }),
  },
  {
    name: "pictures",
    about: "Pictures over UDP, encrypted, from one program to another. There is no reference.",
    run: benchPictures,
  },
  {
    name: "requests",
    about: "What a connection to an index costs without a search. The reference is `PING`, the smallest request.",
    run: () => benchRequests(LOCAL),
  },
  {
    name: "index",
    about: "Searches of an index with 100,000 names, by programs of their own. The reference is `PING`.",
    run: () => benchIndex({ peers: 10, filesEach: 10_000 }),
  },
  {
    name: "inside",
    about: "Searches in an index with up to {names} names, without network and protocol. There is no reference.",
    run: (scale) => benchInside("in memory", () => Promise.resolve(new LocalIndex()), fileCounts(scale)),
  },
  {
    name: "files",
    about: "An index with up to {names} files: registering them, memory, and searches.",
    run: (scale) => benchFiles(LOCAL, fileCounts(scale)),
  },
  {
    name: "peers",
    about: "An index with 1,000 and 10,000 connected peers: memory, joins, and searches.",
    run: () => benchPeers(LOCAL, [1_000, 10_000]),
  },
  {
    name: "redis",
    about: "Redis itself, measured by `redis-benchmark`: the reference of the next sections.",
    run: redisReference,
  },
  {
    name: "shared",
    about: "Several servers that share an index with up to {names} files over Redis.",
    run: (scale) => benchShared(fileCounts(scale)),
  },
  {
    name: "behind redis",
    about: "The section on files again, up to {names} files, with a server that shares its index over Redis.",
    onPage: { names: 100_000 },
    run: (scale) => overRedis((flavour) => benchFiles(flavour, fileCounts(scale))),
  },
  {
    name: "inside behind redis",
    about:
      "The section on searches inside an index again, up to {names} names, for an index that is shared over Redis.",
    onPage: { names: 100_000 },
    run: (scale) => benchInsideRedis(fileCounts(scale)),
  },
  {
    name: "large index",
    about: "Searches of an index with {names} names, by programs of their own. The reference is `PING`.",
    run: ({ names }) => benchIndex({ peers: 10, filesEach: names / 10 }),
  },
];
