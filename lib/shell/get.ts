/**
 * The command `get`: resolves what is wanted, starts the download, and says how it ended.
 * @module
 */

import { resolve } from "@std/path";
import { Failure } from "../core/failure.ts";
import { formatCount, formatDuration, formatRate, formatSize } from "../core/quantity.ts";
import type { Wanted } from "../peer/directory.ts";
import type { Destination } from "../peer/fetching.ts";
import type { TransferResult } from "../peer/transfer.ts";
import { type CommandContext, type CommandFlags, joined } from "./command.ts";
import type { Output } from "./output.ts";

/** Downloads WHAT. */
export async function get(context: CommandContext, args: readonly string[], flags: CommandFlags): Promise<void> {
  const { output, stdout, directory } = context;
  const peer = joined(context.peer);
  const [what = ""] = args;
  const { from, output: path } = flags;
  const wanted = await directory.resolve(what, typeof from === "string" ? { from } : {});
  if (wanted.kind === "file" && wanted.others > 0) {
    const others = formatCount(wanted.others, "other file");
    output.note(
      `Of ${wanted.others + 1} files called ${wanted.name}, taking the one of ${
        formatSize(wanted.size)
      } that most have`,
      { event: "ambiguous", name: wanted.name, others: wanted.others, note: `${others} of this name` },
    );
  }
  const started = peer.transfers.start(wanted, destinationOf(path, stdout), { compress: flags["compress"] === true });
  await context.follow(started, (result) => reportDone(output, wanted, result));
}

function destinationOf(path: string | boolean | undefined, stdout: CommandContext["stdout"]): Destination {
  if (typeof path !== "string") return { kind: "folder" };
  if (path !== "-") return { kind: "path", path: resolve(path) };
  if (stdout !== undefined) return { kind: "stream", stream: stdout };
  throw new Failure("usage", "The shell needs standard output for itself", {
    hint: "run it once: deno task peer FOLDER get WHAT --output -",
  });
}

/** Says how a download ended well. A file that went to standard output leaves that alone. */
export function reportDone(output: Output, wanted: Wanted, result: TransferResult): void {
  const { size, root, path, files, alreadyHere, tookMs, firstMs, failed, unverified } = result;
  const fetched = result.sources.reduce((sum, { bytes }) => sum + bytes, 0);
  const object = {
    event: "downloaded",
    name: wanted.name,
    ...(path === undefined ? {} : { path }),
    size,
    ...(root === undefined ? {} : { root }),
    ...(wanted.kind === "folder" ? { files, failed: failed.length } : {}),
    alreadyHere,
    ...(unverified === true ? { verified: false } : {}),
    fetched,
    tookMs: Math.round(tookMs),
    ...(firstMs === undefined ? {} : { firstMs: Math.round(firstMs) }),
    bytesPerSecond: rateOf(fetched, tookMs),
    sources: result.sources.map(({ peer, bytes, ms }) => ({ peer, bytes, bytesPerSecond: rateOf(bytes, ms) })),
  };
  const what = wanted.kind === "folder" ? `${path} (${formatCount(files, "file")})` : path ?? wanted.name;
  const text = alreadyHere ? `${what} is here already` : `${what}: ${howItWent(result, fetched)}`;
  if (path === undefined) output.note(text, object);
  else output.result(text, object);
  if (unverified === true) {
    output.note("Not verified: it came from a classmate's own program, so that only its size was counted", {
      event: "unverified",
      name: wanted.name,
    });
  }
  for (const { name, failure } of failed) {
    output.note(`Not fetched: ${name}: ${failure.message}`, { event: "failed", name });
  }
  const [first] = failed;
  if (first !== undefined) {
    throw new Failure(
      first.failure.code,
      `${formatCount(failed.length, "file")} of "${wanted.name}" could not be fetched`,
      {
        hint: "get it again: what is here is not fetched twice",
      },
    );
  }
}

/** How much came from whom, and how fast. */
function howItWent({ size, tookMs, sources }: TransferResult, fetched: number): string {
  if (fetched === 0) return "nothing had to be fetched";
  const total = `${formatSize(fetched)} in ${formatDuration(tookMs)} (${formatRate(rateOf(fetched, tookMs))})`;
  const [only] = sources;
  const from = sources.length === 1 && only !== undefined ? only.peer : sources
    .toSorted((a, b) => b.bytes - a.bytes)
    .map(({ peer, bytes, ms }) => `${peer} ${formatSize(bytes)} at ${formatRate(rateOf(bytes, ms))}`).join(", ");
  return fetched < size ? `fetched ${total} from ${from}; the rest was here` : `${total} from ${from}`;
}

function rateOf(bytes: number, ms: number): number {
  return ms > 0 ? Math.round(bytes / ms * 1000) : 0;
}
