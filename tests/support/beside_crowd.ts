/**
 * What an honest peer sees of an index and a peer that a crowd wants for itself. Beside them stand
 * an index and a peer that nobody else wants: what they take at the same time says how slow the
 * machine is. Called by crowded_timed.ts, also in a network of its own.
 * @module
 */

import { formatAddress } from "../../lib/core/address.ts";
import { percentile } from "../bench/measure.ts";
import { type BeginCrowd, Crowd } from "./crowds.ts";
import { IndexClient } from "./index_client.ts";
import { type PeerArgs, runCommand, type RunningIndex, startIndex, startPeer } from "./programs.ts";
import { sameFiles, TempFolder } from "./temp.ts";
import { eventually } from "./wait.ts";

const FILE_BYTES = 20_000_000;
/** Fewer than the crowd wants. */
const PLACES = 600;
const JOINS = 5;
const SEARCHES = 400;
/** What people notice, in milliseconds: of searches, the slowest of a hundred is left out. */
const BOUNDS = { join: 1_000, search: 100, download: 20_000 };
/**
 * How many times as slow as without a crowd an action may be, where the machine is too slow for its
 * bound.
 */
const SLOWER_MAX = 4;
/** A crowd that keeps others out does so in each round; other programs of the machine do not. */
const ROUNDS = 3;

/** How long each of some actions took with the crowd, and without, in milliseconds. */
interface Times {
  readonly crowded: number[];
  readonly quiet: number[];
}

/** An index and a peer with a film. */
interface Site {
  readonly index: RunningIndex;
  readonly temp: TempFolder;
  /** The port at which the peer serves. */
  readonly peerPort: number;
  /** Downloads the film into a new folder. */
  download(): Promise<void>;
}

/**
 * Joins, searches and downloads while a crowd is at it.
 *
 * @param host The address of this machine on which everything listens, and from which the honest
 * peers come.
 * @returns What took too long; empty when the crowd disturbed nobody.
 * @throws When an action fails.
 */
export async function besideCrowd(begin: BeginCrowd, host = "127.0.0.1"): Promise<string[]> {
  await using stack = new AsyncDisposableStack();
  const sites = [await openSite(stack, host), await openSite(stack, host)] as const;
  const [{ index: { port: indexPort, httpPort }, peerPort }] = sites;
  await begin(stack.use(new Crowd()), { host, indexPort, httpPort, peerPort });

  const join = async ({ index: { port } }: Site): Promise<void> => {
    await using client = await IndexClient.connect({ host, port });
    await joinReachably(client, `honest ${crypto.randomUUID()}`);
  };
  const complaints = [await complaintOf("join", () => beside(sites, JOINS, join))];
  const searching = new Map<Site, IndexClient>();
  for (const site of sites) {
    const client = stack.use(await IndexClient.connect({ host, port: site.index.port }));
    await joinReachably(client, "searching");
    searching.set(site, client);
  }
  const search = async (site: Site): Promise<void> => {
    const hits = await searching.get(site)?.search("film");
    if (hits?.length !== 1) throw new Error(`Found ${hits?.length} files in place of one`);
  };
  complaints.push(await complaintOf("search", () => beside(sites, SEARCHES, search)));
  await getPage(`http://${formatAddress({ host, port: httpPort })}/peers`);
  complaints.push(await complaintOf("download", () => beside(sites, 1, (site) => site.download())));
  return complaints.filter((each) => each !== undefined);
}

/**
 * What is wrong with an action's times in every round: where the machine is too slow for the bound,
 * the same action without the crowd decides.
 */
async function complaintOf(action: keyof typeof BOUNDS, round: () => Promise<Times>): Promise<string | undefined> {
  let complaint: string | undefined;
  for (let number = 0; number < ROUNDS; number++) {
    const times = await round();
    const [crowded, quiet] = [percentile(times.crowded, 0.99), percentile(times.quiet, 0.99)];
    if (crowded < Math.max(BOUNDS[action], SLOWER_MAX * quiet)) return undefined;
    complaint = `${action}: ${Math.round(crowded)} ms with the crowd, ${Math.round(quiet)} ms without`;
  }
  return complaint;
}

async function openSite(stack: AsyncDisposableStack, host: string): Promise<Site> {
  const temp = stack.use(await TempFolder.make());
  const index = stack.use(await startIndex("--host", host, "--max-peers", `${PLACES}`));
  const source = await temp.file("ana/film.bin", FILE_BYTES);
  stack.use(await startPeer({ folder: temp.at("ana"), index, name: "ana", host }));
  await using client = await IndexClient.connect({ host, port: index.port });
  await client.join("looking");
  const hit = await eventually("the film is listed", async () => {
    const [found] = await client.search("film");
    return found?.root === undefined ? undefined : found;
  });
  let downloads = 0;
  const download = async (): Promise<void> => {
    const folder = `rui ${downloads++}`;
    const rui: PeerArgs = { folder: temp.at(folder), index, name: "rui", host };
    const got = await runCommand(rui, "get", "film.bin");
    if (got.code !== 0) throw new Error(`Exit code ${got.code}: ${got.stderr}`);
    if (!(await sameFiles(source, temp.at(folder, "film.bin")))) throw new Error("Another file has arrived");
  };
  return { index, temp, peerPort: hit.peers[0]?.port ?? 0, download };
}

async function joinReachably(client: IndexClient, name: string): Promise<void> {
  if (!(await client.join(name)).reachable) throw new Error(`The index did not reach ${name}`);
}

/** Does the same at both sites in turn, so many times. */
async function beside(
  [crowded, quiet]: readonly [Site, Site],
  count: number,
  action: (site: Site) => Promise<void>,
): Promise<Times> {
  const took: Times = { crowded: [], quiet: [] };
  const timed = async (site: Site): Promise<number> => {
    const beganMs = performance.now();
    await action(site);
    return performance.now() - beganMs;
  };
  for (let done = 0; done < count; done++) {
    took.crowded.push(await timed(crowded));
    took.quiet.push(await timed(quiet));
  }
  return took;
}

async function getPage(url: string): Promise<void> {
  const page = await fetch(url);
  await page.body?.cancel();
  if (page.status !== 200) throw new Error(`HTTP status ${page.status}`);
}
