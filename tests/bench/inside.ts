/**
 * Searches inside an index, in this process, without network, protocol and log: what is left is the
 * index itself.
 * @module
 */

import { BATCH_FILES_MAX } from "../../lib/core/limits.ts";
import type { SearchIndex } from "../../lib/index/search_index.ts";
import { loadFiles, loadQuery } from "./load_names.ts";
import { percentile } from "./measure.ts";
import type { BenchRow } from "./report.ts";
import { seededRandom } from "../support/seeded_random.ts";

const PEERS = 10;
const SEARCHES = 20_000;
/** Not measured: the searches in which the engine learns what to make fast. */
const WARM_UPS = 2_000;

/** Fills an index with files of ten peers and searches it for two words at a time. */
export async function benchInside(
  name: string,
  open: () => Promise<SearchIndex>,
  sizes: readonly number[],
): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const files of sizes) {
    await using index = await open();
    const start = performance.now();
    for (let number = 0; number < PEERS; number++) await fill(index, number, files / PEERS);
    const filledMs = performance.now() - start;
    const random = seededRandom(1);
    const times: number[] = [];
    let hits = 0;
    for (let count = -WARM_UPS; count < SEARCHES; count++) {
      const query = loadQuery(random);
      const begun = performance.now();
      const found = await index.search({ query, exact: false, limit: 20, offset: 0 });
      if (count < 0) continue;
      times.push(performance.now() - begun);
      hits += found.hits.length;
    }
    rows.push({
      what: `${name}, ${files.toLocaleString("en-US")} files`,
      figures: {
        "filled/s": Math.round(files / filledMs * 1000),
        "searches/s": Math.round(SEARCHES / times.reduce((sum, ms) => sum + ms, 0) * 1000),
        "p50 ms": percentile(times, 0.5),
        "p99 ms": percentile(times, 0.99),
        "p99.9 ms": percentile(times, 0.999),
        "hits each": hits / SEARCHES,
      },
    });
  }
  return rows;
}

async function fill(index: SearchIndex, number: number, count: number): Promise<void> {
  const name = `inside ${number}`;
  const host = "10.0.0.1";
  await index.join({
    name,
    id: `${number}`.padStart(64, "0"),
    certificate: "",
    plain: true,
    host,
    port: 1024 + number,
  });
  const files = loadFiles(number, count);
  for (let at = 0; at < count; at += BATCH_FILES_MAX) {
    await index.update(name, { add: files.slice(at, at + BATCH_FILES_MAX), remove: [] });
  }
}
