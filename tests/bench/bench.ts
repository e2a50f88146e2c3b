/**
 * `deno task bench [--only SECTION] [--size 4GiB] [--rounds 3] [--json]`: speed, CPU and memory,
 * each beside a reference in the same run.
 * @module
 */

import { parseSize } from "../../lib/core/quantity.ts";
import { LocalIndex } from "../../lib/index/local/local_index.ts";
import { type FlagTable, parseFlags } from "../../lib/cli/flags.ts";
import { benchDownload, benchFirstByte } from "./download.ts";
import { benchFiles, benchPeers, benchRequests, LOCAL } from "./capacity.ts";
import { benchHttp } from "./http.ts";
import { benchInside } from "./inside.ts";
import { benchIndex, benchStart } from "./index.ts";
import { benchPictures } from "./pictures.ts";
import { redisReference } from "./redis_reference.ts";
import { type BenchRow, report } from "./report.ts";
import { benchInsideRedis, benchShared, overRedis } from "./shared.ts";
import { benchClass, benchLosses, benchRates, benchSmallFiles, benchSources, benchSwarm } from "./swarm.ts";

const FLAGS = {
  only: { value: "SECTION", about: "only sections whose name begins like this" },
  size: { value: "SIZE", about: "size of the file that is moved", byDefault: "4GiB" },
  rounds: { value: "N", about: "rounds of which the median is shown", byDefault: "3" },
  names: { value: "N", about: "names the large index holds", byDefault: "1000000" },
  json: { about: "print one JSON object a row" },
} as const satisfies FlagTable;

const { flags } = parseFlags(Deno.args, FLAGS);
const rounds = Number(flags.rounds);
const size = parseSize(flags.size);

const fileCounts = [10_000, 100_000, Number(flags.names)];

const SECTIONS: [name: string, run: () => Promise<BenchRow[]>][] = [
  ["start", () => benchStart({ rounds })],
  ["download", () => benchDownload({ size, rounds })],
  ["small download", () => benchDownload({ size: 64 * 1024 * 1024, rounds })],
  ["first byte", () => benchFirstByte({ size, rounds })],
  ["sources", () => benchSources({ rounds })],
  ["swarm", () => benchSwarm({ rounds })],
  ["class", () => benchClass({ rounds })],
  ["losses", () => benchLosses({ rounds })],
  ["rates", () => benchRates({ rounds })],
  ["many files", () => benchSmallFiles({ rounds })],
  ["http", () => benchHttp({ size: 2 ** 30, rounds })],
  ["pictures", () => benchPictures({ rounds })],
  ["requests", () => benchRequests(LOCAL)],
  ["index", () => benchIndex({ peers: 10, filesEach: 10_000 })],
  ["inside", () => benchInside("in memory", () => Promise.resolve(new LocalIndex()), fileCounts)],
  ["files", () => benchFiles(LOCAL, fileCounts)],
  ["peers", () => benchPeers(LOCAL, [1_000, 10_000])],
  ["redis", () => redisReference()],
  ["shared", () => benchShared(fileCounts)],
  ["behind redis", () => overRedis((flavour) => benchFiles(flavour, fileCounts))],
  ["inside behind redis", () => benchInsideRedis(fileCounts)],
  ["large index", () => benchIndex({ peers: 10, filesEach: Number(flags.names) / 10 })],
];

for (const [name, run] of SECTIONS) {
  if (name.startsWith(flags.only ?? "")) report(name, await run(), { json: flags.json });
}
