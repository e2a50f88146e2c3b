import { assert, assertEquals, assertRejects } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import { settlesWithin, systemClock } from "../../../../lib/core/flow/clock.ts";
import { REPLY_WAIT_MS } from "../../../../lib/core/limits.ts";
import { route, routes } from "../../../../lib/net/answerer.ts";
import type { Connection } from "../../../../lib/net/connection.ts";
import { Download, Holds, Pieces } from "../../../../lib/protocol/files.ts";
import { Downloads } from "../../../../lib/transfer/downloads.ts";
import { streamSink } from "../../../../lib/transfer/pieces/sink.ts";
import { AnsweringPeer } from "../../../support/answering_peer.ts";
import { seededRandom } from "../../../support/seeded_random.ts";
import { connectPlain, ServedFile } from "../../../support/sources.ts";
import { randomBytes } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

/** Time in which a source that is asked again and again sends many wrong pieces. */
const WHILE_MS = 700;
/** Shorter than the wait for an answer. */
const ENDS_MS = REPLY_WAIT_MS / 3;
const FILE = new ServedFile(randomBytes(3 * PIECE_BYTES, seededRandom(2)));

Deno.test("download() asks a source that sent wrong bytes why, and meanwhile for no more", async () => {
  const asked = { bytes: 0, why: 0 };
  const about = { name: FILE.name, size: FILE.bytes.length, modified: 1, root: FILE.root };
  await using liar = await AnsweringPeer.open("liar", {
    idleMs: 20_000,
    routes: (closed) =>
      routes(
        route(Holds, (_: Connection) => Promise.reject(new Failure("unsupported", "it does not say what it has"))),
        route(Pieces, async (_, { doubt }) => {
          if (doubt !== undefined) {
            asked.why += 1;
            await closed;
          }
          return { data: about, body: FILE.digests };
        }),
        route(Download, (_, { start, end }) => {
          asked.bytes += 1;
          return Promise.resolve({ data: about, body: new Uint8Array((end ?? 0) - start) });
        }),
      ),
  });
  const downloads = new Downloads({
    connect: connectPlain,
    finder: { sources: () => Promise.resolve([liar.source(FILE.name)]) },
    clock: systemClock,
    random: seededRandom(1),
  });
  const stopping = new AbortController();
  const wanted = { name: FILE.name, size: FILE.bytes.length, root: FILE.root, peers: [] };
  const sink = streamSink({ write: ({ length }) => Promise.resolve(length) });
  const failing = assertRejects(
    () => downloads.download(wanted, sink, { signal: stopping.signal, onProgress: () => {} }),
    Failure,
    "enough",
  );
  await eventually("it is asked why", () => asked.why > 0);
  await systemClock.delay(WHILE_MS);
  assertEquals(asked, { bytes: 1, why: 1 });
  stopping.abort(new Failure("cancelled", "enough"));
  assert(await settlesWithin(ENDS_MS, failing), "it waits for the answer although the download is over");
  await failing;
});
