/**
 * The command `get`: resolves what is wanted, starts the download, and says how it ended.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { formatCount, formatDuration, formatRate, formatSize } from "../core/quantity.ts";
import type { Wanted } from "../peer/directory.ts";
import type { Destination, TransferResult } from "../peer/transfer.ts";
import { type CommandContext, type CommandFlags, joined } from "./command.ts";
import type { Output } from "./output.ts";

/** Downloads WHAT. */
export async function get(context: CommandContext, args: readonly string[], flags: CommandFlags): Promise<void> {
  const { output, stdout, directory } = context;
  const peer = joined(context.peer);
  const [what = ""] = args;
  const { from, output: path } = flags;
  const wanted = await directory.resolve(what, typeof from === "string" ? { from } : {});
  if (wanted.others > 0) {
    const others = formatCount(wanted.others, "other file");
    output.note(
      `Of ${wanted.others + 1} files called ${wanted.name}, taking the one of ${
        formatSize(wanted.size)
      } that most have`,
      { event: "ambiguous", name: wanted.name, others: wanted.others, note: `${others} of this name` },
    );
  }
  const started = peer.transfers.start(wanted, destinationOf(path, stdout));
  await context.follow(started, (result) => reportDone({ output, wanted, result, toStream: path === "-" }));
}

function destinationOf(path: string | boolean | undefined, stdout: CommandContext["stdout"]): Destination {
  if (typeof path !== "string") return { kind: "folder" };
  if (path !== "-") return { kind: "path", path };
  if (stdout !== undefined) return { kind: "stream", stream: stdout };
  throw new Failure("usage", "The shell needs standard output for itself", {
    hint: "run it once: deno task peer FOLDER get WHAT --output -",
  });
}

/** Says how a download ended well. A file that went to standard output leaves that alone. */
function reportDone(
  { output, wanted, result, toStream }: { output: Output; wanted: Wanted; result: TransferResult; toStream: boolean },
): void {
  const fetched = [...result.fetched.values()].reduce((sum, bytes) => sum + bytes, 0);
  const bytesPerSecond = result.tookMs > 0 ? Math.round(fetched / result.tookMs * 1000) : 0;
  const sources = Array.from(result.fetched, ([peer, bytes]) => ({ peer, bytes }));
  const { size, root, path, alreadyHere } = result;
  const object = {
    event: "downloaded",
    name: wanted.name,
    ...(path === undefined ? {} : { path }),
    size,
    root,
    alreadyHere,
    fetched,
    tookMs: Math.round(result.tookMs),
    ...(result.firstMs === undefined ? {} : { firstMs: Math.round(result.firstMs) }),
    bytesPerSecond,
    sources,
  };
  const from = sources.map(({ peer }) => peer).join(", ");
  const speed = `${formatSize(fetched)} in ${formatDuration(result.tookMs)} (${
    formatRate(bytesPerSecond)
  }) from ${from}`;
  const how = fetched === 0
    ? "nothing had to be fetched"
    : fetched < size
    ? `fetched ${speed}; the rest was here`
    : speed;
  const text = alreadyHere ? `${path} is here already` : `${path ?? wanted.name}: ${how}`;
  if (toStream) output.note(text, object);
  else output.result(text, object);
}
