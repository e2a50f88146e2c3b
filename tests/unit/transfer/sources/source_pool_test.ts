import { assertEquals, assertLessOrEqual } from "@std/assert";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import { DOWNLOAD_SOURCES_MAX } from "../../../../lib/core/limits.ts";
import { route, routes } from "../../../../lib/net/answerer.ts";
import type { Connection } from "../../../../lib/net/connection.ts";
import { Holds } from "../../../../lib/protocol/files.ts";
import type { Source } from "../../../../lib/transfer/content/source.ts";
import { SourcePool } from "../../../../lib/transfer/sources/source_pool.ts";
import { AnsweringPeer } from "../../../support/answering_peer.ts";
import { seededRandom } from "../../../support/seeded_random.ts";
import { connectPlain } from "../../../support/sources.ts";

const ROOT = "ab".repeat(32);
const ROUNDS = 12;

for (const [sources, connections, what] of [[40, 64, "most"], [60, 140, "some"]] as const) {
  Deno.test(`SourcePool keeps ${what} connections of ${sources} sources that take turns`, async () => {
    // The peers have no piece yet, as in a class that has just begun.
    await using peer = await AnsweringPeer.open("receiver", {
      routes: () => {
        const data = { size: PIECE_BYTES, complete: false, asking: 1, full: false };
        return routes(route(Holds, () => Promise.resolve({ data, body: new Uint8Array(2) })));
      },
      idleMs: 60_000,
    });
    const open = new Set<Connection>();
    let connected = 0;
    const signal = new AbortController().signal;
    let nowMs = 0;
    const listed = Array.from({ length: sources }, (_, at) => ({ ...peer.source("film"), peer: `${at}` }));
    const tools = {
      finder: { sources: () => Promise.resolve(listed) },
      async connect(source: Source) {
        const connection = await connectPlain({ ...source, peer: "receiver" }, signal);
        connected += 1;
        open.add(connection);
        return connection;
      },
      clock: { now: () => nowMs, delay: () => Promise.resolve() },
      random: seededRandom(1),
    };
    const pool = new SourcePool({ name: "film", size: PIECE_BYTES, peers: [] }, { signal, tools });
    try {
      await pool.find(ROOT);
      const placed = new Set<string>();
      for (let round = 0; round < ROUNDS; round++) {
        pool.rearrange();
        for (const source of pool.placed) placed.add(source.peer);
        await Promise.all(pool.placed.map((source) => source.look(ROOT)));
        const held = [...open].filter(({ ended }) => ended === undefined).length;
        assertLessOrEqual(held, DOWNLOAD_SOURCES_MAX + 32);
        nowMs += 20_000;
      }
      assertEquals(placed.size, sources);
      // If no connection were kept, there would be 16 new ones in each round.
      assertLessOrEqual(connected, connections);
    } finally {
      for (const connection of open) connection.close();
    }
  });
}
