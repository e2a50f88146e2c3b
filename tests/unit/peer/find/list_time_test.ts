import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Clock, systemClock } from "../../../../lib/core/flow/clock.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { LIST_MS_MAX, TABLE_ROWS_MAX } from "../../../../lib/core/limits.ts";
import { answerRequests, route, routes } from "../../../../lib/net/answerer.ts";
import { Listener } from "../../../../lib/net/listener.ts";
import { ListTime } from "../../../../lib/peer/find/list_time.ts";
import { List } from "../../../../lib/protocol/files.ts";
import { Room } from "../../../support/room.ts";

/** How long each answer of an endless list takes, on the clock of the peer that asks. */
const PAGE_MS = 10_000;

/** A peer that lists one more file with each answer. */
async function endlessList(onAsked: () => void): Promise<Listener> {
  let row = 0;
  const all = routes(route(List, () => {
    onAsked();
    return Promise.resolve({ data: { files: [{ name: `d/${row++}`, size: 1, modified: 1 }], more: true } });
  }));
  return await Listener.listen({ host: "127.0.0.1", port: 0 }, {
    connectionsMax: 10,
    serve: async (connection) => {
      await answerRequests(connection, all, undefined, { name: () => "endless", idleMs: 60_000 });
    },
  });
}

Deno.test("ls and the download of a folder end with an error when a peer sends its list too slowly", async () => {
  await using room = await Room.open();
  let asked = 0;
  await using listener = await endlessList(() => asked += 1);
  await room.index.join({
    name: "endless",
    id: "1d".repeat(32),
    certificate: "00",
    plain: true,
    ...listener.address,
  });
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + asked * PAGE_MS };
  const { peer } = await room.peer("rui", undefined, { plain: true, clock });
  const wanted = { kind: "folder", name: "d/", from: "endless" } as const;
  for (const list of [() => peer.directory.list("endless"), () => peer.finder.folder(wanted)]) {
    const before = asked;
    const failure = await assertRejects(list, Failure);
    assertEquals([failure.code, failure.message], [
      "timeout",
      "Cannot list what endless shares: the list did not end in 300 s",
    ]);
    assertEquals(asked - before <= LIST_MS_MAX / PAGE_MS, true, `asked ${asked - before} times`);
  }
});

Deno.test("ls shows at most one table of files when a peer's list has no end", async () => {
  await using room = await Room.open();
  await using listener = await endlessList(() => {});
  const at = { certificate: "00", plain: true, ...listener.address };
  await room.index.join({ name: "endless", id: "1d".repeat(32), ...at });
  const clock: Clock = { ...systemClock, now: () => 0 };
  const { peer } = await room.peer("rui", undefined, { plain: true, clock });
  const { rows, more } = await peer.directory.list("endless");
  assertEquals([rows.length, more], [TABLE_ROWS_MAX, true]);
});

Deno.test("ListTime does not count the time that this peer's own rate limit takes", async () => {
  let nowMs = 0;
  const time = new ListTime({ ...systemClock, now: () => nowMs }, "it");
  await time.without(Promise.resolve().then(() => void (nowMs += 10 * LIST_MS_MAX)));
  nowMs += LIST_MS_MAX - 1;
  time.check();
  nowMs += 1;
  assertThrows(() => time.check(), Failure);
});
