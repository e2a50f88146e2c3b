import { assert, assertEquals } from "@std/assert";
import { DIGEST_BYTES, PIECE_BYTES } from "../../../../lib/core/content.ts";
import { settlesWithin, systemClock } from "../../../../lib/core/flow/clock.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { route, routes } from "../../../../lib/net/answerer.ts";
import type { Connection } from "../../../../lib/net/connection.ts";
import { encodeNews } from "../../../../lib/protocol/envelope.ts";
import { Asking, Download, Holds, Pieces } from "../../../../lib/protocol/files.ts";
import { Folder } from "../../../../lib/store/files/folder.ts";
import { UnfinishedFile } from "../../../../lib/store/files/unfinished_file.ts";
import type { Source } from "../../../../lib/transfer/content/source.ts";
import type { Downloaded } from "../../../../lib/transfer/content/watch.ts";
import { Downloads } from "../../../../lib/transfer/downloads.ts";
import { fileSink } from "../../../../lib/transfer/pieces/sink.ts";
import { AnsweringPeer } from "../../../support/answering_peer.ts";
import { fastClock } from "../../../support/fast_clock.ts";
import { seededRandom } from "../../../support/seeded_random.ts";
import { connectPlain, ServedFile, TestSource } from "../../../support/sources.ts";
import { randomBytes, TempFolder } from "../../../support/temp.ts";

const FILE = new ServedFile(randomBytes(6 * PIECE_BYTES, seededRandom(2)));
const WANTED = { name: FILE.name, size: FILE.bytes.length, peers: [] };
const FAST = 20;
/** Longer than a source gets for its digests while there are others. */
const LONG_MS = 10_000 / FAST;

/** A source that gives one digest, and says ASKING instead of the others for so long. */
async function withholding(ms: number): Promise<AnsweringPeer> {
  const about = { name: FILE.name, size: FILE.bytes.length, modified: 1 };
  return await AnsweringPeer.open("withholding", {
    idleMs: 60_000,
    routes: (closed) =>
      routes(
        route(Holds, (_: Connection) => Promise.reject(new Failure("unsupported", "it does not say what it has"))),
        route(Pieces, async (connection, { from }) => {
          if (from === 0) return { data: about, body: FILE.digests.slice(0, DIGEST_BYTES) };
          const asking = setInterval(() => connection.send(encodeNews(Asking, {})).catch(() => {}), LONG_MS / 10);
          await settlesWithin(ms, closed);
          clearInterval(asking);
          return { data: about, body: FILE.digests.slice(from * DIGEST_BYTES) };
        }),
        route(Download, (_, { start, end }) => Promise.resolve({ data: about, body: FILE.bytes.slice(start, end) })),
      ),
  });
}

/** Resumes a download that has three pieces. */
async function resume(sources: readonly Source[]): Promise<{ downloaded: Downloaded; bytes: Uint8Array }> {
  await using temp = await TempFolder.make();
  using folder = await Folder.open(temp.path);
  using file = await UnfinishedFile.open(folder, WANTED);
  await file.write(0, FILE.bytes.slice(0, 3 * PIECE_BYTES));
  let isChecking = false;
  const downloads = new Downloads({
    connect: connectPlain,
    // The first source is alone until the download has begun with its digests.
    finder: { sources: () => Promise.resolve(sources.slice(0, isChecking ? sources.length : 1)) },
    clock: fastClock(FAST),
    random: seededRandom(1),
  });
  const signal = AbortSignal.timeout(60_000);
  const downloaded = await downloads.download(WANTED, fileSink(file), {
    signal,
    onProgress: ({ state }) => isChecking ||= state === "checking",
  });
  return { downloaded, bytes: await Deno.readFile(temp.at(await file.finish(folder.path, "arrived", WANTED.size))) };
}

Deno.test("a source that withholds digests holds up no download that another source can continue", async () => {
  await using liar = await withholding(60_000);
  await using honest = await TestSource.open(FILE, {}, "honest");
  const { downloaded, bytes } = await resume([liar.source(FILE.name), honest.source]);
  assertEquals([downloaded.root, bytes], [FILE.root, FILE.bytes]);
});

Deno.test("a resumed download waits for the digests of its only source", async () => {
  await using slow = await withholding(LONG_MS);
  const beganMs = systemClock.now();
  const { downloaded, bytes } = await resume([slow.source(FILE.name)]);
  assertEquals([downloaded.root, bytes], [FILE.root, FILE.bytes]);
  assert(systemClock.now() - beganMs >= LONG_MS);
});
