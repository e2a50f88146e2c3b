/**
 * The command `get`: finds out which file or folder is meant, starts the download, and reports its
 * result.
 * @module
 */

import { resolve } from "node:path";
import { Failure } from "../../core/failure.ts";
import { shownPeerName } from "../../core/peer_name.ts";
import { formatCount, formatDuration, formatRate, formatSize } from "../../core/quantity.ts";
import type { Wanted } from "../../peer/find/wanted.ts";
import type { Destination } from "../../peer/get/fetching.ts";
import { isFolderPath } from "../../peer/get/output_folder.ts";
import { failureOf, type TransferResult } from "../../peer/get/transfer.ts";
import { checkPath } from "./check_path.ts";
import { peerCommand, type PeerContext } from "./command.ts";
import type { Output } from "../screen/output.ts";

/** How many peers are named when a folder was put together from the files of several. */
const MIXED_NAMED_MAX = 5;

/** The command. */
export const GET = peerCommand({
  name: "get",
  args: [{ name: "WHAT", completes: "files" }],
  about: "download WHAT: a number of the last table, a name, FOLDER/, or a content id",
  more: "It is downloaded from all peers that have it. An interrupted download continues where it stopped. " +
    "Mebibytes that a file of your folder has, such as its older version, are copied and not downloaded. " +
    "An existing file is never replaced: a second file of the same name becomes (1) name.",
  flags: {
    compress: { about: "compress it on the way: for text and the like over a slow network" },
    from: { value: "PEER", about: "download only this peer's copy" },
    output: {
      value: "PATH",
      about: "save it as this file, or in this folder if it exists or ends in /; - streams to standard output",
    },
  },
  run: get,
});

interface GetFlags {
  readonly compress: boolean;
  readonly from: string | undefined;
  readonly output: string | undefined;
}

async function get(
  context: PeerContext,
  [what]: readonly [what: string],
  { compress, from, output: path }: GetFlags,
): Promise<void> {
  const { output, stdout, finding, peer } = context;
  const wanted = await finding.directory.resolve(what, { from });
  if (wanted.kind === "file" && wanted.others > 0) {
    const others = formatCount(wanted.others, "other file");
    output.note(
      `Of ${wanted.others + 1} files called ${wanted.name}, taking the one of ${
        formatSize(wanted.size)
      } that most have`,
      { event: "ambiguous", name: wanted.name, others: wanted.others, note: `${others} of this name` },
    );
  }
  const started = peer.transfers.start(wanted, destinationOf(path, stdout), { compress });
  await context.follow(started, (result) => reportDone(output, wanted, result, peer.folderPath));
}

function destinationOf(path: string | undefined, stdout: PeerContext["stdout"]): Destination {
  if (path === undefined) return { kind: "folder" };
  checkPath(path);
  // resolve() removes the "/" at the end, which says that a folder is meant.
  if (path !== "-") return { kind: "path", path: `${resolve(path)}${isFolderPath(path) ? "/" : ""}` };
  if (stdout !== undefined) return { kind: "stream", stream: stdout };
  throw new Failure("usage", "The shell needs standard output for itself", {
    hint: "run it once: deno task peer FOLDER get WHAT --output -",
  });
}

/**
 * Reports the result of a download. When the file was streamed to standard output, nothing else is
 * written there.
 *
 * @param folder The shared folder, where a download is saved by default.
 * @throws {Failure} When files of a folder are missing, after each of them has been reported.
 */
export function reportDone(output: Output, wanted: Wanted, result: TransferResult, folder: string): void {
  const { size, root, path, files, alreadyHere, tookMs, firstMs, failed, unverified, mixedFrom = [] } = result;
  // A piece may have come from two peers. It counts for both of them, and once for the file.
  const fetched = Math.min(size, result.sources.reduce((sum, { bytes }) => sum + bytes, 0));
  const failure = failureOf(result, wanted);
  const isFolder = wanted.kind === "folder";
  const object = {
    event: failure === undefined ? "downloaded" : "incomplete",
    name: wanted.name,
    path,
    size,
    root,
    files: isFolder ? files : undefined,
    failed: isFolder ? failed.length : undefined,
    alreadyHere,
    verified: unverified === true ? false : undefined,
    fetched,
    tookMs: Math.round(tookMs),
    firstMs: firstMs === undefined ? undefined : Math.round(firstMs),
    bytesPerSecond: rateOf(fetched, tookMs),
    sources: result.sources.map(({ peer, bytes, ms }) => ({ peer, bytes, bytesPerSecond: rateOf(bytes, ms) })),
  };
  const text = sentenceOf(wanted, result, fetched);
  if (path === undefined) output.note(text, object);
  else output.result(text, object);
  const whole = path === undefined ? undefined : resolve(folder, path);
  if (whole !== undefined && !text.includes(whole) && !output.json) output.note(`It is at ${whole}`, {});
  if (unverified === true) {
    output.note("Not verified: it came from a classmate's own program, so only its size was checked", {
      event: "unverified",
      name: wanted.name,
    });
  }
  noteMixed(output, wanted, mixedFrom);
  for (const { name, failure: { code, message } } of failed) {
    output.note(`Not downloaded: ${name}: ${message}`, { event: "failed", name, code, message });
  }
  if (failure !== undefined) throw failure;
}

/**
 * Reports that folders of one name, shared by several peers, were downloaded as one folder: perhaps
 * only one was wanted.
 */
function noteMixed(output: Output, { name }: Wanted, peers: readonly string[]): void {
  const [first] = peers;
  if (first === undefined) return;
  const named = peers.slice(0, MIXED_NAMED_MAX).map(shownPeerName);
  const more = peers.length > named.length ? [formatCount(peers.length - named.length, "other peer")] : [];
  const all = [...named, ...more];
  const list = `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
  output.note(
    `${name} was put together from different files of ${list}; for the files of one of them: --from ${first}`,
    {
      event: "mixed",
      name,
      peers,
    },
  );
}

function sentenceOf(wanted: Wanted, result: TransferResult, fetched: number): string {
  const { path, files, failed, alreadyHere } = result;
  if (failed.length > 0) return `${path}: ${files - failed.length} of ${formatCount(files, "file")} are here`;
  const what = wanted.kind === "folder" ? `${path} (${formatCount(files, "file")})` : path ?? wanted.name;
  const isOrAre = wanted.kind === "file" || files === 1 ? "is" : "are";
  return alreadyHere ? `${what} ${isOrAre} here already` : `${what}: ${howItWent(result, fetched)}`;
}

/** How much came from which peer, and how fast. */
function howItWent({ size, tookMs, sources }: TransferResult, fetched: number): string {
  if (fetched === 0) return "copied from files that were here already";
  const total = `${formatSize(fetched)} in ${formatDuration(tookMs)} (${formatRate(rateOf(fetched, tookMs))})`;
  const [only] = sources;
  const from = sources.length === 1 && only !== undefined ? shownPeerName(only.peer) : sources
    .toSorted((a, b) => b.bytes - a.bytes)
    .map(({ peer, bytes, ms }) => `${shownPeerName(peer)} ${formatSize(bytes)} at ${formatRate(rateOf(bytes, ms))}`)
    .join(", ");
  return fetched < size ? `fetched ${total} from ${from}; the rest was here` : `${total} from ${from}`;
}

function rateOf(bytes: number, ms: number): number {
  return ms > 0 ? Math.round(bytes / ms * 1000) : 0;
}
